// Whether the result of a call is that of a failed one, where the file has no word on it.

import { isRecord } from "../is-record.ts";
import { resultsInUserMessage } from "./results.ts";

/** How the benchmarks begin the text of a failed call. */
const ERROR_TEXT = /^(error\b|unknown action\b)/i;
/** What other harnesses write, and what a tool that worked may write as well. */
const LIKE_ERROR =
  /^\s*(?!no\b)(?:traceback \(most recent call last\)|(?:\w+ ){0,3}(?:error|exception|failed|failure)\b|\w*(?:Error|Exception):)/i;
const FLAGS = ["isError", "is_error"];

/** `said` begins as the benchmarks' errors do, `json` is an object that says so, or either of them wrapped in tags or JSON, `likely` only looks like one. */
export type ErrorWord = "said" | "json" | "likely" | "none";

export function errorWord(result: string): ErrorWord {
  if (ERROR_TEXT.test(result)) return "said";
  const bare = bareResult(result);
  if (bare !== result && ERROR_TEXT.test(bare)) return "json";
  const value = jsonOf(bare);
  if (isRecord(value)) return wordOfObject(value);
  return LIKE_ERROR.test(bare) ? "likely" : "none";
}

const MAX_LAYERS = 3;

/** The result without what templates and protocols put around it: tags, the quotes of JSON, parts of text, the name of its tool. */
function bareResult(result: string): string {
  let bare = result;
  for (let layer = 0; layer < MAX_LAYERS; layer += 1) {
    const inner = insideTags(bare) ?? insideJson(jsonOf(bare));
    if (inner === null) return bare;
    bare = inner;
  }
  return bare;
}

function insideTags(text: string): string | null {
  const parts = resultsInUserMessage(text);
  return parts !== null && parts.said === null && parts.results.length === 1 ? (parts.results[0] ?? null) : null;
}

/** What names a result that stands in an object, as Hermes' template has it, and where it stands there. */
const NAMES: ReadonlySet<string> = new Set(["name", "tool_name", "tool_call_id", "id", "role"]);
const PLACES: ReadonlySet<string> = new Set(["content", "result", "output", "response"]);

function insideJson(value: unknown): string | null {
  if (typeof value === "string") return value;
  const texts = (Array.isArray(value) ? value : [value]).map((part) => (isRecord(part) && part["type"] === "text" ? part["text"] : null));
  if (texts.length > 0 && texts.every((text) => typeof text === "string")) return texts.join("");
  if (!isRecord(value)) return null;
  const [place, ...others] = Object.keys(value).filter((key) => !NAMES.has(key));
  if (place === undefined || others.length > 0 || !PLACES.has(place)) return null;
  const inner = value[place];
  return typeof inner === "string" ? inner : JSON.stringify(inner);
}

/** A result whose only member is its error, or that is marked as one (the Model Context Protocol's `isError`). */
function wordOfObject(object: Readonly<Record<string, unknown>>): ErrorWord {
  if (FLAGS.some((flag) => object[flag] === true)) return "json";
  const isFilled = isSomething(object["error"]);
  if (isFilled && Object.keys(object).every((key) => ABOUT_ERROR.has(key))) return "json";
  return isFilled || object["success"] === false || object["ok"] === false || object["status"] === "error" ? "likely" : "none";
}

/** What stands beside `error` in an object that is nothing else. */
const ABOUT_ERROR: ReadonlySet<string> = new Set(["error", "message", "code", "detail", "details", "type", "status", "success", "ok"]);
const isSomething = (value: unknown) => value !== undefined && value !== null && value !== false && value !== "";

/** An object, a list or a text of JSON; null for any other text. */
function jsonOf(text: string): unknown {
  if (!/^\s*[{["]/.test(text)) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
