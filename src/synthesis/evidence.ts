// Evidence: the reads that no correct procedure can do without. Exactly these two things hold for a decision's evidence E:
//   enough  with the answers of E alone the policy reaches the same decision;
//   needed  for every read of E there is another answer, all others unchanged, that calls for another decision.
// So E is the smallest set of reads, whatever order an agent reads in; reads that only search for the right record are not in it.
import { type DatabaseReader, type Decision, decisionText, Undecidable } from "./decision.ts";
import { type Json, keyOf, type Read, type World } from "./world.ts";

export type Decide = (reader: DatabaseReader) => Decision;
/** Other answers that the same read could have had, in a database that differs in this alone; `others` are the answers of the other reads. */
export type Alternatives = (read: Read, answer: Json, others: readonly Json[]) => Iterable<Json>;

export interface Grounded {
  readonly decision: Decision;
  readonly evidence: readonly Read[];
}

/** The decision in this world, with what it looked at. Null when there is no right decision. */
export function ground(world: World, decide: Decide): Grounded | null {
  const evidence = new Map<string, Read>();
  const reader: DatabaseReader = {
    read(read) {
      evidence.set(keyOf(read), read);
      return answered(world.answer(read), read);
    },
    peek: (read) => world.answer(read),
  };
  const decision = attempt(decide, reader);
  return decision === null ? null : { decision, evidence: Array.from(evidence.values()) };
}

/** True when the evidence is enough and each read of it is needed. */
export function isExactEvidence(world: World, decide: Decide, { decision, evidence }: Grounded, alternatives: Alternatives): boolean {
  const text = decisionText(decision);
  const answers = new Map(evidence.map((read) => [keyOf(read), world.answer(read)]));
  const textWith = (known: ReadonlyMap<string, Json>): string | null => {
    const other = attempt(decide, readerOf(known));
    return other === null ? null : decisionText(other);
  };
  if (textWith(answers) !== text) return false;
  return evidence.every((read) => {
    const key = keyOf(read);
    const others = Array.from(answers, ([otherKey, answer]) => (otherKey === key ? [] : [answer])).flat();
    for (const other of alternatives(read, answers.get(key) ?? null, others)) {
      if (textWith(new Map(answers).set(key, other)) !== text) return true;
    }
    return false;
  });
}

/** A reader that answers these reads and no others. */
function readerOf(answers: ReadonlyMap<string, Json>): DatabaseReader {
  return {
    read: (read) => answered(answers.get(keyOf(read)) ?? null, read),
    peek: (read) => answers.get(keyOf(read)) ?? null,
  };
}

function answered(answer: Json, read: Read): Json {
  if (answer === null) throw new Undecidable(`no answer to ${keyOf(read)}`);
  return answer;
}

function attempt(decide: Decide, reader: DatabaseReader): Decision | null {
  try {
    return decide(reader);
  } catch (error) {
    if (error instanceof Undecidable) return null;
    throw error;
  }
}
