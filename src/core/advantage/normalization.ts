// z-scores of sets of numbers, with the edge cases of methods.md 13.2 decided once: small sets, no variance, missing turns.
// Dimensions: G = member of a group, T = turn (ragged). Values are sorted before they are summed, so order never changes a digit.

import { sorted, sumOf } from "./sorted-sum.ts";

/** Sets whose values differ by no more than this have no variance: their z-scores are exactly 0, not rounding noise over epsilon. */
const ZERO_RANGE = 1e-9;

export interface Normalization {
  /** 1: sample deviation, 0: population deviation. */
  readonly ddof: 0 | 1;
  /** Added to the deviation. */
  readonly epsilon: number;
  /** Smaller sets give 0. */
  readonly minSetSize: number;
  /** What a set of one gives: 0, or the raw value as verl does. */
  readonly singletons: "zero" | "raw";
}

export interface TurnNormalization extends Normalization {
  /** Turns that a shorter trajectory never reached: left out of the statistics, or counted as 0. */
  readonly missingTurns: "leave-out" | "zero";
}

/** What happened to the sets of one computation. */
export interface SetCounts {
  readonly numSetsBySize: Map<number, number>;
  numSingletons: number;
  numZeroVariance: number;
  numTooSmall: number;
}

export function createSetCounts(): SetCounts {
  return { numSetsBySize: new Map(), numSingletons: 0, numZeroVariance: 0, numTooSmall: 0 };
}

/** (x - mean) / (deviation + epsilon) for each value, in the given order. Values must be finite. */
export function zScores(values: readonly number[], options: Normalization, counts: SetCounts): number[] {
  countSet(values.length, counts);
  if (values.length === 1 && options.singletons === "raw") return [(values[0] ?? 0) / (1 + options.epsilon)];
  if (values.length < options.minSetSize) {
    counts.numTooSmall += 1;
    return values.map(() => 0);
  }
  const { mean, deviation, range } = moments(values, options.ddof);
  if (range <= ZERO_RANGE) {
    counts.numZeroVariance += 1;
    return values.map(() => 0);
  }
  return values.map((value) => (value - mean) / (deviation + options.epsilon));
}

/** Value minus the mean of the set, without the division (Dr. GRPO, arXiv:2503.20783). Same edge cases. */
export function centered(values: readonly number[], options: Normalization, counts: SetCounts): number[] {
  countSet(values.length, counts);
  if (values.length < options.minSetSize) {
    counts.numTooSmall += 1;
    return values.map(() => 0);
  }
  const { mean, range } = moments(values, options.ddof);
  if (range <= ZERO_RANGE) counts.numZeroVariance += 1;
  return values.map((value) => (range <= ZERO_RANGE ? 0 : value - mean));
}

/** z-scores over the members that have a turn at the same index, for every turn index. Ragged in, ragged out. */
export function zScoresByTurn(values_GT: readonly (readonly number[])[], options: TurnNormalization, counts: SetCounts): number[][] {
  const result_GT: number[][] = values_GT.map((values_T) => new Array<number>(values_T.length).fill(0));
  const numTurns = values_GT.reduce((most, values_T) => Math.max(most, values_T.length), 0);
  for (let turn = 0; turn < numTurns; turn += 1) {
    const members: number[] = [];
    const values: number[] = [];
    for (const [member, values_T] of values_GT.entries()) {
      if (turn >= values_T.length) continue;
      members.push(member);
      values.push(values_T[turn] as number);
    }
    if (options.missingTurns === "zero") while (values.length < values_GT.length) values.push(0);
    const scores = zScores(values, options, counts);
    for (const [position, member] of members.entries()) (result_GT[member] as number[])[turn] = scores[position] as number;
  }
  return result_GT;
}

/** z-scores over all turns of all members together. Ragged in, ragged out. */
export function zScoresTogether(values_GT: readonly (readonly number[])[], options: Normalization, counts: SetCounts): number[][] {
  const scores = zScores(values_GT.flat(), options, counts);
  return sliceLike(scores, values_GT);
}

/** Cuts a flat list into rows of the given lengths. */
export function sliceLike<Item>(flat: readonly Item[], shape: readonly { readonly length: number }[]): Item[][] {
  let end = 0;
  return shape.map(({ length }) => {
    end += length;
    return flat.slice(end - length, end);
  });
}

function countSet(size: number, counts: SetCounts): void {
  counts.numSetsBySize.set(size, (counts.numSetsBySize.get(size) ?? 0) + 1);
  if (size === 1) counts.numSingletons += 1;
}

function moments(values: readonly number[], ddof: 0 | 1): { mean: number; deviation: number; range: number } {
  const ordered = sorted(values);
  const mean = sumOf(ordered) / ordered.length;
  const squares = sumOf(ordered.map((value) => (value - mean) ** 2));
  const deviation = Math.sqrt(squares / Math.max(1, ordered.length - ddof));
  return { mean, deviation, range: (ordered.at(-1) ?? 0) - (ordered[0] ?? 0) };
}
