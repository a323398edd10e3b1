// Whether the result of a call is that of a failed one, where the file has no word on it.

/** How the benchmarks begin the text of a failed call. */
const ERROR_TEXT = /^(error\b|unknown action\b)/i;
/** What other harnesses write, and what a tool that worked may write as well. */
const LIKE_ERROR =
  /^\s*(?!no\b)(?:traceback \(most recent call last\)|(?:\w+ ){0,3}(?:error|exception|failed|failure)\b|\w*(?:Error|Exception):)/i;
const FLAGS = ["isError", "is_error"];

/** `said` begins as the benchmarks' errors do, `json` is an object that says so, `likely` only looks like one. */
export type ErrorWord = "said" | "json" | "likely" | "none";

export function errorWord(result: string): ErrorWord {
  if (ERROR_TEXT.test(result)) return "said";
  const object = objectOf(result);
  if (object !== null) return wordOfObject(object);
  return LIKE_ERROR.test(result) ? "likely" : "none";
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

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  if (!/^\s*\{/.test(text)) return null;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return null;
  }
}
