// The words of a task: the parts that tau2 keeps apart, and tau-bench's one paragraph.
import type { Scenario } from "#contracts/task-file.ts";
import type { Random } from "#core/random-source.ts";
import type { Identity, WishWords } from "./domain.ts";
import type { Persona } from "./persona.ts";

const OPENINGS = ["You want to", "You would like to", "You contact the service because you want to"] as const;
const CONNECTIONS = [
  ["Then you want to", "Next you want to", "Finally you want to"],
  ["You also want to", "Besides, you want to", "In addition you want to"],
  ["After that, you want to", "When this is settled, you want to", "One more thing: you want to"],
] as const;

export interface TaskWords {
  readonly scenario: Scenario;
  /** One paragraph in the second person. */
  readonly paragraph: string;
}

export function writeTask(domain: string, identity: Identity, persona: Persona, wishes: readonly WishWords[], random: Random): TaskWords {
  const requests = requestsOf(wishes, random);
  const self = `You are ${identity.firstName} ${identity.lastName}; ${identity.proof}.`;
  const unknown = distinct(wishes.flatMap((words) => words.unknown));
  return {
    scenario: {
      domain,
      persona: persona.manner,
      reasonForCall: requests.join(" "),
      knownInfo: [self, ...labelled(wishes, ({ known }) => known)].join(" "),
      unknownInfo: unknown.length === 0 ? null : unknown.join(" "),
      taskInstructions: [...labelled(wishes, ({ conduct }) => conduct), ...persona.conduct].join(" "),
    },
    paragraph: [
      self,
      ...wishes.flatMap(({ known, unknown, conduct }, index) => [requests[index] ?? "", ...known, ...unknown, ...conduct]),
      ...persona.conduct,
      persona.manner,
    ].join(" "),
  };
}

function requestsOf(wishes: readonly WishWords[], random: Random): string[] {
  const connections = random.pick(CONNECTIONS);
  const opening = random.pick(OPENINGS);
  return wishes.map(({ want }, index) => `${index === 0 ? opening : connections[(index - 1) % connections.length]} ${want}.`);
}

/** What is said about one of several wishes says which one it is about. */
function labelled(wishes: readonly WishWords[], part: (words: WishWords) => readonly string[]): string[] {
  return wishes.flatMap((words, index) => {
    const sentences = part(words);
    if (sentences.length === 0) return [];
    return wishes.length === 1 ? [...sentences] : [`About wish ${index + 1}: ${sentences.join(" ")}`];
  });
}

const distinct = (sentences: readonly string[]): string[] => Array.from(new Set(sentences));
