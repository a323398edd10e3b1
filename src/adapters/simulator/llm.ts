// A language model as the user, behind any OpenAI-compatible endpoint. Not deterministic unless the endpoint is; every reply is recorded.
import type OpenAI from "openai";
import { z } from "zod";
import { hashJson } from "#core/canonical-json.ts";
import type { UserSimulator } from "#core/ports.ts";
import { seedToInt } from "#core/rng.ts";
import { checkedReply, LLM_SIMULATOR_ID, simulatorMessages, simulatorPrompt } from "#core/simulator/llm-prompt.ts";
import { callModel } from "../inference/provider-error.ts";

export interface LlmSimulatorOptions {
  readonly client: OpenAI;
  readonly model: string;
  readonly temperature: number;
  readonly maxTokens: number;
}

const Reply = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }) })).min(1),
  usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int() }).nullish(),
});

/** Throws simulator.* for replies that no user would give, provider.* when the endpoint fails. */
export function createLlmSimulator({ client, model, temperature, maxTokens }: LlmSimulatorOptions): UserSimulator {
  const id = `${LLM_SIMULATOR_ID}:${model}`;
  return {
    id,
    hash: hashJson({ id, temperature, maxTokens, prompt: simulatorPrompt({ instruction: "" }) }),
    async reply(task, view, { seed, signal }) {
      const body = { model, messages: simulatorMessages(task, view), temperature, max_tokens: maxTokens, seed: seedToInt(seed) } as const;
      const context = { who: `user simulator ${model}`, signal, canReappear: false };
      const answer = await callModel(context, async () =>
        Reply.parse(await client.chat.completions.create(body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming, { signal })),
      );
      const message = answer.choices[0]?.message;
      return {
        content: checkedReply(message?.content ?? null, message?.refusal ?? null, view),
        usage: { promptTokens: answer.usage?.prompt_tokens ?? 0, completionTokens: answer.usage?.completion_tokens ?? 0, calls: 1 },
      };
    },
  };
}
