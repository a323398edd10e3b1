// One call of a user model, metered; at temperature 0 answered from the cache where it can be.
import OpenAI from "openai";
import { z } from "zod";
import type { RequestFields, TokenLimitField } from "#contracts/request-fields.ts";
import { CampaignError } from "#core/errors.ts";
import type { ModelUsage } from "#core/ports.ts";
import { completionText } from "#core/simulator/llm/judge-reply.ts";
import type { RoleMessage } from "#core/simulator/llm/prompts.ts";
import { callModel } from "../inference/provider-error.ts";
import type { ReplyCache } from "./reply-cache.ts";

export interface UserModel {
  readonly client: OpenAI;
  readonly model: string;
  readonly temperature: number;
  readonly maxTokens: number;
  readonly hasSeed: boolean;
  readonly tokenLimitField: TokenLimitField;
  /** Added to the body of every request. */
  readonly requestFields: RequestFields;
  /** Asked at temperature 0 only. */
  readonly cache: ReplyCache | null;
}

export interface CallOptions {
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly timeoutSeconds: number;
  /** False: the cached answer was no good, ask again. */
  readonly canUseCache: boolean;
}

/** Error codes of content filters (OpenAI, Azure). */
const FILTERS: ReadonlySet<string> = new Set(["content_filter", "content_policy_violation"]);

const Reply = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }) })).min(1),
  usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int() }).nullish(),
});

/** Calls and tokens that were paid for. */
export class Meter {
  #usage = { promptTokens: 0, completionTokens: 0, calls: 0 };

  get usage(): ModelUsage {
    return { ...this.#usage };
  }
  addCall(): void {
    this.#usage.calls += 1;
  }
  addTokens(usage: z.infer<typeof Reply>["usage"]): void {
    this.#usage.promptTokens += usage?.prompt_tokens ?? 0;
    this.#usage.completionTokens += usage?.completion_tokens ?? 0;
  }
}

/** What the answer depends on at temperature 0: its address in the cache. */
const requestOf = (
  { client, model, temperature, maxTokens, tokenLimitField, requestFields }: UserModel,
  messages: readonly RoleMessage[],
) => ({
  ...requestFields,
  baseUrl: client.baseURL,
  model,
  temperature,
  [tokenLimitField]: maxTokens,
  messages,
});

/** The text of the model's answer, reasoning left out. Throws provider.* and simulator.* (completionText). */
export async function complete(
  userModel: UserModel,
  messages: readonly RoleMessage[],
  meter: Meter,
  options: CallOptions,
): Promise<string> {
  const { cache, temperature } = userModel;
  if (cache !== null && temperature === 0 && options.canUseCache) {
    const known = await cache.read(requestOf(userModel, messages));
    if (known !== null) return known;
  }
  return askModel(userModel, messages, meter, options);
}

/** Keeps an answer that led to a good reply. */
export async function remember(userModel: UserModel, messages: readonly RoleMessage[], text: string): Promise<void> {
  if (userModel.cache !== null && userModel.temperature === 0) await userModel.cache.write(requestOf(userModel, messages), text);
}

async function askModel(userModel: UserModel, messages: readonly RoleMessage[], meter: Meter, options: CallOptions): Promise<string> {
  const { client, model, temperature, maxTokens, hasSeed, tokenLimitField, requestFields } = userModel;
  const { seed, signal, timeoutSeconds } = options;
  const body = { ...requestFields, model, messages, temperature, [tokenLimitField]: maxTokens, ...(hasSeed ? { seed } : {}) };
  meter.addCall();
  const answer = await callModel({ who: `user simulator ${model}`, signal, canReappear: false }, async () =>
    Reply.parse(
      await client.chat.completions.create(body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming, {
        signal,
        timeout: Math.ceil(timeoutSeconds * 1000),
      }),
    ),
  ).catch((error: unknown) => {
    throw explained(error, hasSeed);
  });
  meter.addTokens(answer.usage);
  const message = answer.choices[0]?.message;
  return completionText(message?.content ?? null, message?.refusal ?? null);
}

/** What a rejection means for a user: a filter refuses this one reply, and another may pass; some endpoints refuse the field `seed`. */
function explained(error: unknown, hasSeed: boolean): unknown {
  if (!(error instanceof CampaignError) || error.code !== "provider.rejected") return error;
  if (error.cause instanceof OpenAI.APIError && FILTERS.has(String(error.cause.code)))
    return new CampaignError("simulator.refusal", `the endpoint's filter refused: ${error.message}`, { cause: error.cause });
  if (!hasSeed || !/\bseed\b/i.test(error.message)) return error;
  return new CampaignError(error.code, error.message, { cause: error, next: "set hasSeed: false for this simulator" });
}
