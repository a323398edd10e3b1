// compact/1: the prompt format of the embedded policy. No system prompt and no tool schemas: a model of a million parameters learns
// both from demonstrations. `<u>` user text, `<t>` tool result as a compact view, `<a>` agent turn, which ends with `<e>`; ids are
// handles. Everything is a fold over the conversation from its start, so the same conversation always gives the same prompt.
import type { AgentTurnRecord, Conversation } from "#core/ports.ts";
import type { PromptFormat, Segment } from "#core/prompt-format/prompt-format.ts";
import { startOf } from "#core/text.ts";
import { type CallContext, compactCall, realCall } from "./calls.ts";
import { HandleTable } from "./handles.ts";
import { type Trip, viewOf } from "./views.ts";

export const COMPACT_SPECIAL_TOKENS = ["<e>", "<a>", "<u>", "<t>"] as const;
const [END, AGENT, USER, TOOL] = COMPACT_SPECIAL_TOKENS;
/** A tool name and what follows it; only names directly followed by a brace are calls. */
const CALL = /^([a-z][a-z0-9_]*)(\{[\s\S]*)$/;
const MAX_USER_TEXT = 600;

/** A piece of the rendered conversation: context, or an agent turn with its end token. */
export type Piece = { readonly trained: boolean; readonly text: string; readonly tokenIds: readonly number[] | null };

export const compactFormat: PromptFormat = {
  id: "compact/1",
  stopTokens: [END],
  renderPrompt: (conversation) => renderPieces(conversation).map(segmentOf),
  parseTurn(text, conversation) {
    const turnText = text.trim();
    if (turnText === "") return { content: null, toolCalls: [], parseError: "empty turn" };
    const { context } = fold(conversation);
    const [, name, json] = CALL.exec(turnText) ?? [];
    if (name === undefined || json === undefined) return { content: context.handles.expand(turnText), toolCalls: [], parseError: null };
    const call = realCall(name, json, context);
    if ("parseError" in call) return { content: null, toolCalls: [], parseError: call.parseError };
    return { content: null, toolCalls: [{ id: `call-${conversation.turns.length}`, ...call }], parseError: null };
  },
};

/** The conversation as pieces; it ends where the agent speaks next, unless the user has stopped. */
export function renderPieces(conversation: Conversation): Piece[] {
  return fold(conversation).pieces;
}

const segmentOf = ({ text, tokenIds }: Piece): Segment => (tokenIds === null ? { text } : { tokenIds });

interface Folded {
  readonly pieces: Piece[];
  readonly context: { readonly handles: HandleTable; readonly trips: Map<string, Trip> };
}

function fold(conversation: Conversation): Folded {
  const folded: Folded = { pieces: [], context: { handles: new HandleTable(), trips: new Map() } };
  addContext(folded, userText(conversation.firstUserMessage, folded));
  for (const record of conversation.turns) addTurn(folded, record);
  return folded;
}

function addTurn(folded: Folded, { turn, tokens }: AgentTurnRecord): void {
  folded.pieces.push({ trained: true, text: agentText(turn, folded.context) + END, tokenIds: tokens?.tokenIds ?? null });
  const call = turn.toolCalls.find((candidate) => candidate.isExecuted);
  if (call?.result != null)
    addContext(folded, TOOL + withoutBrackets(viewOf(call.name, argumentsOf(call.argumentsJson), call.result, folded.context)));
  else if (turn.userReply !== null) addContext(folded, userText(turn.userReply, folded));
}

function agentText(turn: AgentTurnRecord["turn"], context: CallContext): string {
  const call = turn.toolCalls[0];
  return call === undefined ? context.handles.compress(turn.content ?? "", false) : compactCall(call.name, call.argumentsJson, context);
}

function userText(text: string, { context }: Folded): string {
  return USER + startOf(withoutBrackets(context.handles.compress(text, true)).toLowerCase(), MAX_USER_TEXT).trim();
}

/** No one but the format writes control tokens. */
const withoutBrackets = (text: string): string => text.replace(/[<>]/g, "");

function addContext(folded: Folded, text: string): void {
  folded.pieces.push({ trained: false, text: text + AGENT, tokenIds: null });
}

function argumentsOf(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
