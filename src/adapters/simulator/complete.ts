// One call of a user model, metered; at temperature 0 answered from the cache where it can be.
import OpenAI from "openai";
import type { RequestFields, TokenLimitField } from "#contracts/request-fields.ts";
import { CampaignError } from "#core/errors.ts";
import type { ModelUsage } from "#core/ports.ts";
import { completionText } from "#simulators/llm/judge-reply.ts";
import type { RoleMessage } from "#simulators/llm/prompts.ts";
import { askChat } from "../inference/ask-chat.ts";
import { ChatAnswer, readSaid } from "../inference/chat-answer.ts";
import type { AnswerUsage } from "../inference/read-answer.ts";
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
  /** Told once what the endpoint is sent otherwise than it was set. */
  readonly onWarning?: ((message: string) => void) | undefined;
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

/** Calls and tokens that were paid for. */
export class Meter {
  #usage = { promptTokens: 0, completionTokens: 0, calls: 0 };
  /** Answers whose server does not say what they cost. */
  numUncounted = 0;
  /** Answers that were cut at the limit of tokens. */
  numCut = 0;

  get usage(): ModelUsage {
    return { ...this.#usage };
  }
  addCall(): void {
    this.#usage.calls += 1;
  }
  /** What the server does not say counts as nothing, and the answer as one of unknown cost. */
  addTokens({ promptTokens, completionTokens }: AnswerUsage): void {
    this.#usage.promptTokens += promptTokens ?? 0;
    this.#usage.completionTokens += completionTokens ?? 0;
    if (promptTokens === null || completionTokens === null) this.numUncounted += 1;
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

export interface UserAnswer {
  /** Reasoning left out; never empty. */
  readonly text: string;
  /** Whether it may be kept in the cache: not where it was cut, which is to be counted whenever it is used. */
  readonly isWhole: boolean;
}

/** The model's answer. Throws provider.* and simulator.* (completionText). */
export async function complete(
  userModel: UserModel,
  messages: readonly RoleMessage[],
  meter: Meter,
  options: CallOptions,
): Promise<UserAnswer> {
  const { cache, temperature } = userModel;
  if (cache !== null && temperature === 0 && options.canUseCache) {
    const known = await cache.read(requestOf(userModel, messages));
    if (known !== null) return { text: known, isWhole: true };
  }
  return askModel(userModel, messages, meter, options);
}

/** Keeps an answer that led to a good reply. */
export async function remember(userModel: UserModel, messages: readonly RoleMessage[], text: string): Promise<void> {
  if (userModel.cache !== null && userModel.temperature === 0) await userModel.cache.write(requestOf(userModel, messages), text);
}

async function askModel(userModel: UserModel, messages: readonly RoleMessage[], meter: Meter, options: CallOptions): Promise<UserAnswer> {
  const { client, model, temperature, maxTokens, hasSeed, tokenLimitField, requestFields, onWarning } = userModel;
  const { signal, timeoutSeconds } = options;
  const body = { ...requestFields, messages };
  const who = `user simulator ${model}`;
  const seed = hasSeed ? options.seed : null;
  meter.addCall();
  const answer = await askChat(
    { client, model, body, tokenLimitField, maxTokens, temperature, seed, canLeaveOut: true },
    { who, signal, canReappear: false, timeoutSeconds, onAdapted: onWarning },
    ChatAnswer,
  ).catch((error: unknown) => {
    throw explained(error);
  });
  meter.addTokens(answer.usage);
  const said = readSaid(answer, { maxTokens, who });
  if (said.isCut) meter.numCut += 1;
  return { text: completionText(said), isWhole: !said.isCut };
}

/** What a rejection means for a user: a filter refuses this one reply, and another may pass. */
function explained(error: unknown): unknown {
  if (!(error instanceof CampaignError) || error.code !== "provider.rejected") return error;
  if (error.cause instanceof OpenAI.APIError && FILTERS.has(String(error.cause.code)))
    return new CampaignError("simulator.refusal", `the endpoint's filter refused: ${error.message}`, { cause: error.cause });
  return error;
}
