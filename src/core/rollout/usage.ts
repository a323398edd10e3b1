// What a rollout cost, counted in model calls and tokens.
import type { Usage } from "#contracts/trajectory.ts";
import type { ModelUsage } from "../ports.ts";

export const NO_CALLS: ModelUsage = { promptTokens: 0, completionTokens: 0, calls: 0 };
export const NO_USAGE: Usage = {
  promptTokens: 0,
  completionTokens: 0,
  simulatorPromptTokens: 0,
  simulatorCompletionTokens: 0,
  modelCalls: 0,
  simulatorCalls: 0,
};

/** The usage after a turn of the policy and one of the simulator. */
export function addUsage(total: Usage, policy: ModelUsage, simulator: ModelUsage): Usage {
  return {
    promptTokens: total.promptTokens + policy.promptTokens,
    completionTokens: total.completionTokens + policy.completionTokens,
    simulatorPromptTokens: total.simulatorPromptTokens + simulator.promptTokens,
    simulatorCompletionTokens: total.simulatorCompletionTokens + simulator.completionTokens,
    modelCalls: total.modelCalls + policy.calls,
    simulatorCalls: total.simulatorCalls + simulator.calls,
  };
}

/** The usage of several rollouts together. */
export function sumUsage(usages: readonly Usage[]): Usage {
  return usages.reduce(
    (total, usage) => ({
      promptTokens: total.promptTokens + usage.promptTokens,
      completionTokens: total.completionTokens + usage.completionTokens,
      simulatorPromptTokens: total.simulatorPromptTokens + usage.simulatorPromptTokens,
      simulatorCompletionTokens: total.simulatorCompletionTokens + usage.simulatorCompletionTokens,
      modelCalls: total.modelCalls + usage.modelCalls,
      simulatorCalls: total.simulatorCalls + usage.simulatorCalls,
    }),
    NO_USAGE,
  );
}
