// The one entry to all estimators: groups of rewarded trajectories in, one advantage per turn out.
// Dimensions: P = task, G = member of a group, T = turn (ragged).

import type { AdvantageConfig, EstimatorId } from "#contracts/advantage-config.ts";
import { CampaignError } from "../errors.ts";
import type { Estimator, EstimatorSettings } from "./estimator.ts";
import { estimatorOf } from "./estimators.ts";
import { type AdvantageGroup, type PreparedGroup, prepareGroups } from "./groups.ts";
import { createSetCounts, type SetCounts } from "./normalization.ts";
import { sortedMean } from "./sorted-sum.ts";

export type { AdvantageGroup } from "./groups.ts";

/** A turn whose advantage is no larger than this gives no gradient. */
export const DEAD_ADVANTAGE = 1e-9;

interface AdvantageDiagnostics<Id extends string = EstimatorId> {
  readonly estimator: Id;
  readonly numGroups: number;
  readonly numDegenerateGroups: number;
  readonly numTruncated: number;
  /** Sets that were normalised, by number of values. */
  readonly numSetsBySize: Readonly<Record<string, number>>;
  readonly numSingletonSets: number;
  readonly numZeroVarianceSets: number;
  readonly numTooSmallSets: number;
  readonly numTurns: number;
  readonly numDeadTurns: number;
  readonly meanAbsoluteAdvantage: number | null;
}

export interface AdvantageResult<Id extends string = EstimatorId> {
  /** advantages_PGT in the order and shape of the input; 0 for what the configuration drops or masks. */
  readonly advantages: (readonly number[])[][];
  readonly diagnostics: AdvantageDiagnostics<Id>;
}

/**
 * Advantages of every turn. Permuting groups or members permutes the result and changes no digit of it.
 * Throws reward.non-finite, contract.invalid and config.invalid.
 */
export function computeAdvantages(groups: readonly AdvantageGroup[], config: AdvantageConfig): AdvantageResult {
  return computeAdvantagesBy(estimatorOf(config), groups, config);
}

/** The same by an estimator that need not be one of the list. */
export function computeAdvantagesBy<Settings extends EstimatorSettings>(
  estimator: Estimator<Settings>,
  groups: readonly AdvantageGroup[],
  settings: Settings,
): AdvantageResult<Settings["type"]> {
  const counts = createSetCounts();
  const prepared = prepareGroups(groups, settings);
  const estimated = estimateBy(estimator, prepared, settings, counts);
  const advantages = scatter(groups, prepared, estimated, settings);
  return { advantages, diagnostics: describe(groups, prepared, advantages, settings, counts) };
}

/** Advantages of prepared groups, without diagnostics. `scatter` puts them back where they came from. Throws config.invalid. */
export function estimateAdvantages(groups: readonly PreparedGroup[], config: AdvantageConfig, counts: SetCounts): number[][][] {
  return estimateBy(estimatorOf(config), groups, config, counts);
}

function estimateBy<Settings extends EstimatorSettings>(
  estimator: Estimator<Settings>,
  groups: readonly PreparedGroup[],
  settings: Settings,
  counts: SetCounts,
): number[][][] {
  checkNeeds(estimator, groups);
  return estimator.estimate(groups, settings, counts);
}

const COMPARED = {
  actions: { what: "actions", lacking: "what each turn did", give: "their tool calls" },
  observations: { what: "states", lacking: "what the agent read before each turn", give: "their conversations" },
} as const;

/** Throws config.invalid for rollouts without the actions or observations that the estimator compares: one per turn. */
function checkNeeds({ id, needs }: Pick<Estimator<EstimatorSettings>, "id" | "needs">, groups: readonly PreparedGroup[]): void {
  const members = groups.flatMap((group) => group.members);
  for (const need of needs) {
    if (need === "turn-rewards" || members.every((member) => member[`${need}_T`]?.length === member.rewards_T.length)) continue;
    const { what, lacking, give } = COMPARED[need];
    throw new CampaignError("config.invalid", `the estimator ${id} compares ${what}, and these rollouts come without ${lacking}`, {
      next: `choose another estimator, or give rollouts with ${give}`,
    });
  }
}

/** Puts estimates of the prepared groups back where their trajectories came from. */
export function scatter(
  groups: readonly AdvantageGroup[],
  prepared: readonly PreparedGroup[],
  estimated_PGT: readonly (readonly (readonly number[])[])[],
  config: Pick<AdvantageConfig, "degenerateGroups">,
): (readonly number[])[][] {
  const result: (readonly number[] | undefined)[][] = groups.map((group) => new Array<undefined>(group.members.length).fill(undefined));
  for (const [p, group] of prepared.entries()) {
    if (group.isDegenerate && config.degenerateGroups !== "keep") continue;
    for (const [i, member] of group.members.entries()) {
      const row = result[group.position];
      if (row !== undefined && !member.isMasked) row[member.position] = estimated_PGT[p]?.[i];
    }
  }
  return result.map((rows_GT, p) => rows_GT.map((row_T, i) => row_T ?? (groups[p]?.members[i]?.turnRewards_T ?? []).map(() => 0)));
}

function describe<Settings extends EstimatorSettings>(
  groups: readonly AdvantageGroup[],
  prepared: readonly PreparedGroup[],
  advantages: readonly (readonly (readonly number[])[])[],
  config: Settings,
  counts: SetCounts,
): AdvantageDiagnostics<Settings["type"]> {
  const magnitudes = advantages.flat(2).map(Math.abs);
  const degenerate =
    config.degenerateGroups === "drop" ? groups.length - prepared.length : prepared.filter((group) => group.isDegenerate).length;
  return {
    estimator: config.type,
    numGroups: groups.length,
    numDegenerateGroups: degenerate,
    numTruncated: groups.reduce((total, group) => total + group.members.filter((member) => member.isTruncated).length, 0),
    numSetsBySize: Object.fromEntries([...counts.numSetsBySize].sort(([a], [b]) => a - b)),
    numSingletonSets: counts.numSingletons,
    numZeroVarianceSets: counts.numZeroVariance,
    numTooSmallSets: counts.numTooSmall,
    numTurns: magnitudes.length,
    numDeadTurns: magnitudes.filter((magnitude) => magnitude <= DEAD_ADVANTAGE).length,
    meanAbsoluteAdvantage: magnitudes.length === 0 ? null : sortedMean(magnitudes),
  };
}
