// Calls between marks of chat templates, left in the text by a server that did not parse them.
import { dumpsExact } from "#environments/tau/python/format.ts";
import { parseEither } from "#environments/tau/python/parse-literal.ts";
import { isDict, isInt, isList, PyDict, PyFloat, type PyValue } from "#environments/tau/python/values.ts";
import { schemaType } from "./arguments.ts";
import type { ReadingNote } from "./notes.ts";
import { callsOfText, respondText, type TextCall, type TextMessage, textOrNull } from "./text-calls.ts";

export type SchemaOf = (tool: string) => Readonly<Record<string, unknown>> | undefined;

const TOOL_CALL = /<tool_call>([\s\S]*?)(?:<\/tool_call>|(?=<tool_call>)|$)/g;
const FUNCTION = /<(?:function=|invoke name=)["']?([^"'<>\s]+)["']?>([\s\S]*?)(?:<\/(?:function|invoke)>|(?=<function=|<invoke )|$)/g;
const FUNCTION_WRAPPER = /<\/?(?:tool_call|tool_calls|function_calls)>/g;
const PARAMETER = /<parameter(?:=| name=)["']?([^"'<>\s]+)["']?(?:\s[^<>]*)?>\n?([\s\S]*?)\n?(?:<\/parameter>|(?=<parameter)|$)/g;
const FENCE = /```[\w-]*[ \t]*\r?\n([\s\S]*?)(?:```|$)/g;
const MISTRAL_MARK = "[TOOL_CALLS]";
const MISTRAL_CALL = /^\s*([\w.-]+)\s*(?:\[CALL_ID\][\w-]*\s*)?(?:\[ARGS\]\s*)?(\{[\s\S]*\})\s*$/;
/** A thought may speak of calls; what is called stands behind it. */
const THOUGHT = /^[\s\S]*<\/(?:think|thinking|thought|reasoning)>/i;

/** `<tool_call>{"name": …, "arguments": …}</tool_call>`, once or several times: Hermes, Qwen and their relatives. */
export function readToolCallTags(text: string): TextMessage | null {
  return readBlocks(text, TOOL_CALL, ([, body = ""]) => callsOfText(body) ?? callsOfLines(body));
}

/** `<function=name><parameter=key>value</parameter></function>` of Qwen3-Coder, or with JSON inside; `<invoke name="…">` alike. */
export function readFunctionTags(text: string, schemaOf: SchemaOf): TextMessage | null {
  const message = readBlocks(text, FUNCTION, ([, name = "", body = ""]) => functionCall(name, body, schemaOf(name)));
  return message === null ? null : { ...message, content: textOrNull((message.content ?? "").replaceAll(FUNCTION_WRAPPER, "")) };
}

/** JSON in a fenced block after what the model thought. */
export function readFencedJson(text: string): TextMessage | null {
  return readBlocks(text, FENCE, ([, body = ""]) => callsOfText(body));
}

/** `[TOOL_CALLS][{…}]` of Mistral, or since its version 11 `[TOOL_CALLS]name[ARGS]{…}`, once or several times. */
export function readMistral(text: string): TextMessage | null {
  const [said = "", ...parts] = text.split(MISTRAL_MARK);
  const calls = parts.map((part) => callsOfText(part.replace(/<\/s>\s*$/, "")) ?? mistralCall(part));
  if (calls.length === 0 || calls.some((call) => call === null)) return null;
  return asMessage(
    calls.flatMap((call) => call ?? []),
    said,
  );
}

function mistralCall(part: string): TextCall[] | null {
  const [, name = "", args = ""] = MISTRAL_CALL.exec(part) ?? [];
  return args === "" ? null : callsOfText(`{"name": ${dumpsExact(name)}, "arguments": ${args}}`);
}

/** Blocks that cannot be read stay in the text. Null when none can. */
function readBlocks(text: string, pattern: RegExp, read: (match: RegExpMatchArray) => TextCall[] | null): TextMessage | null {
  const thought = THOUGHT.exec(text)?.[0] ?? "";
  const body = text.slice(thought.length);
  const blocks = [...body.matchAll(pattern)].map((match) => ({ match, calls: read(match) }));
  const calls = blocks.flatMap((block) => block.calls ?? []);
  if (calls.length === 0) return null;
  let rest = "";
  let at = 0;
  for (const { match, calls: found } of blocks) {
    if (found === null) continue;
    rest += body.slice(at, match.index);
    at = match.index + match[0].length;
  }
  return asMessage(calls, thought + rest + body.slice(at));
}

function asMessage(calls: readonly TextCall[], rest: string): TextMessage {
  const said = respondText(calls);
  if (said === null) return { isInForm: true, content: textOrNull(rest), reasoning: null, calls };
  return { isInForm: true, content: said === "" ? null : said, reasoning: textOrNull(rest), calls: [] };
}

/** Several objects in one block, one a line. */
function callsOfLines(body: string): TextCall[] | null {
  const calls = body
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(callsOfText);
  return calls.length === 0 || calls.some((call) => call === null) ? null : calls.flatMap((call) => call ?? []);
}

function functionCall(name: string, body: string, schema: ReturnType<SchemaOf>): TextCall[] | null {
  const whole = parseEither(body.trim());
  if (whole !== null && isDict(whole.value)) return callsOfText(`{"name": ${dumpsExact(name)}, "arguments": ${dumpsExact(whole.value)}}`);
  const parameters = [...body.matchAll(PARAMETER)].map(([, key = "", text = ""]) => ({
    key,
    ...typedValue(text, schemaType(schema, key)),
  }));
  if (parameters.length === 0 && body.trim() !== "") return null;
  const value = PyDict.from(parameters.map((parameter) => [parameter.key, parameter.value] as const));
  const isGuessed = parameters.some((parameter) => parameter.isGuessed);
  const note: ReadingNote | null = isGuessed ? "calls with values that may be text or numbers: kept as text" : null;
  return [{ name, text: dumpsExact(value), note }];
}

/** The text as the type that the schema names. Without a schema only lists and objects are more than text. */
function typedValue(text: string, type: unknown): { readonly value: PyValue; readonly isGuessed: boolean } {
  const parsed = type === "string" ? null : parseEither(text.trim());
  if (parsed === null) return { value: text, isGuessed: false };
  const { value } = parsed;
  if (isList(value) || isDict(value)) return { value, isGuessed: false };
  if (type === undefined) return { value: text, isGuessed: typeof value !== "string" };
  return { value: isOfType(value, type) ? value : text, isGuessed: false };
}

function isOfType(value: PyValue, type: unknown): boolean {
  if (type === "integer") return isInt(value);
  if (type === "number") return isInt(value) || value instanceof PyFloat;
  return type === "boolean" && typeof value === "boolean";
}
