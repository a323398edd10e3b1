// What counts as playing the user wrong. Pure: what is done about it is in adapters/simulator.
import { CampaignError } from "#core/errors.ts";
import type { SimulatorView } from "#core/ports.ts";
import { STOP_TOKEN } from "#core/rollout/ending.ts";
import { spokenText } from "#core/rollout/spoken-text.ts";
import { startOf } from "#core/text.ts";

/** A model that will not play: it speaks about itself, or refuses the request as such. A customer who "can't find the number" is none. */
const REFUSALS = [
  /^\s*(i'?m |i am )?sorry,?( but)? (i|as an ai\b).{0,20}\b(can'?t|cannot|am unable to|am not able to|won't) (assist|help|comply|continue|engage|participate)\b/i,
  /^\s*i (can'?t|cannot|am unable to) (assist|help)( you)? with (that|this)( request)?[.!]?\s*$/i,
  /^\s*as an ai\b/i,
  /\bi('m| am) an ai\b/i,
];
/** What only the agent says: offers of help, requests for the other's data, work on the other's records, tool calls. */
const AGENT_TALK = [
  /\bhow (can|may) i (help|assist) you\b/i,
  /\bis there anything else i can (help|assist)\b/i,
  /\bthank you for (contacting|reaching out)\b/i,
  /\b(please|could you( please)?|can you( please)?) (provide|confirm|verify|share)( me)?( with)? your (user|order|reservation|booking|account|full name|email|phone|date of birth|payment)\b/i,
  /\blet me (look up|pull up|check|access) your\b/i,
  /\bi(('| ha)ve|'ll| will) (successfully |now )?(process|cancel|update|book|refund)(l?ed|d|ed)? your\b/i,
  /<tool_call>/,
];

/** Marks of chat templates that end a turn, left in the text by a server: they are nobody's words, nor is what a model makes up behind them. */
const END_OF_TURN =
  /<\|(?:im_end|eot_id|eom_id|end|endoftext|return|END_OF_TURN_TOKEN|end▁of▁sentence)\|>|<｜end▁of▁sentence｜>|<end_of_turn>|<turn\|>|<\/s>(?=\s*(?:<\||$))/g;
/** How templates begin a turn: the mark and the name of its role. */
const START_OF_TURN = /^\s*(?:<\|start_header_id\|>\w+<\|end_header_id\|>|<\|im_start\|>\w+\n|<start_of_turn>\w+\n|<\|turn>\w+\n)/;

export interface Completion {
  /** Null where there are no words; thoughts may still stand in them as tags. */
  readonly text: string | null;
  /** Who refused, and in which words. */
  readonly refusal: string | null;
  /** Why there are no words, should there be none once thoughts are left out; and what to do, where that is known. */
  readonly silence: { readonly why: string; readonly next: string | null };
}

/**
 * The text of one completion, reasoning and marks of its template left out.
 * throws  simulator.refusal, or simulator.empty-reply when nothing is left to say
 */
export function completionText({ text, refusal, silence: { why, next } }: Completion): string {
  if (refusal !== null) throw new CampaignError("simulator.refusal", refusal);
  const spoken = firstTurn(spokenText(text ?? "")).trim();
  if (spoken === "")
    throw new CampaignError("simulator.empty-reply", `the simulated user said nothing: ${why}`, next === null ? {} : { next });
  return spoken;
}

/** Up to the mark that ends it. A mark with no word before it ends no turn. */
function firstTurn(text: string): string {
  const begun = text.replace(START_OF_TURN, "");
  const isBlank = (words: string) => words.replaceAll(END_OF_TURN, "").trim() === "";
  if (isBlank(begun)) return "";
  const end = [...begun.matchAll(END_OF_TURN)].find(({ index }) => !isBlank(begun.slice(0, index)));
  return end === undefined ? begun : begun.slice(0, end.index);
}

/**
 * Throws for what no user would say, so that it is asked for again: a refusal of the model to play (simulator.refusal), a message in the
 * agent's role (simulator.role-confusion), a conversation that ends before it began (simulator.premature-stop).
 */
export function checkReply(content: string, view: Pick<SimulatorView, "firstUserMessage">): void {
  if (matches(content, REFUSALS)) throw new CampaignError("simulator.refusal", `the model refused: ${excerpt(content)}`);
  if (matches(content, AGENT_TALK))
    throw new CampaignError("simulator.role-confusion", `the simulated user speaks as the agent: ${excerpt(content)}`);
  if (view.firstUserMessage === null && content.includes(STOP_TOKEN))
    throw new CampaignError("simulator.premature-stop", "the user stopped before asking for anything");
}

const matches = (text: string, patterns: readonly RegExp[]): boolean => patterns.some((pattern) => pattern.test(text));
const excerpt = (text: string): string => JSON.stringify(startOf(text, 120));
