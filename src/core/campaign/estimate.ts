// What a campaign is expected to take: means of a rollout times the rollouts of its stages. An upper estimate: all iterations, nothing stopped early.
import type { CampaignConfig, SimulatorConfig } from "#contracts/campaign-config.ts";
import type { CampaignEstimate } from "#contracts/campaign-estimate.ts";
import type { GroupManifest } from "#contracts/manifests.ts";
import { costOf, FREE } from "../rollout/cost.ts";

/** Of one rollout, what had to be made again included. GPU seconds are null where nobody has measured them. */
export interface RolloutMeans {
  readonly policyCalls: number;
  readonly userCalls: number;
  readonly userPromptTokens: number;
  readonly userCompletionTokens: number;
  /** Null where they are not known. */
  readonly policyTokens: { readonly prompt: number; readonly completion: number } | null;
  readonly policyGpuSeconds: number | null;
  /** Of the trainer, for each rollout that it trains on. */
  readonly trainerGpuSeconds: number | null;
  readonly basis: string;
}

/** What stages make of rollouts. */
export interface RolloutCounts {
  readonly trainPerIteration: number;
  readonly selectionPerPolicy: number;
  readonly testPerPolicy: number;
  /** Iterations that the campaign makes itself: a fork has the first ones of its parent. */
  readonly iterations: number;
  /** Whether it measures the base policy in selection. */
  readonly measuresBase: boolean;
}

/** Means of tau-bench's public gpt-4o airline run (200 trajectories), tokens counted as characters / 4; the user's prompt includes about 350 tokens of instructions. */
const PUBLISHED = { turns: 12.3, userReplies: 7.45, promptTokens: 760, completionTokens: 25 };
/** At least: a reply that the verifier rejects costs more. */
const CALLS_PER_REPLY = { llm: 1, react: 1, verify: 2, reflection: 2 } as const;

export function publishedMeans(user: SimulatorConfig): RolloutMeans {
  const { turns, userReplies, promptTokens, completionTokens } = PUBLISHED;
  const userCalls = user.type === "llm" ? userReplies * CALLS_PER_REPLY[user.strategy] : 0;
  const said = user.type === "llm" ? ` and ${userReplies} user replies` : "";
  const tokens = user.type === "llm" ? `, ${promptTokens} + ${completionTokens} tokens a reply` : "";
  return {
    policyCalls: turns,
    userCalls,
    userPromptTokens: userCalls * promptTokens,
    userCompletionTokens: userCalls * completionTokens,
    policyTokens: null,
    policyGpuSeconds: null,
    trainerGpuSeconds: null,
    basis: `${turns} turns${said} a rollout (the means of a public airline run)${tokens}; the record has no rollouts of this environment and user`,
  };
}

/** Sums over groups, by rollout of theirs. There is at least one. */
export function recordedMeans(
  groups: readonly Pick<GroupManifest, "usage" | "outcomes">[],
  gpuSeconds: Pick<RolloutMeans, "policyGpuSeconds" | "trainerGpuSeconds">,
  basis: string,
): RolloutMeans {
  const numRollouts = groups.reduce((sum, { outcomes }) => sum + outcomes.length, 0);
  const mean = (pick: (usage: GroupManifest["usage"]) => number) => groups.reduce((sum, { usage }) => sum + pick(usage), 0) / numRollouts;
  return {
    policyCalls: mean(({ modelCalls }) => modelCalls),
    userCalls: mean(({ simulatorCalls }) => simulatorCalls),
    userPromptTokens: mean(({ simulatorPromptTokens }) => simulatorPromptTokens),
    userCompletionTokens: mean(({ simulatorCompletionTokens }) => simulatorCompletionTokens),
    policyTokens: { prompt: mean(({ promptTokens }) => promptTokens), completion: mean(({ completionTokens }) => completionTokens) },
    ...gpuSeconds,
    basis,
  };
}

/** `sharedIteration`: the last iteration that a fork has of its parent. */
export function countRollouts({ rollout, selection, test, stop }: CampaignConfig, sharedIteration: number | null): RolloutCounts {
  return {
    trainPerIteration: rollout.tasksPerIteration * rollout.groupSize,
    selectionPerPolicy: selection === null ? 0 : selection.tasks * selection.trials,
    testPerPolicy: test === null ? 0 : test.tasks * test.trials,
    iterations: Math.max(0, stop.maxIterations - (sharedIteration ?? 0)),
    measuresBase: sharedIteration === null,
  };
}

export function estimateCampaign(config: CampaignConfig, means: RolloutMeans, counts: RolloutCounts): CampaignEstimate {
  const stages = stagesOf(config, means, counts);
  const all = sum([stages.base, times(stages.iteration, counts.iterations), stages.test]);
  return {
    rollouts: all.rollouts,
    policyCalls: Math.round(all.policyCalls),
    userCalls: Math.round(all.userCalls),
    usd: all.usd,
    basis: means.basis,
  };
}

/** Where the estimate says that each limit will be reached, in words; limits that it does not reach are left out. */
export function reachedLimits(config: CampaignConfig, means: RolloutMeans, counts: RolloutCounts): string[] {
  const { base, iteration, test } = stagesOf(config, means, counts);
  const { maxUsd, maxModelCalls } = config.budget;
  const say = (limit: number | undefined, unit: string, of: (amount: Amount) => number) => {
    if (limit === undefined || of(base) + counts.iterations * of(iteration) + of(test) <= limit) return [];
    const whole = Math.floor((limit - of(base)) / of(iteration));
    const after = whole >= counts.iterations ? "in the test" : `after about ${Math.max(0, whole)} of ${counts.iterations} iterations`;
    return [`the budget of ${limit} ${unit} is reached ${after}`];
  };
  const calls = ({ policyCalls, userCalls }: Amount) => policyCalls + userCalls;
  return [...say(maxUsd, "USD", ({ usd }) => usd), ...say(maxModelCalls, "model calls", calls)];
}

type Amount = Pick<CampaignEstimate, "rollouts" | "policyCalls" | "userCalls" | "usd">;

function stagesOf({ simulator, pricing }: CampaignConfig, means: RolloutMeans, counts: RolloutCounts) {
  const price = simulator.type === "llm" ? simulator.priceUsdPerMillionTokens : FREE;
  const gpuUsd = (seconds: number | null) => ((seconds ?? 0) / 3600) * pricing.gpuHourUsd;
  const { policyCalls, userCalls, userPromptTokens: promptTokens, userCompletionTokens: completionTokens } = means;
  const usd = costOf({ promptTokens, completionTokens }, price) + gpuUsd(means.policyGpuSeconds);
  const one: Amount = { rollouts: 1, policyCalls, userCalls, usd };
  const trained: Amount = { ...one, usd: usd + gpuUsd(means.trainerGpuSeconds) };
  const selection = times(one, counts.selectionPerPolicy);
  return {
    base: times(selection, counts.measuresBase ? 1 : 0),
    iteration: sum([times(trained, counts.trainPerIteration), selection]),
    test: times(one, 2 * counts.testPerPolicy),
  };
}

function times({ rollouts, policyCalls, userCalls, usd }: Amount, count: number): Amount {
  return { rollouts: rollouts * count, policyCalls: policyCalls * count, userCalls: userCalls * count, usd: usd * count };
}

function sum(amounts: readonly Amount[]): Amount {
  const total = (pick: (amount: Amount) => number) => amounts.reduce((so, amount) => so + pick(amount), 0);
  return {
    rollouts: total(({ rollouts }) => rollouts),
    policyCalls: total(({ policyCalls }) => policyCalls),
    userCalls: total(({ userCalls }) => userCalls),
    usd: total(({ usd }) => usd),
  };
}
