// What a message of the agent is once its calls are read out of its text.
import { ARGUMENT_KEYS } from "#contracts/rollout-line.ts";
import { parseEither } from "#environments/tau/python/parse-literal.ts";
import { isDict, isList, type PyValue } from "#environments/tau/python/values.ts";
import { type ReadArguments, readArgumentsValue } from "./arguments.ts";

export interface TextCall extends ReadArguments {
  readonly name: string;
}

export interface TextMessage {
  /** The message is in the reader's form: it holds calls, or speaks to the user by it. */
  readonly isInForm: boolean;
  /** What is left for the user, or beside the calls. */
  readonly content: string | null;
  /** What the form itself sets apart as thought. */
  readonly reasoning: string | null;
  readonly calls: readonly TextCall[];
}

/** tau-bench's pseudo tool that speaks to the user. */
const RESPOND = "respond";

/** `{"name": …, "arguments": …}`, nested under "function" or not, or a list of such; null for anything else. */
export function callsOfText(text: string): TextCall[] | null {
  const parsed = parseEither(text.trim());
  const calls = parsed === null ? null : callsOfValue(parsed.value);
  if (calls === null || parsed?.isJson === true) return calls;
  return calls.map((call) => ({ ...call, note: call.note ?? "calls with arguments as Python literals" }));
}

function callsOfValue(value: PyValue): TextCall[] | null {
  if (isList(value)) {
    const calls = value.map(callOfValue);
    return calls.length > 0 && calls.every((call) => call !== null) ? calls : null;
  }
  const call = callOfValue(value);
  return call === null ? null : [call];
}

function callOfValue(value: PyValue): TextCall | null {
  if (!isDict(value)) return null;
  const nested = value.get("function");
  if (nested !== undefined && isDict(nested)) return callOfValue(nested);
  const name = value.get("name");
  const key = ARGUMENT_KEYS.find((candidate) => value.has(candidate));
  // The description of a tool has a name and parameters too.
  if (typeof name !== "string" || name === "" || key === undefined || value.has("description")) return null;
  return { name, ...readArgumentsValue(value.get(key)) };
}

/** What a lone call of `respond` says to the user; null for every other message. */
export function respondText(calls: readonly TextCall[]): string | null {
  const [call] = calls;
  if (calls.length !== 1 || call?.name !== RESPOND) return null;
  const parsed = parseEither(call.text)?.value;
  const content = parsed !== undefined && isDict(parsed) ? parsed.get("content") : undefined;
  return typeof content === "string" ? content : null;
}

/** The text, or null for one that is blank. */
export function textOrNull(text: string): string | null {
  const trimmed = text.trim();
  return trimmed === "" ? null : trimmed;
}
