// Means of tasks whose results hang together within a cluster (a user), and intervals for them. Closed forms, checked by simulation:
// docs/statistics.md has the coverage, docs/decisions/2026-11-30-intervals-over-clusters.md the choice.
import { studentQuantile } from "./beta.ts";

/** Sums of task values by cluster, and how many tasks each sum is of. One entry per cluster; no cluster is empty. */
export interface ClusterTotals {
  readonly sums: readonly number[];
  readonly sizes: readonly number[];
}

export interface Interval {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** Clusters in the order in which they first occur. */
export function totalsByCluster(rows: readonly { readonly cluster: string; readonly value: number }[]): ClusterTotals {
  const totals = new Map<string, { sum: number; size: number }>();
  for (const { cluster, value } of rows) {
    const { sum, size } = totals.get(cluster) ?? { sum: 0, size: 0 };
    totals.set(cluster, { sum: sum + value, size: size + 1 });
  }
  return { sums: [...totals.values()].map(({ sum }) => sum), sizes: [...totals.values()].map(({ size }) => size) };
}

export function meanOf({ sums, sizes }: ClusterTotals): number {
  return total(sums) / total(sizes);
}

/** Half the interval of a mean is this times its standard error: Student's t with one degree of freedom less than there are clusters. */
function criticalValue(numClusters: number, confidence: number): number {
  return cached(`${numClusters - 1} ${confidence}`, () => studentQuantile(1 - (1 - confidence) / 2, numClusters - 1));
}

/**
 * Standard error of the mean over tasks when clusters are what was drawn (the linearised ratio of sums: Cochran, Sampling Techniques,
 * 3rd ed., 9A.2). `step`: as if one more cluster stood off by so much; it keeps results that agree everywhere from looking certain.
 * Null for one cluster.
 */
export function standardError(totals: ClusterTotals, step = 0): number | null {
  const { sums, sizes } = totals;
  const numClusters = sums.length;
  if (numClusters < 2) return null;
  const mean = meanOf(totals);
  const squares = sums.reduce((all, sum, c) => all + (sum - mean * (sizes[c] ?? 0)) ** 2, step ** 2);
  return Math.sqrt((squares * numClusters) / (numClusters - 1)) / total(sizes);
}

/** Interval of a mean difference of shares, within [-1, 1]; `step` is the smallest difference that one task can show. */
export function differenceInterval(totals: ClusterTotals, step: number, confidence: number): Interval {
  const value = meanOf(totals);
  const error = standardError(totals, step);
  if (error === null) return { value, low: null, high: null };
  const half = criticalValue(totals.sums.length, confidence) * error;
  return { value, low: Math.max(-1, value - half), high: Math.min(1, value + half) };
}

/**
 * Interval of a mean of shares: Wilson's, with as many independent rollouts as would have this standard error (at most those that there
 * were; as many as clusters where all tasks agree) and Student's t (Dean and Pagano 2015, J. Surv. Stat. Methodol. 3, 484).
 */
export function shareInterval(totals: ClusterTotals, numRollouts: number, confidence: number): Interval {
  const value = Math.min(1, Math.max(0, meanOf(totals)));
  const error = standardError(totals);
  if (error === null) return { value, low: null, high: null };
  const numClusters = totals.sums.length;
  const spread = value * (1 - value);
  const effective = spread === 0 ? numClusters : Math.min(numRollouts, spread / error ** 2);
  const t = criticalValue(numClusters, confidence);
  const scale = 1 + t ** 2 / effective;
  const centre = (value + t ** 2 / (2 * effective)) / scale;
  const half = (t / scale) * Math.sqrt(spread / effective + t ** 2 / (4 * effective ** 2));
  return { value, low: Math.min(value, Math.max(0, centre - half)), high: Math.max(value, Math.min(1, centre + half)) };
}

/**
 * The difference that a two-sided test at 1 - confidence finds with the given chance when the spread over clusters is this one
 * (minimum detectable effect: Bloom 1995, Evaluation Review 19, 547). Null for one cluster.
 */
export function detectableDifference(totals: ClusterTotals, step: number, confidence: number, power: number): number | null {
  const error = standardError(totals, step);
  if (error === null) return null;
  const numClusters = totals.sums.length;
  return (criticalValue(numClusters, confidence) + studentQuantile(power, numClusters - 1)) * error;
}

function total(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

const quantiles = new Map<string, number>();

/** The testbed asks for the same few quantiles a million times. */
function cached(key: string, compute: () => number): number {
  const known = quantiles.get(key);
  if (known !== undefined) return known;
  const value = compute();
  quantiles.set(key, value);
  return value;
}
