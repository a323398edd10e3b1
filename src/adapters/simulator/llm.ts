// A language model as the user, behind any OpenAI-compatible endpoint: one of tau-bench's strategies, asked again when it fails or
// plays the user wrong. Not deterministic unless the endpoint is; every reply is recorded.
import type OpenAI from "openai";
import type { RequestFields, TokenLimitField } from "#contracts/request-fields.ts";
import type { Task } from "#contracts/task.ts";
import { hashJson } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import type { Clock, SimulatorOptions, SimulatorReply, SimulatorView, UserSimulator } from "#core/ports.ts";
import { deriveSeed, seedToInt } from "#core/rng.ts";
import { STOP_TOKEN } from "#core/rollout/ending.ts";
import { isPrematureStop } from "#core/rollout/premature-stop.ts";
import { checkReply } from "#simulators/llm/judge-reply.ts";
import { type RoleMessage, simulatorMessages } from "#simulators/llm/prompts.ts";
import { type SpokenReply, type StrategyName, USER_STRATEGIES, type UserStrategy } from "#simulators/llm/strategies.ts";
import { systemClock } from "../system-clock.ts";
import { type CallOptions, complete, remember, type UserAnswer, type UserModel } from "./complete.ts";
import type { ReplyCache } from "./reply-cache.ts";
import { DEFAULT_REPLY_LIMITS, type ReplyLimits, ReplyRetries } from "./reply-retries.ts";

export interface LlmSimulatorOptions {
  readonly client: OpenAI;
  readonly model: string;
  readonly temperature: number;
  readonly maxTokens: number;
  readonly strategy?: StrategyName;
  /** False for endpoints that refuse the field `seed`. */
  readonly hasSeed?: boolean;
  readonly tokenLimitField?: TokenLimitField;
  /** Added to the body of every request; part of the user's hash. */
  readonly requestFields?: RequestFields;
  /** What a premature stop becomes when the user, asked once more, stops again: "flag" keeps and counts it, "error" gives up. */
  readonly prematureStop?: "flag" | "error" | "ignore";
  readonly limits?: Partial<ReplyLimits>;
  readonly cache?: ReplyCache | null;
  readonly clock?: Clock;
  /** Told once what the endpoint is sent otherwise than it was set. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

interface Setup {
  readonly userModel: UserModel;
  readonly strategy: UserStrategy;
  readonly prematureStop: "flag" | "error" | "ignore";
}

/**
 * Throws SimulatorFailure with what was paid: simulator.* once the limits are reached (a rollout ends as sim_error), provider.* when no asking
 * again can help; or the signal's reason.
 */
export function createLlmSimulator(options: LlmSimulatorOptions): UserSimulator {
  const { client, model, temperature, maxTokens, hasSeed = true, prematureStop = "flag", cache = null, clock = systemClock } = options;
  const strategy = USER_STRATEGIES[options.strategy ?? "llm"];
  const limits = { ...DEFAULT_REPLY_LIMITS, ...options.limits };
  const { tokenLimitField = "max_tokens", requestFields = {} } = options;
  const userModel = { client, model, temperature, maxTokens, hasSeed, tokenLimitField, requestFields, cache, onWarning: options.onWarning };
  const setup: Setup = { userModel, strategy, prematureStop };
  const id = `${strategy.id}:${model}`;
  const fields = Object.keys(requestFields).length === 0 ? {} : { requestFields };
  return {
    id,
    hash: hashJson({ id, temperature, maxTokens, prematureStop, prompt: strategy.systemPrompt({ instruction: "" }), ...fields }),
    async reply(task, view, replyOptions) {
      const retries = new ReplyRetries(limits, clock, replyOptions.seed);
      for (;;) {
        try {
          return finished(await play(setup, task, view, replyOptions, retries), retries);
        } catch (error) {
          if (replyOptions.signal.aborted || !(error instanceof CampaignError)) throw error;
          await retries.recover(error, replyOptions);
        }
      }
    },
  };
}

/** One attempt at a reply. Throws what is wrong with it. */
async function play(
  { userModel, strategy, prematureStop }: Setup,
  task: Task,
  view: SimulatorView,
  { seed, signal, countPendingWrites = () => 0 }: SimulatorOptions,
  retries: ReplyRetries,
): Promise<SpokenReply> {
  const messages = simulatorMessages(strategy.systemPrompt(task), view);
  const answers: { readonly asked: readonly RoleMessage[]; readonly answer: UserAnswer }[] = [];
  const spoken = await strategy.speak(messages, async (asked) => {
    const call: CallOptions = {
      seed: callSeed(seed, retries.numFailures, answers.length),
      signal,
      timeoutSeconds: retries.callTimeoutSeconds(),
      canUseCache: retries.numFailures === 0,
    };
    const answer = await complete(userModel, asked, retries.meter, call);
    answers.push({ asked, answer });
    return answer.text;
  });
  checkReply(spoken.content, view);
  const canJudge = prematureStop !== "ignore" && spoken.content.includes(STOP_TOKEN);
  if (canJudge && isPrematureStop({ task, view, reply: spoken.content, numPendingWrites: countPendingWrites() }))
    retries.judgeEarlyStop(spoken.content, prematureStop);
  for (const { asked, answer } of answers) if (answer.isWhole) await remember(userModel, asked, answer.text);
  return spoken;
}

/** The first call has the reply's own seed; every other call one of its own. */
function callSeed(seed: string, attempt: number, call: number): number {
  return seedToInt(attempt === 0 && call === 0 ? seed : deriveSeed(seed, "attempt", attempt, "call", call));
}

function finished({ content, memory }: SpokenReply, retries: ReplyRetries): SimulatorReply {
  const { meter, troubles } = retries;
  return {
    content,
    usage: meter.usage,
    ...(memory === null ? {} : { memory }),
    ...(Object.keys(troubles).length === 0 ? {} : { troubles }),
  };
}
