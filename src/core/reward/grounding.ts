// Where an argument comes from. A write whose argument stands in no user message and no tool result was made up by the agent.
// The check needs no golden actions. After arXiv:2605.09934 (TRACER), carried over from sentences to tool arguments.
import type { Trajectory, Turn } from "#contracts/trajectory.ts";
import { canonicalNumber, type ExactJson, NumberText, parseArguments } from "../exact-json.ts";
import { JsonSchema, type SchemaSource } from "./json-schema.ts";

/** What user and tools have said so far. */
export interface Evidence {
  /** Adds what the agent reads after a turn. */
  observe(turn: Turn): void;
  /** Paths of arguments, e.g. `passengers.0.last_name`, whose value nobody said. Values that the schema lists, booleans and empty values need no source. */
  findUngrounded(argumentsJson: string, schema: SchemaSource): string[];
}

const MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const ISO_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

export function createEvidence(trajectory: Pick<Trajectory, "firstUserMessage">): Evidence {
  const texts = [normalize(trajectory.firstUserMessage)];
  const isSaid = (value: Leaf["value"]) => wordings(value).some((wording) => texts.some((text) => containsWord(text, wording)));
  return {
    observe: (turn) => {
      for (const call of turn.toolCalls) if (call.result !== null) texts.push(normalize(call.result));
      if (turn.userReply !== null) texts.push(normalize(turn.userReply));
    },
    findUngrounded: (argumentsJson, schema) =>
      leaves(parseArguments(argumentsJson), JsonSchema.of(schema), "")
        .filter(({ value }) => !isSaid(value))
        .map(({ path }) => path),
  };
}

interface Leaf {
  readonly path: string;
  readonly value: string | number | NumberText;
}

/** Strings and numbers of a value with their paths, those of closed lists of the schema left out. */
function leaves(value: ExactJson, schema: JsonSchema, path: string): Leaf[] {
  if (schema.isChoice) return [];
  if (typeof value === "number" || value instanceof NumberText || (typeof value === "string" && value.trim() !== ""))
    return [{ path, value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, ExactJson]) => {
    const inner = Array.isArray(value) ? schema.item() : schema.property(key);
    return leaves(item, inner, path === "" ? key : `${path}.${key}`);
  });
}

/** The ways in which people and tools write a value. A number is also its plain digits; a date a month by name and a day. */
function wordings(value: Leaf["value"]): string[] {
  const text = normalize(String(value));
  if (typeof value !== "string") return [text, canonicalNumber(String(value))];
  const [, , month, day] = ISO_DATE.exec(text) ?? [];
  if (month === undefined || day === undefined) return [text];
  const name = MONTHS[Number(month) - 1] ?? "";
  const short = name.slice(0, 3);
  return [text, ...[name, short].flatMap((word) => [`${word} ${Number(day)}`, `${Number(day)} ${word}`])];
}

/** Lower case, thousands separators and repeated spaces gone, ordinals plain: "May 20th" is "may 20". */
function normalize(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/(\d),(?=\d{3})/g, "$1")
    .replaceAll(/(\d)(st|nd|rd|th)\b/g, "$1")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** True when `text` holds `word` not inside a longer word or number. */
function containsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isWordCharacter(text[at - 1]) && !isWordCharacter(text[at + word.length])) return true;
  }
  return false;
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character);
}
