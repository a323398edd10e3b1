// Bootstrap over clusters. Rollouts of one task are not independent, so whole tasks are drawn with replacement. Every statistic is
// a function of sums over tasks; the sums of a task are computed once and a resample only adds rows.
import { createIndexGenerator } from "../random.ts";
import { deriveSeed } from "../rng.ts";

/** Row-major numbers, one row of sums per cluster. */
export interface ClusterSums {
  readonly rows: Float64Array;
  readonly numRows: number;
  readonly width: number;
}

export interface BootstrapOptions {
  readonly resamples: number;
  readonly confidence: number;
  readonly seed: string;
}

/** A statistic that is not defined is null, and so is an interval that too few resamples define. */
export interface BootstrapEstimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Writes `numStatistics` numbers into `out`; NaN says that a statistic is not defined for these sums. */
export type Statistics = (sums: Float64Array, out: Float64Array) => void;

/** An interval needs this share of resamples in which its statistic is defined. */
const MIN_DEFINED_SHARE = 0.9;

/**
 * Point values over all clusters, with percentile intervals over resamples of clusters.
 * Deterministic in the seed; independent of row order when the caller orders the rows canonically.
 */
export function bootstrap(
  sums: ClusterSums,
  numStatistics: number,
  statistics: Statistics,
  options: BootstrapOptions,
): BootstrapEstimate[] {
  const point = new Float64Array(numStatistics);
  const live = liveColumns(sums);
  statistics(addRows(live, new Float64Array(sums.numRows).fill(1)), point);
  const draws = resample(live, numStatistics, statistics, options);
  return Array.from(point, (value, s) => {
    if (Number.isNaN(value)) return { value: null, low: null, high: null };
    const interval =
      sums.numRows > 1 ? percentiles(draws.subarray(s * options.resamples, (s + 1) * options.resamples), options.confidence) : null;
    return { value, low: interval?.low ?? null, high: interval?.high ?? null };
  });
}

/** The interval of draws, or null when too few of them are defined. Sorts the draws in place. */
function percentiles(draws: Float64Array, confidence: number): { low: number; high: number } | null {
  draws.sort(); // NaN goes to the end
  let numDefined = draws.length;
  while (numDefined > 0 && Number.isNaN(draws[numDefined - 1])) numDefined -= 1;
  if (numDefined < MIN_DEFINED_SHARE * draws.length) return null;
  const sorted = draws.subarray(0, numDefined);
  const tail = (1 - confidence) / 2;
  return { low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
}

/** Quantile of sorted numbers with linear interpolation between them. */
export function quantile(sorted: Float64Array, probability: number): number {
  const position = probability * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  return low + (position - below) * (high - low);
}

/** Sums without the columns that are 0 in every row: tiers that never occur cost nothing. */
interface LiveColumns extends ClusterSums {
  /** Where each column stood. */
  readonly columns: readonly number[];
  /** Scratch: the sums in their places, the others 0. */
  readonly total: Float64Array;
}

function liveColumns({ rows, numRows, width }: ClusterSums): LiveColumns {
  const isLive = new Uint8Array(width);
  for (const [position, value] of rows.entries()) if (value !== 0) isLive[position % width] = 1;
  const columns = Array.from(isLive.keys()).filter((column) => isLive[column] === 1);
  const live = new Float64Array(numRows * columns.length);
  for (let row = 0; row < numRows; row += 1) {
    for (const [position, column] of columns.entries()) live[row * columns.length + position] = rows[row * width + column] ?? 0;
  }
  return { rows: live, numRows, width: columns.length, columns, total: new Float64Array(width) };
}

/** Statistics of every resample, statistic-major. */
function resample(live: LiveColumns, numStatistics: number, statistics: Statistics, options: BootstrapOptions): Float64Array {
  const generator = createIndexGenerator(deriveSeed(options.seed, "bootstrap"));
  const draws = new Float64Array(numStatistics * options.resamples);
  const out = new Float64Array(numStatistics);
  const weights = new Float64Array(live.numRows);
  for (let draw = 0; draw < options.resamples; draw += 1) {
    weights.fill(0);
    for (let i = 0; i < live.numRows; i += 1) {
      const row = generator.nextIndex(live.numRows);
      weights[row] = (weights[row] ?? 0) + 1;
    }
    statistics(addRows(live, weights), out);
    for (let s = 0; s < numStatistics; s += 1) draws[s * options.resamples + draw] = out[s] ?? Number.NaN;
  }
  return draws;
}

/** Rows times their weights, added up; the result is overwritten by the next call. */
function addRows({ rows, numRows, width, columns, total }: LiveColumns, weights: Float64Array): Float64Array {
  const sums = new Float64Array(width);
  for (let row = 0; row < numRows; row += 1) {
    const weight = weights[row] as number;
    if (weight === 0) continue;
    const start = row * width;
    for (let column = 0; column < width; column += 1) {
      sums[column] = (sums[column] as number) + weight * (rows[start + column] as number);
    }
  }
  for (let column = 0; column < width; column += 1) total[columns[column] as number] = sums[column] as number;
  return total;
}
