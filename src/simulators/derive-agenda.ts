// An agenda for a task that has none, such as tau-bench's: one wish per golden write, in words made from its facts; a task without
// writes becomes the instruction in the first person. Golden calls are never quoted: only ids, airports, dates and names leave them.
import type { GoldenAction, Task } from "#contracts/task.ts";
import { spokenArguments } from "#core/exact-json.ts";
import { type Agenda, type Wish, wish } from "./agenda.ts";
import { retailIdentity, retailWish } from "./retail-wishes.ts";

type Arguments = Readonly<Record<string, unknown>>;
const MAX_WORDS = 400;

/** The agenda behind golden actions and instruction. Never empty. */
export function deriveAgenda(task: Task): Agenda {
  const story = firstPerson(withoutLabels(task.instruction));
  const derived = (task.goldenActions ?? []).flatMap((action) => retailWish(action, story) ?? wishOf(action, story));
  const only = wish("other", { words: story, details: story, insists: /insist|persist/i.test(task.instruction) });
  const [first, ...others] = derived;
  return { userId: task.userId, opensWithUserId: false, wishes: first === undefined ? [only] : [introduced(first, task), ...others] };
}

/** Customers of the shop are known by name or email and say so at once; passengers are asked for their user id. */
function introduced(first: Wish, { environment, goldenActions, instruction }: Task): Wish {
  if (environment !== "retail") return first;
  const identity = retailIdentity(goldenActions ?? []) ?? identitySentence(instruction);
  return { ...first, words: [identity, first.words].filter((part) => part !== null).join(" ") };
}

/** The sentence of the instruction that says who the user is; null when the story begins with it anyway. */
function identitySentence(instruction: string): string | null {
  const [sentence = ""] = instruction.split(/(?<=[.?!])\s+(?=[A-Z])/);
  return /\b\d{5}\b|@/.test(sentence) ? inFirstPerson(sentence) : null;
}

/** A scenario of tau2-bench is told under labels, which nobody says. */
function withoutLabels(instruction: string): string {
  const lines = instruction
    .split("\n")
    .filter((line) => !/^\s*(Persona|Instructions|Domain|Reason for call|Known info|Unknown info|Task instructions):/.test(line));
  return lines
    .map((line) => line.trim())
    .join(" ")
    .trim();
}

function wishOf({ name, argumentsJson }: GoldenAction, story: string): Wish[] {
  const args = spokenArguments(argumentsJson);
  const id = String(args["reservation_id"]);
  const common = { details: story, payment: typeof args["payment_id"] === "string" ? args["payment_id"] : null };
  switch (name) {
    case "cancel_reservation":
      return [wish("cancel", { ...common, words: `I want to cancel reservation ${id}.`, trip: tripOf(id) })];
    case "update_reservation_baggages":
      return [
        wish("bags", { ...common, words: `I want ${args["total_baggages"]} checked bags in all for reservation ${id}.`, trip: tripOf(id) }),
      ];
    case "update_reservation_flights":
      return [wish("flight", { ...common, words: `I want to change reservation ${id} to ${itinerary(args)}.`, trip: tripOf(id) })];
    case "update_reservation_passengers":
      return [
        wish("passengers", {
          ...common,
          words: `I want the passengers of reservation ${id} to be ${people(args["passengers"])}.`,
          trip: tripOf(id),
        }),
      ];
    case "send_certificate":
      return [wish("certificate", { ...common, words: "I want compensation for my flight." })];
    case "book_reservation":
      return [wish("book", { ...common, ...booking(args) })];
    default:
      return [];
  }
}

const tripOf = (id: string): Wish["trip"] => ({ id, origin: "", destination: "", isKnownById: true });
const cabinName = (args: Arguments): string => String(args["cabin"]).replace("_", " ");

function itinerary(args: Arguments): string {
  const flights = list(args["flights"]).map((flight) => `${flight["flight_number"]} on ${flight["date"]}`);
  return `${cabinName(args)} with ${flights.length === 1 ? "flight" : "flights"} ${flights.join(", ")}`;
}

function booking(args: Arguments): Partial<Wish> {
  const payments = list(args["payment_methods"]).map((method) => String(method["payment_id"]));
  const kind = args["flight_type"] === "round_trip" ? "round trip" : "one way trip";
  return {
    words: `I want to book a ${kind} from ${args["origin"]} to ${args["destination"]} in ${itinerary(args)}.`,
    details: `The passengers are ${people(args["passengers"])}, with ${args["total_baggages"]} bags and insurance ${args["insurance"]}.`,
    payment: payments.join(" and "),
  };
}

const people = (value: unknown): string =>
  list(value)
    .map((one) => `${one["first_name"]} ${one["last_name"]}, born ${one["dob"]}`)
    .join(" and ");
const list = (value: unknown): Arguments[] => (Array.isArray(value) ? (value as Arguments[]) : []);

const FIRST_PERSON: readonly (readonly [RegExp, string])[] = [
  [/^(?:also )?mention that /i, ""],
  [/\byou(?:'re| are)\b/gi, "I am"],
  [/\byou(?:'ve| have)\b/gi, "I have"],
  [/\byou were\b/gi, "I was"],
  [/\byou'd\b/gi, "I would"],
  [/\b(told|caused|made|gave|asked|for|to|with) you\b/gi, "$1 me"],
  [/\byourself\b/gi, "myself"],
  [/\byour\b/gi, "my"],
  [/\byou\b/gi, "I"],
];
/** Sentences that direct the actor and are nothing the user would say. */
const STAGE_DIRECTION = /\b(agent|paraphrase|reactive|persona|instruction|insist|persist|emotional|terse|polite|if and only if)\b/i;

/** The instruction as the user would tell it: first person, without stage directions, cut at a sentence end. */
function firstPerson(instruction: string): string {
  const sentences = instruction.split(/(?<=[.?!])\s+/).filter((sentence) => !STAGE_DIRECTION.test(sentence) && !/user id/i.test(sentence));
  const spoken = (sentences.length > 0 ? sentences : [instruction]).map((sentence) => inFirstPerson(sentence));
  let story = "";
  for (const sentence of spoken) {
    if (story !== "" && story.length + sentence.length > MAX_WORDS) break;
    story = `${story} ${sentence}`.trim();
  }
  return story;
}

const inFirstPerson = (sentence: string): string =>
  capitalized(FIRST_PERSON.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), sentence));
const capitalized = (sentence: string): string => sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
