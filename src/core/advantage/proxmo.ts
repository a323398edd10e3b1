// Turn returns against the returns of similar states, wherever in the group they were met: turns at the same index of two
// conversations seldom stand in the same state. Dimensions: P = task, G = member of a group, T = turn (ragged).
import type { Estimator, SettingsOf } from "./estimator.ts";
import type { PreparedGroup } from "./groups.ts";
import { sliceLike } from "./normalization.ts";
import { plusOutcome } from "./objectives.ts";
import { type ReturnOptions, turnReturns } from "./returns.ts";
import { sortedMean, sortedSum } from "./sorted-sum.ts";
import { similarity, tfIdfVectors, type WordVector } from "./tf-idf.ts";

interface ProxmoOptions extends ReturnOptions {
  /** Of the softmax over similarities: small means that only the most similar states count. */
  readonly temperature: number;
  /** Steepness and strength of the weight that rare passes of hard groups and rare failures of easy groups get. */
  readonly polarAlpha: number;
  readonly polarBeta: number;
  /** Weight of the turn term. */
  readonly omega: number;
}

/**
 * A[i,k] = w (o_i - mean o) + omega (G[i,k] - B[i,k]), B being the mean return of the group's states weighted by similarity.
 *
 * result   advantages_PGT
 * source   arXiv:2602.19225 (ProxMO) and its code: no division by a deviation; a state counts itself; TF-IDF over the batch. A lone rollout gets 0
 */
function proxmoAdvantages(groups: readonly PreparedGroup[], options: ProxmoOptions): number[][][] {
  const vectors = tfIdfVectors(groups.flatMap((group) => group.members.flatMap(({ observations_T }) => observations_T ?? [])));
  const turnsOf = (group: PreparedGroup) => ({ length: group.members.reduce((total, member) => total + member.rewards_T.length, 0) });
  const vectors_P = sliceLike(vectors, groups.map(turnsOf));
  return groups.map((group, p) => groupAdvantages(group, vectors_P[p] ?? [], options));
}

function groupAdvantages(group: PreparedGroup, vectors: readonly WordVector[], options: ProxmoOptions): number[][] {
  if (group.members.length < 2) return group.members.map((member) => member.rewards_T.map(() => 0));
  const returns_GT = group.members.map((member) => turnReturns(member.rewards_T, member.outcome, options));
  const returns = returns_GT.flat();
  const baselines_GT = sliceLike(
    vectors.map((vector) => similarMean(vector, vectors, returns, options.temperature)),
    returns_GT,
  );
  const passRate = sortedMean(group.members.map((member) => member.outcome));
  return group.members.map((member, i) => {
    const outcomeTerm = polarWeight(member.outcome, passRate, options) * (member.outcome - passRate);
    return (returns_GT[i] ?? []).map((value, k) => outcomeTerm + options.omega * (value - (baselines_GT[i]?.[k] ?? 0)));
  });
}

/** Mean of the returns, weighted by softmax(similarity / temperature). */
function similarMean(vector: WordVector, vectors: readonly WordVector[], returns: readonly number[], temperature: number): number {
  const weights = vectors.map((other) => Math.exp((similarity(vector, other) - 1) / temperature));
  return sortedSum(weights.map((weight, j) => weight * (returns[j] ?? 0))) / sortedSum(weights);
}

/**
 * Above 1 for a pass, below 1 for a failure, the more so the rarer it is to pass or the commoner it is to pass. The paper has outcomes of 0
 * and 1; a reward between them stands as far between the two exponents.
 */
function polarWeight(outcome: number, passRate: number, { polarAlpha, polarBeta }: ProxmoOptions): number {
  const exponent = outcome * (1 - passRate) ** polarAlpha - (1 - outcome) * passRate ** polarAlpha;
  return 1 + polarBeta * (1 / (1 + Math.exp(-exponent)) - 0.5);
}

export const proxmo: Estimator<SettingsOf<"proxmo/1">> = {
  id: "proxmo/1",
  needs: ["turn-rewards", "observations"],
  promises: () => ({ zeroSum: null, scale: null }),
  objective: (settings) =>
    plusOutcome(1, ({ rewards_T, outcome }) => turnReturns(rewards_T, outcome, settings).map((value) => settings.omega * value)),
  estimate: (groups, settings) => proxmoAdvantages(groups, settings),
};
