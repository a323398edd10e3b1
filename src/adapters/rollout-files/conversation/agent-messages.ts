// Every message of the agent with its calls, in whatever form the conversation has them.
import type { ChatMessage } from "#contracts/rollout-line.ts";
import { hasOpenValues, readArguments, unwrapValues } from "./arguments.ts";
import { messageRole, splitThought, textOf } from "./message-text.ts";
import type { Notes } from "./notes.ts";
import { type CallReader, findTextReader, formInText, type KnownTools, readInForm, TEXT_READERS, type TextReader } from "./readers.ts";
import { resultsInUserMessage } from "./results.ts";
import type { TextMessage } from "./text-calls.ts";

interface AgentCall {
  /** Empty when the source has none. */
  readonly id: string;
  readonly name: string;
  readonly argumentsJson: string;
}

export interface AgentMessage {
  readonly content: string | null;
  readonly reasoning: string | null;
  readonly calls: readonly AgentCall[];
}

export interface AgentMessages {
  readonly reader: CallReader;
  readonly of: (message: ChatMessage) => AgentMessage;
}

/** Finds out the form of a conversation. Notes what was read otherwise than it stands when a message is asked for. */
export function agentMessages(messages: readonly ChatMessage[], tools: KnownTools, notes: Notes): AgentMessages {
  const answered = answeredMessages(messages);
  const agents = messages.filter((message) => messageRole(message) === "assistant" && message.requestor !== "user");
  const native = agents.filter(hasNativeCalls);
  const texts = agents.map((message) => ({ text: splitThought(textOf(message)).said, isAnswered: answered.has(message) }));
  const textReader = native.length > 0 ? null : findTextReader(texts, tools);
  const read = (message: ChatMessage): AgentMessage =>
    hasNativeCalls(message) ? nativeMessage(message, tools, notes) : textMessage(message, answered.has(message), textReader, tools, notes);
  return { reader: textReader?.name ?? nativeReader(native), of: read };
}

function nativeReader(native: readonly ChatMessage[]): CallReader {
  if (native.length === 0) return "no-calls";
  return native.some(({ tool_calls: calls }) => (calls ?? []).length > 0) ? "tool-calls" : "function-call";
}

const hasNativeCalls = ({ tool_calls: calls, function_call: call }: ChatMessage) => (calls ?? []).length > 0 || (call ?? null) !== null;

/** Messages of the agent that a result follows, with nothing but system messages between them. */
function answeredMessages(messages: readonly ChatMessage[]): ReadonlySet<ChatMessage> {
  const answered = new Set<ChatMessage>();
  let last: ChatMessage | null = null;
  for (const message of messages) {
    const role = messageRole(message);
    if (role === "system") continue;
    const isResult = role === "tool" ? message.requestor !== "user" : role === "user" && resultsInUserMessage(textOf(message)) !== null;
    if (isResult && last !== null) answered.add(last);
    last = role === "assistant" ? message : null;
  }
  return answered;
}

function nativeMessage(message: ChatMessage, { schemaOf }: KnownTools, notes: Notes): AgentMessage {
  const { tool_calls: listed, function_call: single, raw_data: raw } = message;
  const calls = (listed ?? []).length > 0 ? (listed ?? []) : [{ id: "", ...(single ?? { name: "", arguments: null }) }];
  const kept = raw?.unreadable_arguments ?? [];
  return {
    content: textOf(message) || null,
    reasoning: reasoningOf(message),
    calls: calls.map(({ id, name, arguments: value }, index) => {
      const read = readArguments(kept[index] ?? value);
      const { text, note } = unwrapValues(read, schemaOf(name));
      if (hasOpenValues(read, schemaOf(name)))
        notes.add("calls with lists or objects as Python's text, where no schema tells: kept as text");
      if (note !== null) notes.add(note);
      return { id, name, argumentsJson: text };
    }),
  };
}

function textMessage(message: ChatMessage, isAnswered: boolean, reader: TextReader | null, tools: KnownTools, notes: Notes): AgentMessage {
  const text = textOf(message);
  const { said, thought } = splitThought(text);
  const agent = { text: said, isAnswered };
  const own = reader === null ? null : readInForm(reader, agent, tools);
  const other = own === null && isAnswered ? readInAnyForm([said, text], tools) : null;
  if (other) notes.add("calls in another form than the rest");
  const read = own ?? other ?? wordsOf(reader, agent, tools);
  const form = read?.isInForm === true ? null : formInText(said);
  if (form !== null) notes.add("messages that look like a call and were not run", form);
  if (read === null) return { content: text || null, reasoning: reasoningOf(message), calls: [] };
  for (const { note } of read.calls) if (note !== null) notes.add(note);
  return {
    content: read.content,
    reasoning: [reasoningOf(message), thought, read.reasoning].filter((one) => one !== null).join("\n") || null,
    calls: read.calls.map(({ name, text }) => ({ id: "", name, argumentsJson: text })),
  };
}

/** For a message that a result follows. A harness that sets no thoughts apart may have read the call in a thought that never ended. */
function readInAnyForm(texts: readonly string[], tools: KnownTools): TextMessage | null {
  const read = texts.flatMap((text) => TEXT_READERS.map((reader) => readInForm(reader, { text, isAnswered: true }, tools)));
  return read.find((next) => next !== null) ?? null;
}

/** What is said to the user by a message that is no call, where its form sets thoughts apart. */
function wordsOf(reader: TextReader | null, agent: { readonly text: string; readonly isAnswered: boolean }, tools: KnownTools) {
  const read = reader?.read(agent, tools) ?? null;
  return read === null || read.isInForm ? null : read;
}

function reasoningOf({ reasoning, reasoning_content: content, raw_data: raw }: ChatMessage): string | null {
  return reasoning || content || raw?.reasoning_content || null;
}
