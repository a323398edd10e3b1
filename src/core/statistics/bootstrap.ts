// Bootstrap over clusters. Rollouts of one task are not independent, so whole tasks are drawn with replacement. Every statistic is
// a function of sums over tasks; the sums of a task are computed once and a resample only adds rows.
import { createIndexGenerator, type IndexGenerator } from "../random.ts";
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
  const everyRow = new Float64Array(live.width);
  addRows(live, [new Uint32Array(sums.numRows).fill(1)], [everyRow]);
  statistics(inPlace(live, everyRow), point);
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

/** Columns that are added up together. */
const STRIPE = 4;

/**
 * Sums without the columns that are 0 in every row: tiers that never occur cost nothing. The others lie in stripes of four columns,
 * row by row within a stripe, the last stripe filled up with 0; `width` is a multiple of four.
 */
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
  const liveWidth = Math.ceil(columns.length / STRIPE) * STRIPE;
  const live = new Float64Array(numRows * liveWidth);
  for (const [position, column] of columns.entries()) {
    const stripe = Math.floor(position / STRIPE) * STRIPE * numRows;
    for (let row = 0; row < numRows; row += 1) live[stripe + row * STRIPE + (position % STRIPE)] = rows[row * width + column] ?? 0;
  }
  return { rows: live, numRows, width: liveWidth, columns, total: new Float64Array(width) };
}

/** Resamples that are added up together: a stripe is fetched from memory once for all of them. The sums do not depend on it. */
const BLOCK = 16;

/** Statistics of every resample, statistic-major. */
function resample(live: LiveColumns, numStatistics: number, statistics: Statistics, options: BootstrapOptions): Float64Array {
  const generator = createIndexGenerator(deriveSeed(options.seed, "bootstrap"));
  const draws = new Float64Array(numStatistics * options.resamples);
  const out = new Float64Array(numStatistics);
  const weights = Array.from({ length: BLOCK }, () => new Uint32Array(live.numRows));
  const sums = Array.from({ length: BLOCK }, () => new Float64Array(live.width));
  for (let first = 0; first < options.resamples; first += BLOCK) {
    const block = weights.slice(0, options.resamples - first);
    for (const one of block) drawWeights(generator, one);
    addRows(live, block, sums);
    for (const [position] of block.entries()) {
      statistics(inPlace(live, sums[position] as Float64Array), out);
      for (let s = 0; s < numStatistics; s += 1) draws[s * options.resamples + first + position] = out[s] ?? Number.NaN;
    }
  }
  return draws;
}

/** How often each cluster is drawn when as many are drawn as there are. */
function drawWeights(generator: IndexGenerator, weights: Uint32Array): void {
  weights.fill(0);
  for (let i = 0; i < weights.length; i += 1) {
    const row = generator.nextIndex(weights.length);
    weights[row] = (weights[row] as number) + 1;
  }
}

/** Rows times their weights, added up in the order of rows: one sum per set of weights. Four columns at a time stay in registers. */
function addRows({ rows, numRows, width }: LiveColumns, weights: readonly Uint32Array[], sums: readonly Float64Array[]): void {
  for (let column = 0; column < width; column += STRIPE) {
    for (const [one, counts] of weights.entries())
      addStripe(rows.subarray(column * numRows), numRows, counts, sums[one] as Float64Array, column);
  }
}

function addStripe(stripe: Float64Array, numRows: number, counts: Uint32Array, sum: Float64Array, column: number): void {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let row = 0; row < numRows; row += 1) {
    const count = counts[row] as number;
    const at = row * STRIPE;
    a += count * (stripe[at] as number);
    b += count * (stripe[at + 1] as number);
    c += count * (stripe[at + 2] as number);
    d += count * (stripe[at + 3] as number);
  }
  [sum[column], sum[column + 1], sum[column + 2], sum[column + 3]] = [a, b, c, d];
}

/** The live columns in their places; overwritten by the next call. */
function inPlace({ columns, total }: LiveColumns, sums: Float64Array): Float64Array {
  for (let column = 0; column < columns.length; column += 1) total[columns[column] as number] = sums[column] as number;
  return total;
}
