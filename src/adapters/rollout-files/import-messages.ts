// Chat messages in OpenAI's form, as most harnesses store them, to the turns of a trajectory.
import type { ChatMessage } from "#contracts/rollout-line.ts";
import type { GoldenAction } from "#contracts/task.ts";
import type { StopReason, ToolCall, Turn } from "#contracts/trajectory.ts";
import type { Counts } from "#core/reading/counts.ts";
import { type AgentMessage, agentMessages } from "./conversation/agent-messages.ts";
import { readArguments } from "./conversation/arguments.ts";
import { errorWord } from "./conversation/error-results.ts";
import { unreadFields } from "./conversation/foreign-messages.ts";
import { messageRole, splitThought, textOf } from "./conversation/message-text.ts";
import { Notes } from "./conversation/notes.ts";
import { type CallReader, formInText, type KnownTools, NO_TOOLS } from "./conversation/readers.ts";
import { looksLikeResult, resultsInUserMessage } from "./conversation/results.ts";

export interface ImportedConversation {
  /** Null when no system message comes first. */
  readonly systemPrompt: string | null;
  /** Empty where the agent's calls come before the user's words, and where there is no user. */
  readonly firstUserMessage: string;
  readonly turns: Turn[];
  /** The last message is the user's and holds the token that ends a conversation, be it in a thought: harnesses look for it anywhere. */
  readonly isEndedByUser: boolean;
}

export interface ReadConversation extends ImportedConversation {
  /** How the calls were written. */
  readonly reader: CallReader;
  /** What was decided, guessed or left out, by kind (`READING_NOTES`). */
  readonly notes: Counts;
  /** The form of calls that were run, as their results show, and cannot be read. Such a conversation has no meaning: leave it out. Else null. */
  readonly unreadable: string | null;
}

const STOP_TOKEN = /###(STOP|TRANSFER|OUT-OF-SCOPE)###/;
/** What tau2's agents are made to say first, in every conversation. */
export const GREETING = "Hi! How can I help you today?";

/**
 * Assistant messages become turns; results are attached to their calls, and user messages to the turn before them. A call without a result
 * was not executed. What the agent's side says before the user has spoken is no turn, and the user's own tool calls are not the agent's.
 *
 * tools   helps to tell calls in text from text, and types their values
 * source  the messages as they stand in their file, with what nobody reads
 */
export function importMessages(messages: readonly ChatMessage[], tools: KnownTools = NO_TOOLS, source: unknown = null): ReadConversation {
  const notes = new Notes();
  for (const field of unreadFields(source)) notes.add("fields of messages that are not read: dropped", field);
  const agents = agentMessages(messages, withPromptTools(tools, messages), notes);
  const conversation = new Conversation(notes, agents.reader);
  for (const message of messages.flatMap(resultsApart)) {
    noteForm(message, notes);
    const role = messageRole(message);
    if (isOfUserTools(message)) notes.add("calls and results of the user's own tools: dropped");
    else if (role === "assistant") conversation.addAgent(noteEmpty(agents.of(message), notes));
    else if (role === "tool") conversation.addResult(message);
    else if (role === "system") conversation.addSystem(textOf(message));
    else conversation.addUser(textOf(message));
  }
  const unreadable = conversation.isUnreadable ? unreadableForm(messages, agents.reader) : null;
  return { ...conversation.finish(), reader: agents.reader, notes: notes.toCounts(), unreadable };
}

/** How the conversation ended: by the user's stop token, by a transfer, or by the cap on turns. */
export function inferStopReason({ turns, isEndedByUser }: ImportedConversation, isTerminal: (toolName: string) => boolean): StopReason {
  if (isEndedByUser) return "user-stop";
  if (turns.at(-1)?.toolCalls.some((call) => call.isExecuted && isTerminal(call.name)) === true) return "transfer";
  return "turn-cap";
}

/** A golden action of any file: its arguments as the JSON text that they are, or that they would be. */
export function goldenAction(name: string, args: string | object | null | undefined, compared: string[] | null | undefined): GoldenAction {
  return { name, argumentsJson: readArguments(args).text, ...(compared ? { compareArguments: compared } : {}) };
}

/** Whether a result without a word on it is that of a failed call. */
export function isErrorText(result: string): boolean {
  const word = errorWord(result);
  return word === "said" || word === "json";
}

/** A conversation while its messages come in. */
class Conversation {
  /** A result belonged to no call, in a conversation whose calls are read from text: there was a call that nobody could read. */
  isUnreadable = false;
  private readonly turns: Turn[] = [];
  /** Calls by their ids, in order, that had no result when they were last looked at. */
  private readonly openById = new Map<string, OpenCall[]>();
  /** The last turn that called something. */
  private lastCalling: Turn | null = null;
  private readonly system: string[] = [];
  /** What the agent's side has said while neither the user nor a tool was heard. */
  private readonly leading: AgentMessage[] = [];
  private readonly notes: Notes;
  private readonly reader: CallReader;
  private firstUserMessage: string | null = null;
  private hasSpoken = false;
  private hasUser = false;
  private isEndedByUser = false;

  constructor(notes: Notes, reader: CallReader) {
    this.notes = notes;
    this.reader = reader;
  }

  addSystem(text: string): void {
    if (this.hasSpoken) this.notes.add("later system messages: dropped");
    else this.system.push(text);
  }

  addAgent(message: AgentMessage): void {
    this.hasSpoken = true;
    this.isEndedByUser = false;
    if (this.firstUserMessage === null && message.calls.length === 0) {
      this.leading.push(message);
      return;
    }
    if (this.firstUserMessage === null) this.beginWithoutUser();
    this.addTurn(newTurn(message, this.turns.length));
  }

  private addTurn(turn: Turn): void {
    this.turns.push(turn);
    if (turn.toolCalls.length > 0) this.lastCalling = turn;
    for (const call of turn.toolCalls) {
      const open = this.openById.get(call.id);
      if (open === undefined) this.openById.set(call.id, [{ turn, call }]);
      else open.push({ turn, call });
    }
  }

  addUser(text: string): void {
    this.hasSpoken = true;
    const parts = resultsInUserMessage(text);
    const isResult = parts !== null && (this.hasOpenCall() || (parts.isCertain && !this.isNative()));
    if (!isResult) {
      this.addWords(text);
      return;
    }
    for (const result of parts.results) {
      this.notes.add("results in user messages");
      this.attach(result, undefined, this.openCallByOrder());
    }
    if (parts.said !== null) this.addWords(parts.said);
  }

  addResult(message: ChatMessage): void {
    this.hasSpoken = true;
    const id = message.tool_call_id ?? message.id;
    const call = (id ? this.openCallById(id) : null) ?? this.openCallByOrder(message.name ?? null);
    if (call !== null && id && call.call.id !== "" && call.call.id !== id)
      this.notes.add("results under an unknown id: given to the first open call");
    this.attach(textOf(message), message.error, call);
  }

  finish(): ImportedConversation {
    if (!this.hasUser) this.notes.add("conversations without a user");
    if (this.turns.length === 0) this.notes.add("conversations in which the agent has no turn");
    if (this.firstUserMessage === null) this.beginWithoutUser();
    for (const turn of this.turns) {
      nameCalls(turn);
      this.noteOpenCalls(turn);
    }
    const systemPrompt = this.system.length === 0 ? null : this.system.join("\n");
    return { systemPrompt, firstUserMessage: this.firstUserMessage ?? "", turns: this.turns, isEndedByUser: this.isEndedByUser };
  }

  /** A harness answers what it runs. What it showed as the user's words without any mark cannot be told from them. */
  private noteOpenCalls({ toolCalls }: Turn): void {
    const open = toolCalls.filter(({ isExecuted }) => !isExecuted);
    if (this.isNative() && open.length > 0 && open.length === toolCalls.length)
      this.notes.add("turns of calls without any result: taken as not run");
    else if (this.isNative()) for (const _ of open) this.notes.add("calls without a result beside calls that have one: taken as not run");
    if (!this.isNative()) for (const _ of open) this.notes.add("calls in text without a result: taken as not run");
  }

  private beginWithoutUser(): void {
    this.firstUserMessage = "";
    for (const message of this.leading.splice(0)) this.addTurn(newTurn(message, this.turns.length));
  }

  private addWords(spoken: string): void {
    this.hasUser = true;
    this.isEndedByUser ||= STOP_TOKEN.test(spoken);
    const { said: text, thought } = splitThought(spoken);
    if (thought !== null) this.notes.add("thoughts in messages of the user: dropped");
    const last = this.turns.at(-1);
    if (last === undefined) this.addFirstWords(text);
    else {
      if (looksLikeResult(text)) this.notes.add("messages of the user that look like a result: taken as words");
      if (last.userReply !== null) this.notes.add("user messages joined to the one before");
      last.userReply = last.userReply === null ? text : `${last.userReply}\n${text}`;
    }
  }

  private addFirstWords(text: string): void {
    for (const { content } of this.leading.splice(0))
      if (content !== GREETING) this.notes.add("messages of the agent before the user's first: dropped");
    if (this.firstUserMessage !== null) this.notes.add("user messages joined to the one before");
    this.firstUserMessage = this.firstUserMessage === null ? text : `${this.firstUserMessage}\n${text}`;
  }

  private attach(result: string, error: boolean | null | undefined, open: OpenCall | null): void {
    if (open === null) {
      this.notes.add("results of no call: dropped");
      this.isUnreadable ||= !this.isNative();
      return;
    }
    if (open.turn !== this.turns.at(-1)) this.notes.add("results after a later message of the agent: put beside their call");
    else if (open.turn.userReply !== null) this.notes.add("user messages before the result of a call: put behind it");
    open.call.result = result;
    open.call.isExecuted = true;
    open.call.isError = error ?? isErrorText(result);
    if (error === undefined || error === null) this.noteError(result);
  }

  private noteError(result: string): void {
    const word = errorWord(result);
    if (word === "json") this.notes.add("results that are an error in JSON or between tags: taken as failed calls");
    if (word === "likely") this.notes.add("results that look like an error and do not say so: taken as they stand");
  }

  private isNative(): boolean {
    return this.reader === "tool-calls" || this.reader === "function-call";
  }

  private hasOpenCall(): boolean {
    return this.turns.at(-1)?.toolCalls.some((call) => !call.isExecuted) === true;
  }

  /** Ids repeat between turns of some files: the open call of that id in the last turn that has one. */
  private openCallById(id: string): OpenCall | null {
    const open = (this.openById.get(id) ?? []).filter(({ call }) => !call.isExecuted);
    this.openById.set(id, open);
    const last = open.at(-1)?.turn;
    return open.find(({ turn }) => turn === last) ?? null;
  }

  /** The first open call of the last turn that called something, of that name where one has it. */
  private openCallByOrder(name: string | null = null): OpenCall | null {
    const turn = this.lastCalling;
    const open = turn?.toolCalls.filter((call) => !call.isExecuted) ?? [];
    const call = open.find((candidate) => candidate.name === name) ?? open[0];
    return turn === null || call === undefined ? null : { turn, call };
  }
}

interface OpenCall {
  readonly turn: Turn;
  readonly call: ToolCall;
}

function newTurn({ content, reasoning, calls }: AgentMessage, index: number): Turn {
  const toolCalls = calls.map((call): ToolCall => ({ ...call, result: null, isError: false, isExecuted: false }));
  return {
    index,
    content,
    toolCalls,
    userReply: null,
    finishReason: toolCalls.length > 0 ? "tool_calls" : "stop",
    stateHash: null,
    ...(reasoning === null ? {} : { reasoning }),
  };
}

/** Calls without an id are named by their place, so that files written from them keep each result with its call. */
function nameCalls({ index, toolCalls }: Turn): void {
  for (const [position, call] of toolCalls.entries()) if (call.id === "") call.id = `call-${index}-${position}`;
}

/** tau2's users have tools of their own. */
function isOfUserTools(message: ChatMessage): boolean {
  const isCall = messageRole(message) === "user" && (message.tool_calls ?? []).length > 0 && textOf(message).trim() === "";
  return message.requestor === "user" || isCall;
}

function noteForm(message: ChatMessage, notes: Notes): void {
  if (message.role !== messageRole(message)) notes.add("messages with another name for their role", message.role);
  if (!Array.isArray(message.content)) return;
  for (const { type, text, refusal } of message.content)
    if (text === undefined && refusal === undefined) notes.add("parts of messages without text: dropped", type);
}

function noteEmpty(message: AgentMessage, notes: Notes): AgentMessage {
  const { content, reasoning, calls } = message;
  if (calls.length > 0) return message;
  if (content === null && reasoning === null) notes.add("messages of the agent without words or calls");
  else if (splitThought(content ?? "").said.trim() === "") notes.add("messages of the agent that are thought alone");
  return message;
}

/** A message with the results of several calls, AutoGen's or one of several `<tool_response>`, as one message for each. */
function resultsApart(message: ChatMessage): ChatMessage[] {
  const { tool_responses: results } = message;
  const parts = messageRole(message) === "tool" ? resultsInUserMessage(textOf(message)) : null;
  if (parts !== null && parts.said === null && parts.results.length > 1)
    return parts.results.map((content) => ({ ...message, tool_call_id: null, id: null, content, tool_responses: null }));
  return (results ?? []).length === 0 ? [message] : (results ?? []).map((result) => ({ ...message, ...result, tool_responses: null }));
}

function unreadableForm(messages: readonly ChatMessage[], reader: CallReader): string {
  if (reader !== "no-calls") return reader;
  const agents = messages.filter((message) => messageRole(message) === "assistant");
  return agents.map((message) => formInText(textOf(message))).find((form) => form !== null) ?? "unknown form";
}

/** The names in the schemas that a prompt shows to a model without tools of its own. */
function withPromptTools(tools: KnownTools, messages: readonly ChatMessage[]): KnownTools {
  const prompts = messages.filter((message) => messageRole(message) === "system").map(textOf);
  const names = prompts.flatMap((prompt) => [...prompt.matchAll(/"name":\s*"([\w.-]+)"/g)].map(([, name = ""]) => name));
  return names.length === 0 ? tools : { ...tools, names: new Set([...tools.names, ...names]) };
}
