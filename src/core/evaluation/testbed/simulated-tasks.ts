// Tasks of users and policies that pass them with known chances. Every draw is from a table of equally likely values, so a true pass
// rate is the mean over the tables and not an estimate.
import { formatDecimal } from "../../format.ts";
import type { IndexGenerator } from "../../random.ts";
import { betaQuantile } from "../../statistics/beta.ts";
import type { ClusterTotals } from "../../statistics/cluster-mean.ts";
import { normalQuantile } from "../../statistics/normal.ts";

/**
 * Difficulty of tasks: a beta distribution near the published gpt-4o run on tau-bench airline: its pass^1 to pass^4 are 0.420, 0.287,
 * 0.225, 0.187; the run has 0.420, 0.273, 0.220, 0.200.
 */
const DIFFICULTY = { alpha: 0.504, beta: 0.696 } as const;
/** A task takes over its user's difficulty, and what a policy gains or loses on that user, with this chance each. */
const SHARED_WITH_USER = 0.5;

const midpoints = (count: number) => Array.from({ length: count }, (_, i) => (i + 0.5) / count);
const LOG_ODDS = midpoints(1024).map((probability) => {
  const rate = betaQuantile(probability, DIFFICULTY.alpha, DIFFICULTY.beta);
  return Math.log(rate / (1 - rate));
});
const NORMAL = midpoints(128).map(normalQuantile);

export interface SimulatedPolicy {
  /** Log-odds of passing, on every task alike, relative to the base policy. */
  readonly effect: number;
  /** Standard deviation of what it gains or loses on single tasks, in log-odds. */
  readonly reshuffling: number;
}

export interface SimulatedTasks {
  /** Log-odds that the base policy passes, by task. */
  readonly logOdds: readonly number[];
  /** Cluster by task: whole numbers from 0 without a gap. */
  readonly clusters: readonly number[];
  readonly numClusters: number;
}

/** Tasks of users that are drawn at random, so that users have different numbers of tasks, as in every benchmark. */
export function drawTasks(numTasks: number, tasksPerUser: number, { nextIndex }: IndexGenerator): SimulatedTasks {
  const numUsers = Math.max(1, Math.round(numTasks / tasksPerUser));
  const difficultyOfUser = Array.from({ length: numUsers }, () => nextIndex(LOG_ODDS.length));
  const numbers = new Map<number, number>();
  const logOdds: number[] = [];
  const clusters: number[] = [];
  for (let task = 0; task < numTasks; task += 1) {
    const user = tasksPerUser === 1 ? task : nextIndex(numUsers);
    const own = nextIndex(LOG_ODDS.length);
    logOdds.push(LOG_ODDS[isShared(nextIndex) ? (difficultyOfUser[user] ?? own) : own] ?? 0);
    const cluster = numbers.get(user) ?? numbers.size;
    numbers.set(user, cluster);
    clusters.push(cluster);
  }
  return { logOdds, clusters, numClusters: numbers.size };
}

/** Pass rates of a policy on tasks, by task: shares of `trials`. */
export function measure(policy: SimulatedPolicy, tasks: SimulatedTasks, trials: number, { nextIndex }: IndexGenerator): number[] {
  const ofUser = Array.from({ length: tasks.numClusters }, () => nextIndex(NORMAL.length));
  const deviationOn = (task: number) => {
    if (policy.reshuffling === 0) return 0;
    const own = nextIndex(NORMAL.length);
    return policy.reshuffling * (NORMAL[isShared(nextIndex) ? (ofUser[tasks.clusters[task] ?? 0] ?? own) : own] ?? 0);
  };
  return tasks.logOdds.map((logOdds, task) => {
    const limit = chance(logOdds + policy.effect + deviationOn(task)) * RESOLUTION;
    let numPasses = 0;
    for (let trial = 0; trial < trials; trial += 1) if (nextIndex(RESOLUTION) < limit) numPasses += 1;
    return numPasses / trials;
  });
}

/** How much easier than all tasks these happened to be, as a share: 0 on average, whatever is done with them. */
export function luckOfTheDraw(tasks: SimulatedTasks): number {
  const expected = tasks.logOdds.reduce((sum, logOdds) => sum + chance(logOdds), 0) / tasks.logOdds.length;
  return expected - truePassRate({ effect: 0, reshuffling: 0 });
}

/** Pass rate over all tasks that could be drawn. */
export function truePassRate({ effect, reshuffling }: SimulatedPolicy): number {
  const key = `${formatDecimal(effect, 6)} ${reshuffling}`;
  const known = truths.get(key);
  if (known !== undefined) return known;
  const deviations = reshuffling === 0 ? [0] : NORMAL;
  let sum = 0;
  for (const logOdds of LOG_ODDS) for (const deviation of deviations) sum += chance(logOdds + effect + reshuffling * deviation);
  const rate = sum / (LOG_ODDS.length * deviations.length);
  truths.set(key, rate);
  return rate;
}
const truths = new Map<string, number>();

/** Sums of task values by cluster. */
export function totalsOf(tasks: SimulatedTasks, valueAt: (task: number) => number): ClusterTotals {
  const sums = new Array<number>(tasks.numClusters).fill(0);
  const sizes = new Array<number>(tasks.numClusters).fill(0);
  for (const [task, cluster] of tasks.clusters.entries()) {
    sums[cluster] = (sums[cluster] ?? 0) + valueAt(task);
    sizes[cluster] = (sizes[cluster] ?? 0) + 1;
  }
  return { sums, sizes };
}

const RESOLUTION = 2 ** 30;

function isShared(nextIndex: IndexGenerator["nextIndex"]): boolean {
  return nextIndex(RESOLUTION) < SHARED_WITH_USER * RESOLUTION;
}

function chance(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}
