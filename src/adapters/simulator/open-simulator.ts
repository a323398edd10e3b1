// The user simulator that a campaign names.
import { SimulatorConfig } from "#contracts/campaign-config.ts";
import type { UserSimulator } from "#core/ports.ts";
import { scriptedSimulator } from "#simulators/scripted.ts";
import { createInferenceClient } from "../inference/client.ts";
import { shellVariables } from "../settings.ts";
import { createLlmSimulator } from "./llm.ts";
import { createReplyCache, type ReplyCacheOptions } from "./reply-cache.ts";

const opened = new Map<string, UserSimulator>();

/**
 * One per config and process, so that its connections and its cache are shared. `cache` says where answers at temperature 0 are kept
 * beyond this process; null: every reply is asked for. `onWarning` is told what the endpoint is sent otherwise than it was set. Throws
 * provider.unauthorized when the key's variable is not set, config.invalid for a proxy that is none.
 */
export function openSimulator(
  given: SimulatorConfig,
  cache: ReplyCacheOptions | null = { folder: null },
  onWarning = cache?.onWarning,
): UserSimulator {
  const config = SimulatorConfig.parse(given); // a campaign that began under an earlier version lacks newer keys
  if (config.type === "scripted") return scriptedSimulator;
  const key = JSON.stringify([config, cache === null, cache?.folder]);
  const known = opened.get(key);
  if (known !== undefined) return known;
  const { model, temperature, maxTokens, strategy, hasSeed, prematureStop, maxBadReplies, timeoutSeconds, deadlineSeconds } = config;
  const simulator = createLlmSimulator({
    client: createInferenceClient({ baseUrl: config.baseUrl, apiKeyEnv: config.apiKeyEnv, environment: shellVariables() }),
    model,
    temperature,
    maxTokens,
    strategy,
    hasSeed,
    tokenLimitField: config.tokenLimitField,
    requestFields: config.requestFields,
    prematureStop,
    limits: { maxBadReplies, timeoutSeconds, deadlineSeconds },
    cache: cache === null ? null : createReplyCache(cache),
    onWarning,
  });
  opened.set(key, simulator);
  return simulator;
}
