// What a rollout cost, counted in model calls and tokens.
import type { Turn, Usage } from "#contracts/trajectory.ts";
import type { ModelUsage } from "../ports.ts";
import { numUnspoken } from "./spoken-text.ts";

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
  return sumUsage([total, usageOf(policy, simulator)]);
}

function usageOf(policy: ModelUsage, simulator: ModelUsage): Usage {
  return {
    promptTokens: policy.promptTokens,
    completionTokens: policy.completionTokens,
    simulatorPromptTokens: simulator.promptTokens,
    simulatorCompletionTokens: simulator.completionTokens,
    modelCalls: policy.calls,
    simulatorCalls: simulator.calls,
    ...unlessZero("reasoningTokens", policy.reasoningTokens ?? 0),
  };
}

/** With the characters that a turn's model thought and nobody heard. */
export function addReasoning(total: Usage, { reasoning = "", content }: Pick<Turn, "reasoning" | "content">): Usage {
  const numCharacters = reasoning.length + numUnspoken(content ?? "");
  return { ...total, ...unlessZero("reasoningCharacters", (total.reasoningCharacters ?? 0) + numCharacters) };
}

/** The usage of several rollouts together. */
export function sumUsage(usages: readonly Usage[]): Usage {
  const sum = (pick: (usage: Usage) => number | undefined) => usages.reduce((total, usage) => total + (pick(usage) ?? 0), 0);
  return {
    promptTokens: sum((usage) => usage.promptTokens),
    completionTokens: sum((usage) => usage.completionTokens),
    simulatorPromptTokens: sum((usage) => usage.simulatorPromptTokens),
    simulatorCompletionTokens: sum((usage) => usage.simulatorCompletionTokens),
    modelCalls: sum((usage) => usage.modelCalls),
    simulatorCalls: sum((usage) => usage.simulatorCalls),
    ...unlessZero(
      "reasoningTokens",
      sum((usage) => usage.reasoningTokens),
    ),
    ...unlessZero(
      "reasoningCharacters",
      sum((usage) => usage.reasoningCharacters),
    ),
  };
}

/** Most models do not reason: their records say nothing about it. */
function unlessZero<Name extends string>(name: Name, count: number): { readonly [Key in Name]?: number } {
  return count === 0 ? {} : ({ [name]: count } as { [Key in Name]: number });
}
