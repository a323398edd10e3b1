// What an answer of /v1/chat/completions says, why it ended, and in a sentence why it says nothing where it does not.
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import type { Completion } from "#simulators/llm/judge-reply.ts";
import { AnswerUsage, MessageContent } from "./read-answer.ts";
import { cleanWords } from "./server-words.ts";

/** Other servers' names for what OpenAI calls length and content_filter. */
const CUT = /^(length|max_?(output_?)?tokens|model_length)$/i;
const FILTERED = /content_?filter|^(safety|refusal|recitation|blocklist|prohibited_content|spii|image_safety)$|guardrail/i;

/** Something broke off what was being said. */
const BROKEN = /abort|error|cancel|interrupt|time_?out|malformed|fail/i;

type Ending = "length" | "content_filter" | "broken" | "other";

/** `finish_reason` as the server says it; null where it says none. */
export const FinishReason = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((reason) => (reason === undefined || reason === null || reason === "" ? null : String(reason)));

function endingOf(finishReason: string | null): Ending {
  if (finishReason === null) return "other";
  if (CUT.test(finishReason)) return "length";
  if (FILTERED.test(finishReason)) return "content_filter";
  return BROKEN.test(finishReason) ? "broken" : "other";
}

const Text = z.string().nullish().catch(null);
const Message = z.object({
  content: MessageContent,
  refusal: Text,
  reasoning: Text,
  reasoning_content: Text,
  tool_calls: z.array(z.unknown()).nullish().catch(null),
});
type Message = z.infer<typeof Message>;

/** Of a model that is asked for words alone. A filter may leave no message at all. */
export const ChatAnswer = z.object({
  choices: z.array(z.object({ message: Message.nullish(), finish_reason: FinishReason })).min(1),
  usage: AnswerUsage,
});
export type ChatAnswer = z.infer<typeof ChatAnswer>;

export interface SaidAnswer extends Completion {
  /** Its limit of tokens ended it. */
  readonly isCut: boolean;
}

/** `maxTokens`: what the answer might have at most. Throws provider.invalid-response for one that was broken off. */
export function readSaid({ choices, usage }: ChatAnswer, { maxTokens, who }: { maxTokens: number; who: string }): SaidAnswer {
  const { message, finish_reason: finishReason } = choices[0] as ChatAnswer["choices"][number];
  if (endingOf(finishReason) === "broken") throw brokenOff(finishReason, who);
  return {
    text: message?.content.text ?? null,
    refusal: refusalOf(message ?? null, finishReason),
    isCut: endingOf(finishReason) === "length",
    silence: silenceOf(message ?? null, { finishReason, numTokens: usage.completionTokens, maxTokens }),
  };
}

function refusalOf(message: Message | null, finishReason: string | null): string | null {
  const words = message?.refusal || message?.content.refusal || "";
  if (words !== "") return `the model refused: ${JSON.stringify(cleanWords(words, 120))}`;
  return endingOf(finishReason) === "content_filter" ? filtered(finishReason) : null;
}

const filtered = (finishReason: string | null): string => `the endpoint filtered the answer${ended(finishReason)}`;

interface End {
  readonly finishReason: string | null;
  readonly numTokens: number | null;
  readonly maxTokens: number;
}

function silenceOf(message: Message | null, { finishReason, numTokens, maxTokens }: End): Completion["silence"] {
  const thoughts = message?.reasoning || message?.reasoning_content || message?.content.thoughts || message?.content.text?.trim() || "";
  if (endingOf(finishReason) === "length") {
    const all = `all ${numTokens ?? maxTokens} tokens`;
    return {
      why: `${thoughts === "" ? `the answer was cut after ${all}, before its first word` : `reasoning used ${all}`}: raise --max-tokens`,
      next: "raise --max-tokens (in a campaign file maxTokens), or let the model reason less (requestFields)",
    };
  }
  if (message === null) return { why: `the answer has no message${ended(finishReason)}`, next: null };
  if ((message.tool_calls ?? []).length > 0)
    return { why: "the model called a tool, though it was given none", next: "take a model or a template without tools" };
  if (thoughts !== "") return { why: `the model only thought${ended(finishReason)}`, next: null };
  return { why: `the answer is empty${ended(finishReason)}`, next: null };
}

const ended = (finishReason: string | null): string =>
  finishReason === null || finishReason === "stop" ? "" : ` (finish_reason ${cleanWords(finishReason, 40)})`;

const brokenOff = (finishReason: string | null, who: string): CampaignError =>
  new CampaignError("provider.invalid-response", `${who}: the answer did not end by itself${ended(finishReason)}`);

/** Throws provider.rejected for a turn that a filter took away, as for a request that it refuses, and provider.invalid-response for one that did not end by itself. */
export function turnEnding(finishReason: string | null, hasCalls: boolean, who: string): "stop" | "length" | "tool_calls" {
  switch (endingOf(finishReason)) {
    case "length":
      return "length";
    case "content_filter":
      throw new CampaignError("provider.rejected", `${who}: ${filtered(finishReason)}`, {
        next: "see what the endpoint's filter lets through, or take another endpoint",
      });
    case "broken":
      throw brokenOff(finishReason, who);
    case "other":
      if (finishReason === null) return hasCalls ? "tool_calls" : "stop";
      if (ENDED.test(finishReason)) return "stop";
      if (CALLED.test(finishReason)) return "tool_calls";
      throw brokenOff(finishReason, who);
  }
}

const ENDED = /^(stop(_?sequence)?|eos(_?token)?|end_?(of_?)?turn|completed?)$/i;
const CALLED = /^(tool_?(calls?|use)|function_?calls?)$/i;
