// Messages of which words, calls or results stand where nobody here looks. Read without a word they would be empty turns.
import { MESSAGE_FIELDS } from "#contracts/rollout-line.ts";
import { isRecord } from "../is-record.ts";

/** Our own fields for calls and results. */
const READ_KEYS: ReadonlySet<string> = new Set(["tool_calls", "function_call", "tool_responses"]);
const CALL_KEY = /^(tool|function)_?(calls?|uses?|invocations?|results?|responses?)$/i;
/** Fields of other forms that hold what is said: Gemini, OpenTelemetry and Vercel have parts, LlamaIndex blocks, ShareGPT a value. */
const WORD_KEYS = ["parts", "blocks", "contents", "text", "value", "message", "body", "output"];
/** What a part is called that is a call or a result: tool_use, tool-result, functionCall, toolUse. */
const CALL_PART = /tool|function/i;

/**
 * Why a conversation cannot be read, as the account of a reading says it; null where its messages are in OpenAI's form. Of the messages as
 * they stand, before a schema takes off what it does not know.
 */
export function foreignForm(messages: unknown): string | null {
  if (!Array.isArray(messages)) return null;
  const all = messages.filter(isRecord);
  const hasResults = all.some(isResult);
  const forms = [itemForm, callForm, ...(hasResults ? [] : [resultForm]), wordForm];
  return forms.map((formOf) => all.map(formOf).find((form) => form !== null)).find((form) => form !== undefined) ?? null;
}

/** What servers write of how a message came to be: nothing that is said or done. */
const BY_THE_WAY: ReadonlySet<string> = new Set(["usage", "provider_specific_fields", "logprobs", "annotations"]);

/** The names of fields that could hold calls, results or words and that nobody reads, once for each message that has them. */
export function unreadFields(messages: unknown): string[] {
  if (!Array.isArray(messages)) return [];
  return messages.filter(isRecord).flatMap((message) => Object.keys(message).filter((key) => isUnread(key, message[key])));
}

const isUnread = (key: string, value: unknown): boolean => !MESSAGE_FIELDS.has(key) && !BY_THE_WAY.has(key) && isStructured(value);

/** Lists and objects that are not bare numbers, also as JSON text, as tables keep them. */
function isStructured(value: unknown): boolean {
  if (typeof value === "string") return /^\s*[[{]\s*["[{]/.test(value);
  if (Array.isArray(value)) return value.some((item) => typeof item === "string" || isStructured(item));
  return isRecord(value) && isFilled(value);
}

type Message = Readonly<Record<string, unknown>>;

/** OpenAI's newer interface has calls and results beside the messages, as items with a type and no role. LangChain writes a type for a role. */
function itemForm({ role, type, content, data }: Message): string | null {
  if (role !== undefined || typeof type !== "string") return null;
  return content === undefined && data === undefined
    ? `with items of the Responses API (${type}) for messages, which are not read: write them as chat messages`
    : `with messages that have a type (${type}) and no role, which are not read: write them as chat messages`;
}

function callForm(message: Message): string | null {
  const part = partOfCall(message["content"]);
  if (part !== null) return unreadCalls(`${part} in content`);
  if (hasOwnCalls(message) || (isResult(message) && hasText(message["content"]))) return null;
  const key = Object.keys(message).find((name) => CALL_KEY.test(name) && !READ_KEYS.has(name) && isFilled(message[name]));
  if (key !== undefined) return unreadCalls(key);
  const wordKey = WORD_KEYS.find((name) => partOfCall(message[name]) !== null);
  if (wordKey !== undefined) return unreadCalls(`${partOfCall(message[wordKey])} in ${wordKey}`);
  const more = message["additional_kwargs"];
  const inner = isRecord(more) ? ["tool_calls", "function_call"].find((name) => isFilled(more[name])) : undefined;
  return inner === undefined ? null : unreadCalls(`${inner} in additional_kwargs`);
}

/** A harness that keeps each result with its call has no messages for them. */
function resultForm(message: Message): string | null {
  const beside = ["tool_results", "results"].find((name) => hasOwnCalls(message) && isFilled(message[name]));
  if (beside !== undefined) return unreadResults(beside);
  const calls = Array.isArray(message["tool_calls"]) ? message["tool_calls"].filter(isRecord) : [];
  const inside = ["result", "output", "response"].find((name) => calls.some((call) => isFilled(call[name])));
  return inside === undefined ? null : unreadResults(`${inside} in tool_calls`);
}

function wordForm(message: Message): string | null {
  if (hasText(message["content"]) || hasText(message["refusal"]) || hasOwnCalls(message)) return null;
  const key = WORD_KEYS.find((name) => isFilled(message[name]));
  return key === undefined ? null : `with messages whose words stand in ${key}, which is not read: write them as content`;
}

const unreadResults = (where: string): string => `with results that cannot be read (${where}): write them as messages of the role tool`;
const unreadCalls = (where: string): string => `with calls that cannot be read (${where})`;
const isResult = ({ role }: Message): boolean => role === "tool" || role === "function";
const hasOwnCalls = (message: Message): boolean => [...READ_KEYS].some((key) => isFilled(message[key]));

/** Its type, or the name of its only field, where a part of a message is a call or a result. */
function partOfCall(parts: unknown): string | null {
  if (!Array.isArray(parts)) return null;
  const names = parts.filter(isRecord).flatMap((part) => (typeof part["type"] === "string" ? [part["type"]] : Object.keys(part)));
  return names.find((name) => CALL_PART.test(name)) ?? null;
}

const hasText = (content: unknown): boolean => isFilled(content);

function isFilled(value: unknown): boolean {
  if (typeof value === "string") return value !== "";
  if (Array.isArray(value)) return value.length > 0;
  return isRecord(value) && Object.keys(value).length > 0;
}
