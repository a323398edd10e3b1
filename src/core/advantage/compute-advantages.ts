// The one entry to all estimators: groups of rewarded trajectories in, one advantage per turn out.
// Dimensions: P = task, G = member of a group, T = turn (ragged).

import type { AdvantageConfig } from "#contracts/advantage-config.ts";
import { a3Advantages } from "./a3.ts";
import { gdpoAdvantages } from "./gdpo.ts";
import { type AdvantageGroup, type PreparedGroup, prepareGroups } from "./groups.ts";
import { grpoAdvantages } from "./grpo.ts";
import { gtpoAdvantages } from "./gtpo.ts";
import { hybridAdvantages } from "./hybrid.ts";
import { mtGrpoAdvantages } from "./mt-grpo.ts";
import { chargedMtGrpoAdvantages } from "./mt-grpo-charged.ts";
import { createSetCounts, type SetCounts } from "./normalization.ts";
import { proxmoAdvantages } from "./proxmo.ts";
import { sortedMean } from "./sorted-sum.ts";

export type { AdvantageGroup } from "./groups.ts";

/** A turn whose advantage is no larger than this gives no gradient. */
export const DEAD_ADVANTAGE = 1e-9;

interface AdvantageDiagnostics {
  readonly estimator: AdvantageConfig["type"];
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

export interface AdvantageResult {
  /** advantages_PGT in the order and shape of the input; 0 for what the configuration drops or masks. */
  readonly advantages: (readonly number[])[][];
  readonly diagnostics: AdvantageDiagnostics;
}

/**
 * Advantages of every turn. Permuting groups or members permutes the result and changes no digit of it.
 * Throws reward.non-finite and contract.invalid.
 */
export function computeAdvantages(groups: readonly AdvantageGroup[], config: AdvantageConfig): AdvantageResult {
  const counts = createSetCounts();
  const prepared = prepareGroups(groups, config);
  const estimated = estimateAdvantages(prepared, config, counts);
  const advantages = scatter(groups, prepared, estimated, config);
  return { advantages, diagnostics: describe(groups, prepared, advantages, config, counts) };
}

/** Advantages of prepared groups, without diagnostics. `scatter` puts them back where they came from. */
export function estimateAdvantages(groups: readonly PreparedGroup[], config: AdvantageConfig, counts: SetCounts): number[][][] {
  switch (config.type) {
    case "grpo/1":
      return groups.map((group) => grpoAdvantages(group, config, counts));
    case "mt-grpo/1":
      return groups.map((group) => mtGrpoAdvantages(group, config, counts));
    case "mt-grpo/2":
      return groups.map((group) => chargedMtGrpoAdvantages(group, config, counts));
    case "gtpo/1":
      return gtpoAdvantages(groups, config, counts);
    case "gtpo-hybrid/1":
      return hybridAdvantages(groups, config, counts);
    case "gdpo/1":
      return gdpoAdvantages(groups, config, counts);
    case "proxmo/1":
      return proxmoAdvantages(groups, config);
    case "a3/1":
      return a3Advantages(groups, config);
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

function describe(
  groups: readonly AdvantageGroup[],
  prepared: readonly PreparedGroup[],
  advantages: readonly (readonly (readonly number[])[])[],
  config: AdvantageConfig,
  counts: SetCounts,
): AdvantageDiagnostics {
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
