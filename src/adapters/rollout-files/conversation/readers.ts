// The forms in which calls stand in the text of messages, each with the one reader that reads it, and which of them a conversation is in.
import type { ToolSchema } from "#core/ports.ts";
import { readActionText } from "./action-text.ts";
import { readFencedJson, readFunctionTags, readMistral, readToolCallTags, type SchemaOf } from "./tagged-text.ts";
import type { TextMessage } from "./text-calls.ts";

/**
 * How the calls of a conversation were written. `tool-calls` and `function-call` are fields of a message, the others stand in its text;
 * `no-calls` is a conversation without a call.
 */
const CALL_READERS = [
  "tool-calls",
  "function-call",
  "react",
  "act",
  "tool-call-tags",
  "function-tags",
  "mistral",
  "fenced-json",
  "no-calls",
] as const;
export type CallReader = (typeof CALL_READERS)[number];

/** What is known of the tools beside the conversation. */
export interface KnownTools {
  readonly names: ReadonlySet<string>;
  readonly schemaOf: SchemaOf;
}

export const NO_TOOLS: KnownTools = { names: new Set(), schemaOf: () => undefined };

/** Tools of the environment, and those that the golden actions name. */
export function knownTools(schemas: readonly ToolSchema[], golden: readonly { readonly name: string }[] | null = []): KnownTools {
  const parameters = new Map(schemas.map((schema) => [schema.function.name, schema.function.parameters]));
  return { names: new Set([...parameters.keys(), ...(golden ?? []).map(({ name }) => name)]), schemaOf: (name) => parameters.get(name) };
}

/** A message of the agent, as far as readers need it. */
export interface AgentText {
  readonly text: string;
  /** The next message is a result. */
  readonly isAnswered: boolean;
}

export interface TextReader {
  readonly name: Exclude<CallReader, "tool-calls" | "function-call" | "no-calls">;
  /** Null when the message holds nothing in this form. */
  readonly read: (message: AgentText, tools: KnownTools) => TextMessage | null;
  /** True for a mark that is written for calls alone. Else a call has to be of a known tool, or to be answered. */
  readonly isMarked: (text: string) => boolean;
}

const readAction: TextReader["read"] = ({ text, isAnswered }) => readActionText(text, isAnswered);
const hasAction = (text: string) => text.includes("Action:");
const isAlwaysMarked = () => true;

export const TEXT_READERS: readonly TextReader[] = [
  { name: "tool-call-tags", read: ({ text }) => readToolCallTags(text), isMarked: isAlwaysMarked },
  { name: "function-tags", read: ({ text }, tools) => readFunctionTags(text, tools.schemaOf), isMarked: isAlwaysMarked },
  { name: "mistral", read: ({ text }) => readMistral(text), isMarked: isAlwaysMarked },
  { name: "act", read: readAction, isMarked: hasAction },
  { name: "fenced-json", read: ({ text }) => (hasAction(text) ? null : readFencedJson(text)), isMarked: () => false },
];
const REACT: TextReader = { name: "react", read: readAction, isMarked: hasAction };

/** The message as a call, or as words to the user in the reader's form, where the evidence is strong; else null. */
export function readInForm(reader: TextReader, message: AgentText, tools: KnownTools): TextMessage | null {
  const read = reader.read(message, tools);
  if (read === null || !read.isInForm) return null;
  return reader.isMarked(message.text) || message.isAnswered || isOfKnownTools(read, tools) ? read : null;
}

/** True as well for what speaks to the user in the form: nobody else writes so. */
const isOfKnownTools = ({ calls }: TextMessage, { names }: KnownTools) => calls.every(({ name }) => names.has(name));

/** The reader that reads the most messages of a conversation; null when none reads any. */
export function findTextReader(messages: readonly AgentText[], tools: KnownTools): TextReader | null {
  const scores = TEXT_READERS.map((reader) => ({
    reader,
    score: messages.filter((message) => readInForm(reader, message, tools) !== null).length,
  }));
  const best = scores.reduce((most, next) => (next.score > most.score ? next : most));
  if (best.score === 0) return null;
  const thinks = messages.some(({ text }) => THOUGHT.test(text));
  return best.reader.name === "act" && thinks ? REACT : best.reader;
}

const THOUGHT = /(?:^|\n)[ \t]*Thought:/;
const isReact = (text: string) => THOUGHT.test(text) && text.includes("Action:");

/** Marks that are written for calls alone, with the form that they speak of. */
const MARKS: readonly (readonly [RegExp, string])[] = [
  [/<arg_key>/, "arg_key tags"],
  [/<[|｜]DSML[|｜]/, "DSML tags"],
  [/^\s*<function_calls>\s*[\w.]+\(/, "Python calls"],
  [/<tool_call>|<tools>\s*[[{]/, "tool-call-tags"],
  [/<function=|<invoke name=|<function_calls>/, "function-tags"],
  [/\[TOOL_CALLS\]/, "mistral"],
  [/(?:^|\n)[ \t]*Action:\s*(?:\{|[\w.-]+[ \t]*\n[ \t]*Action Input:)/, "act"],
  [/```[\w-]*\s*(?:\[\s*)?\{\s*"(?:name|tool|tool_name|function|action)"\s*:/, "fenced-json"],
  [/<\|python_tag\|>/, "python_tag"],
  [/<[|｜]tools?[▁_]/, "tool tokens"],
  [/<\|channel\|>[^<]* to=\w/, "harmony"],
  [/^\s*>>>[\w.-]+\n\s*\{/, "functionary"],
  [/```(?:tool_code|python)\s+(?:print\()?[\w.]+\(\s*(?:\w+\s*=|\))/, "Python calls"],
  [/^\s*(?:Call:\s*|\[\s*)[\w.]+\(\s*(?:\w+\s*=|\))/, "Python calls"],
  [/^\s*(?:\[\s*)?\{\s*"(?:name|tool|tool_name|function|action)"\s*:/, "json"],
  [/✿FUNCTION✿|<\|START_ACTION\|>/, "tool tokens"],
  [/<(?:\w+[:_])?tool_(?:calls?|use)>/, "tool tags"],
  [/<(?:search|execute|python)>/, "action tags"],
  [/\{\s*"name"\s*:\s*"[\w.-]+"\s*,\s*"(?:arguments|parameters|kwargs)"\s*:/, "json"],
];

/** The form that the text seems to be in; null for words. */
export function formInText(text: string): string | null {
  if (isReact(text)) return "react";
  return MARKS.find(([mark]) => mark.test(text))?.[1] ?? null;
}
