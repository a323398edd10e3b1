// code-compact/1: the prompt format of the embedded policy for code reasoning. No system prompt and no tool schemas: a model of a million
// parameters learns both from demonstrations. `<u>` the question, `<t>` what a call answered, `<a>` the agent speaks: text, and `<p>` before
// the program of a call of `python`, `<c>` before any other call; `<e>` ends its turn. Numbers are handles. A fold over the conversation from
// its start, so the same conversation always gives the same prompt.
import { parseArguments } from "#core/exact-json.ts";
import type { AgentTurnRecord, Conversation } from "#core/ports.ts";
import type { PromptFormat, Segment } from "#core/prompt-format/prompt-format.ts";
import { startOf } from "#core/text.ts";
import { NumberHandles } from "./handles.ts";

export const CODE_COMPACT_SPECIAL_TOKENS = ["<e>", "<a>", "<u>", "<t>", "<p>", "<c>"] as const;
const [END, AGENT, USER, TOOL, PROGRAM, CALL] = CODE_COMPACT_SPECIAL_TOKENS;
const NUM_HANDLES = 32;
/** Handles beyond these are several tokens. */
export const CODE_COMPACT_ATOMIC_TOKENS: readonly string[] = Array.from({ length: NUM_HANDLES }, (_, index) => `@${index + 1}`);

const PYTHON = "python";
const [MAX_QUESTION, MAX_OUTPUT] = [1_200, 200];

/** A piece of the rendered conversation: context, or an agent turn with its end token. */
export type Piece = { readonly trained: boolean; readonly text: string; readonly tokenIds: readonly number[] | null };

export const codeCompactFormat: PromptFormat = {
  id: "code-compact/1",
  stopTokens: [END],
  renderPrompt: (conversation) => renderPieces(conversation).map(segmentOf),
  parseTurn(text, conversation) {
    const { handles } = fold(conversation);
    const start = text.search(/<[pc]>/);
    const said = start < 0 ? text : text.slice(0, start);
    const written = start < 0 ? [] : text.slice(start).split(/(?=<[pc]>)/);
    if (text === "") return { content: null, toolCalls: [], parseError: "empty turn" };
    const toolCalls = written.map((call, index) => ({ id: `call-${conversation.turns.length}-${index}`, ...readCall(call, handles) }));
    return { content: said === "" ? null : handles.expand(said), toolCalls, parseError: null };
  },
};

/** The conversation as pieces; it ends where the agent speaks next, unless the agent has ended it. */
export function renderPieces(conversation: Conversation): Piece[] {
  return fold(conversation).pieces;
}

const segmentOf = ({ text, tokenIds }: Piece): Segment => (tokenIds === null ? { text } : { tokenIds });

interface Folded {
  readonly pieces: Piece[];
  readonly handles: NumberHandles;
}

function fold(conversation: Conversation): Folded {
  const folded: Folded = { pieces: [], handles: new NumberHandles() };
  addContext(folded, USER + folded.handles.mention(startOf(conversation.firstUserMessage, MAX_QUESTION)));
  for (const record of conversation.turns) addTurn(folded, record);
  return folded;
}

function addTurn(folded: Folded, { turn, tokens }: AgentTurnRecord): void {
  const { pieces, handles } = folded;
  pieces.push({ trained: true, text: agentText(turn, handles) + END, tokenIds: tokens?.tokenIds ?? null });
  const answers = turn.toolCalls.filter(({ isExecuted }) => isExecuted).map(({ result }) => TOOL + handles.mention(viewOf(result ?? "")));
  const reply = turn.userReply === null ? [] : [USER + handles.mention(startOf(turn.userReply, MAX_QUESTION))];
  if (answers.length + reply.length > 0) addContext(folded, [...answers, ...reply].join(""));
}

function addContext({ pieces }: Folded, text: string): void {
  pieces.push({ trained: false, text: text + AGENT, tokenIds: null });
}

function agentText({ content, toolCalls }: AgentTurnRecord["turn"], handles: NumberHandles): string {
  return handles.compress(content ?? "") + toolCalls.map((call) => writeCall(call.name, call.argumentsJson, handles)).join("");
}

function writeCall(name: string, argumentsJson: string, handles: NumberHandles): string {
  const args = parseArguments(argumentsJson);
  const code = args?.["code"];
  if (name === PYTHON && args !== null && typeof code === "string" && Object.keys(args).length === 1)
    return PROGRAM + handles.compress(code);
  return `${CALL}${handles.compress(`${name} ${argumentsJson}`)}`;
}

/** `<p>` and a program, or `<c>`, a tool's name, a space and its arguments as they are. The environment answers what is no call. */
function readCall(written: string, handles: NumberHandles): { name: string; argumentsJson: string } {
  const text = handles.expand(written.slice(PROGRAM.length));
  if (written.startsWith(PROGRAM)) return { name: PYTHON, argumentsJson: JSON.stringify({ code: text }) };
  const [name = "", ...rest] = text.split(" ");
  return { name, argumentsJson: rest.join(" ") };
}

/** Of an error its kind, which is the first line, and the last line, which says what was raised; of an output its start. */
function viewOf(result: string): string {
  const lines = result.split("\n");
  const isError = /^\[\w+\]$/.test(lines[0] ?? "");
  return startOf(isError && lines.length > 1 ? `${lines[0]} ${lines.at(-1)}` : result, MAX_OUTPUT);
}
