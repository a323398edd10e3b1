// A policy that is spoken to in token ids: we render the prompt, so what was sampled is never tokenized again.
// Fields beyond OpenAI's are vLLM's (return_token_ids, token_ids, stop_token_ids); `python -m policy_server` has the same.
import type OpenAI from "openai";
import { z } from "zod";
import { logprobList, tokenIdList } from "#contracts/number-lists.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { TurnTokens } from "#contracts/trajectory.ts";
import { CampaignError } from "#core/errors.ts";
import type { AgentTurn, Policy } from "#core/ports.ts";
import type { PromptFormat, Segment, Tokenizer } from "#core/prompt-format/prompt-format.ts";
import { WHOLE_DISTRIBUTION } from "./client.ts";
import { callModel } from "./provider-error.ts";

export interface TokenPolicyOptions {
  readonly client: OpenAI;
  readonly ref: PolicyRef;
  readonly format: PromptFormat;
  readonly tokenizer: Tokenizer;
  readonly temperature: number;
  readonly maxTokensPerTurn: number;
  readonly maxContextTokens: number;
}

const Completion = z.object({
  choices: z
    .array(
      z.object({
        token_ids: tokenIdList(),
        finish_reason: z.enum(["stop", "length"]),
        logprobs: z.object({ token_logprobs: logprobList() }),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int() }),
});

/** The server must sample and report log-probabilities at the temperature (vLLM: --logprobs-mode processed_logprobs). */
export function createTokenPolicy(options: TokenPolicyOptions): Policy {
  const { client, ref, format, tokenizer, temperature, maxTokensPerTurn, maxContextTokens } = options;
  const stopIds = format.stopTokens.map((token) => tokenizer.specialId(token));
  const who = `policy ${ref.name}`;
  return {
    ref,
    format: format.id,
    async respond(conversation, { seed, signal }): Promise<AgentTurn> {
      const promptTokenIds = encodeSegments(format.renderPrompt(conversation), tokenizer);
      const room = maxContextTokens - promptTokenIds.length;
      if (room < 1)
        throw new CampaignError(
          "provider.context-overflow",
          `${who}: the prompt has ${promptTokenIds.length} of ${maxContextTokens} tokens`,
        );
      const body = {
        model: ref.name,
        prompt: promptTokenIds,
        max_tokens: Math.min(maxTokensPerTurn, room),
        temperature,
        ...WHOLE_DISTRIBUTION,
        seed,
        logprobs: 0,
        stop_token_ids: stopIds,
        return_token_ids: true,
      };
      const answer = await callModel({ who, signal, canReappear: true }, async () =>
        Completion.parse(await client.completions.create(body, { signal })),
      );
      const { tokens, text, finishReason } = readSampled(answer, promptTokenIds, { stopIds, tokenizer, who });
      const parsed = format.parseTurn(text, conversation);
      return {
        ...parsed,
        tokens,
        finishReason: finishReason === "stop" && parsed.toolCalls.length > 0 ? "tool_calls" : finishReason,
        usage: { promptTokens: answer.usage.prompt_tokens, completionTokens: answer.usage.completion_tokens, calls: 1 },
      };
    },
  };
}

function encodeSegments(segments: readonly Segment[], tokenizer: Tokenizer): number[] {
  return segments.flatMap((segment) => ("text" in segment ? tokenizer.encode(segment.text) : segment.tokenIds));
}

function readSampled(
  { choices, usage }: z.infer<typeof Completion>,
  promptTokenIds: number[],
  { stopIds, tokenizer, who }: { stopIds: readonly number[]; tokenizer: Tokenizer; who: string },
): { tokens: TurnTokens; text: string; finishReason: "stop" | "length" } {
  const choice = choices[0] as z.infer<typeof Completion>["choices"][number];
  const { token_ids: tokenIds, finish_reason: finishReason } = choice;
  const logprobs = choice.logprobs.token_logprobs;
  const invalid = (what: string) => new CampaignError("provider.invalid-response", `${who}: ${what}`);
  if (logprobs.length !== tokenIds.length) throw invalid(`${tokenIds.length} tokens with ${logprobs.length} log-probabilities`);
  if (usage.prompt_tokens !== promptTokenIds.length)
    throw invalid(`it read ${usage.prompt_tokens} of ${promptTokenIds.length} prompt tokens`);
  const endsWithStop = stopIds.includes(tokenIds.at(-1) ?? -1);
  if (finishReason === "stop" && !endsWithStop) throw invalid("it leaves the token out that ended the turn");
  const text = tokenizer.decode(endsWithStop ? tokenIds.slice(0, -1) : tokenIds);
  return { tokens: { promptTokenIds, tokenIds, logprobs }, text, finishReason };
}
