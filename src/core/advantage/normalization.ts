// z-scores of sets of numbers, with the edge cases of methods.md 13.2 decided once: small sets, no variance, missing turns.
// Dimensions: G = member of a group, T = turn (ragged). Values are sorted before they are summed, so order never changes a digit.

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
export function zScoresByTurn(values_GT: readonly (readonly number[])[], options: Normalization, counts: SetCounts): number[][] {
  const result_GT: number[][] = values_GT.map((values_T) => new Array<number>(values_T.length).fill(0));
  const numTurns = values_GT.reduce((most, values_T) => Math.max(most, values_T.length), 0);
  for (let turn = 0; turn < numTurns; turn += 1) {
    const members = values_GT.flatMap((values_T, member) => (turn < values_T.length ? [member] : []));
    const present = members.map((member) => values_GT[member]?.[turn] ?? 0);
    const missing = options.missingTurns === "zero" ? new Array<number>(values_GT.length - members.length).fill(0) : [];
    const scores = zScores([...present, ...missing], options, counts);
    members.forEach((member, position) => {
      const row = result_GT[member];
      if (row !== undefined) row[turn] = scores[position] ?? 0;
    });
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
  const sorted = Float64Array.from(values).sort();
  const mean = sum(sorted) / sorted.length;
  const squares = sorted.map((value) => (value - mean) ** 2);
  const deviation = Math.sqrt(sum(squares) / Math.max(1, sorted.length - ddof));
  return { mean, deviation, range: (sorted.at(-1) ?? 0) - (sorted[0] ?? 0) };
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
