// Everything calibration needs to know about a task, as one row of sums: statistics of any set of tasks, and of any bootstrap
// resample of them, follow from adding rows. This file says what the columns are and fills them; statistics.ts reads them.

import type { RewardTable } from "#contracts/reward-table.ts";
import { DEAD_ADVANTAGE } from "../advantage/compute-advantages.ts";
import type { LabelledRollout } from "../reward/label-rollout.ts";
import type { ClusterSums } from "../statistics/bootstrap.ts";
import type { TaskRollouts } from "./buffer.ts";
import type { TurnAdvantages } from "./turn-advantages.ts";

/**
 * Columns of the buffer, o being what a rollout earned: 1 or 0 where the environment grades by pass alone. `o` and `o2` are sums over rollouts
 * of it and of its square, `turnO` and `turnO2` over turns; `oo` is the sum of squared deviations from task means; `pairs` are two rollouts of
 * a task that earned unequally.
 */
export const BUFFER = {
  rollouts: 0,
  passes: 1,
  oo: 2,
  turns: 3,
  passingTurns: 4,
  pairs: 5,
  mixedTasks: 6,
  o: 7,
  o2: 8,
  turnO: 9,
  turnO2: 10,
} as const;
const BUFFER_WIDTH = 11;
/** Columns per tier, x being its presence in a rollout. `xx` and `xo` are sums of (products of) deviations from task means. */
export const TIER = { turns: 0, rollouts: 1, passingRollouts: 2, xx: 3, xo: 4, passingTurns: 5, support: 6, o: 7 } as const;
const TIER_WIDTH = 8;
/** Columns per reward table; r is the mean turn reward of a rollout, a the advantage of a turn under the estimator in use. */
export const TABLE = {
  intendedTurns: 0,
  wrongTurns: 1,
  deadTurns: 2,
  a: 3,
  aa: 4,
  ao: 5,
  r: 6,
  rr: 7,
  ro: 8,
  rrWithin: 9,
  roWithin: 10,
  wins: 11,
} as const;
const TABLE_WIDTH = 12;
/** Columns per reward table and tier: sums of advantages over the tier's turns, and of |a| x tokens. */
export const TABLE_TIER = { immediate: 0, proxy: 1, summed: 2, estimator: 3, gradient: 4 } as const;
const TABLE_TIER_WIDTH = 5;

/** A mean advantage no larger than this has no sign. */
const NO_SIGN = 1e-8;
/** Mean turn rewards that differ by no more than this are tied: sums of the same tiers in another order. */
const TIE = 1e-9;

export interface SumsLayout {
  readonly tiers: readonly string[];
  readonly tables: readonly RewardTable[];
  /** Tiers that are counted as another one; a tier that is neither here nor in `tiers` is not counted. */
  readonly standsFor?: ReadonlyMap<string, string>;
}

/** Position of the column that counts a tier; undefined when none does. */
function columnsOf({ tiers, standsFor }: SumsLayout): (tier: string) => number | undefined {
  const columns = new Map(tiers.map((tier, index) => [tier, index]));
  for (const [tier, other] of standsFor ?? []) {
    const column = columns.get(other);
    if (column !== undefined) columns.set(tier, column);
  }
  return (tier) => columns.get(tier);
}

export function tierOffset(tier: number): number {
  return BUFFER_WIDTH + tier * TIER_WIDTH;
}
export function tableOffset(layout: SumsLayout, table: number): number {
  return BUFFER_WIDTH + layout.tiers.length * TIER_WIDTH + table * (TABLE_WIDTH + layout.tiers.length * TABLE_TIER_WIDTH);
}
export function tableTierOffset(layout: SumsLayout, table: number, tier: number): number {
  return tableOffset(layout, table) + TABLE_WIDTH + tier * TABLE_TIER_WIDTH;
}

/** One row per task. `advantages` are those of the layout's tables, in order; with no tables there are only the columns of buffer and tiers. */
export function taskSums(tasks: readonly TaskRollouts[], layout: SumsLayout, advantages: readonly TurnAdvantages[] = []): ClusterSums {
  const width = tableOffset(layout, layout.tables.length);
  const rows = new Float64Array(tasks.length * width);
  const columnOf = columnsOf(layout);
  const rowOf = (position: number) => rows.subarray(position * width, (position + 1) * width);
  for (const [p, task] of tasks.entries()) {
    addBuffer(task.rollouts, rowOf(p));
    addTiers(task.rollouts, layout, columnOf, rowOf(p));
  }
  for (const [t, table] of layout.tables.entries()) {
    const context = { layout, table, t, columnOf, advantages: advantages[t] as TurnAdvantages };
    for (const [p, task] of tasks.entries()) addTable(task.rollouts, p, context, rowOf(p));
  }
  return { rows, numRows: tasks.length, width };
}

/** The rows of the chosen tasks. */
export function selectRows(sums: ClusterSums, isChosen: (row: number) => boolean): ClusterSums {
  const chosen = Array.from({ length: sums.numRows }, (_, row) => row).filter(isChosen);
  const rows = new Float64Array(chosen.length * sums.width);
  for (const [position, row] of chosen.entries())
    rows.set(sums.rows.subarray(row * sums.width, (row + 1) * sums.width), position * sums.width);
  return { rows, numRows: chosen.length, width: sums.width };
}

/** The sums over all rows. */
export function sumRows({ rows, numRows, width }: ClusterSums): Float64Array {
  const total = new Float64Array(width);
  for (let row = 0; row < numRows; row += 1)
    for (let column = 0; column < width; column += 1) add(total, column, rows[row * width + column] ?? 0);
  return total;
}

function add(row: Float64Array, column: number, value: number): void {
  row[column] = (row[column] ?? 0) + value;
}

function addBuffer(rollouts: readonly LabelledRollout[], row: Float64Array): void {
  const passes = rollouts.filter((rollout) => rollout.outcome === 1).length;
  const fails = rollouts.length - passes;
  add(row, BUFFER.rollouts, rollouts.length);
  add(row, BUFFER.passes, passes);
  add(row, BUFFER.pairs, countUnequal(rollouts.map(earned)));
  add(row, BUFFER.mixedTasks, passes > 0 && fails > 0 ? 1 : 0);
  for (const rollout of rollouts) {
    const [o, numTurns] = [earned(rollout), rollout.turns.length];
    add(row, BUFFER.turns, numTurns);
    add(row, BUFFER.passingTurns, rollout.outcome * numTurns);
    add(row, BUFFER.o, o);
    add(row, BUFFER.o2, o * o);
    add(row, BUFFER.turnO, o * numTurns);
    add(row, BUFFER.turnO2, o * o * numTurns);
  }
  const o = row[BUFFER.o] ?? 0;
  add(row, BUFFER.oo, (row[BUFFER.o2] ?? 0) - (o * o) / rollouts.length);
}

/** What a rollout earned, in [0, 1]. */
const earned = ({ outcome, reward = outcome }: LabelledRollout): number => reward;

/** Pairs of values that are not equal. */
function countUnequal(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const numEqual = [...counts.values()].reduce((total, count) => total + count * count, 0);
  return (values.length * values.length - numEqual) / 2;
}

function addTiers(
  rollouts: readonly LabelledRollout[],
  { tiers }: SumsLayout,
  columnOf: TableContext["columnOf"],
  row: Float64Array,
): void {
  for (const rollout of rollouts) {
    for (const column of presentColumns(rollout, columnOf)) {
      const offset = tierOffset(column);
      add(row, offset + TIER.rollouts, 1);
      add(row, offset + TIER.passingRollouts, rollout.outcome);
      add(row, offset + TIER.o, earned(rollout));
    }
    for (const turn of rollout.turns) {
      const column = columnOf(turn.tier);
      if (column === undefined) continue;
      const offset = tierOffset(column);
      add(row, offset + TIER.turns, 1);
      add(row, offset + TIER.passingTurns, rollout.outcome);
    }
  }
  for (const column of tiers.keys()) addDeviations(rollouts.length, tierOffset(column), row);
}

/** Deviations of presence from the task mean follow from its sums, since presence is 0 or 1. */
function addDeviations(numRollouts: number, offset: number, row: Float64Array): void {
  const present = row[offset + TIER.rollouts] ?? 0;
  add(row, offset + TIER.xx, present - (present * present) / numRollouts);
  add(row, offset + TIER.xo, (row[offset + TIER.o] ?? 0) - (present * (row[BUFFER.o] ?? 0)) / numRollouts);
  const varies = present > 0 && present < numRollouts && (row[BUFFER.pairs] ?? 0) > 0;
  add(row, offset + TIER.support, varies ? numRollouts : 0);
}

/** Columns of the tiers that occur in a rollout, those of every call of a turn included. */
function presentColumns(rollout: LabelledRollout, columnOf: TableContext["columnOf"]): Set<number> {
  const columns = new Set<number>();
  const note = (tier: string) => {
    const column = columnOf(tier);
    if (column !== undefined) columns.add(column);
  };
  for (const turn of rollout.turns) {
    note(turn.tier);
    for (const call of turn.callTiers) note(call.tier);
  }
  return columns;
}

interface TableContext {
  readonly layout: SumsLayout;
  readonly table: RewardTable;
  readonly t: number;
  readonly columnOf: (tier: string) => number | undefined;
  readonly advantages: TurnAdvantages;
}

function addTable(rollouts: readonly LabelledRollout[], p: number, context: TableContext, row: Float64Array): void {
  const meanRewards = rollouts.map((_, i) => mean(context.advantages.rewards[p]?.[i] ?? []));
  addRolloutRewards(rollouts, meanRewards, tableOffset(context.layout, context.t), row);
  for (const [i, rollout] of rollouts.entries()) addTurns(rollout, p, i, context, row);
}

function addRolloutRewards(rollouts: readonly LabelledRollout[], meanRewards: readonly number[], offset: number, row: Float64Array): void {
  const meanEarned = mean(rollouts.map(earned));
  const taskMean = mean(meanRewards);
  rollouts.forEach((rollout, i) => {
    const r = meanRewards[i] ?? 0;
    add(row, offset + TABLE.r, r);
    add(row, offset + TABLE.rr, r * r);
    add(row, offset + TABLE.ro, r * earned(rollout));
    add(row, offset + TABLE.rrWithin, (r - taskMean) ** 2);
    add(row, offset + TABLE.roWithin, (r - taskMean) * (earned(rollout) - meanEarned));
  });
  add(row, offset + TABLE.wins, countWins(rollouts, meanRewards));
}

/** Pairs of rollouts that earned unequally in which the one that earned more has the larger mean turn reward; ties count one half. */
function countWins(rollouts: readonly LabelledRollout[], meanRewards: readonly number[]): number {
  const levels = [...Map.groupBy(meanRewards.keys(), (i) => earned(rollouts[i] as LabelledRollout))].sort(([a], [b]) => a - b);
  let wins = 0;
  let worse = new Float64Array(0);
  for (const [, members] of levels) {
    const rewards = members.map((i) => meanRewards[i] ?? 0);
    for (const r of rewards) {
      const below = countAtMost(worse, r - TIE);
      wins += below + (countAtMost(worse, r + TIE) - below) / 2;
    }
    worse = Float64Array.from([...worse, ...rewards]).sort();
  }
  return wins;
}

/** How many of the sorted values are at most `limit`. */
function countAtMost(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function addTurns(rollout: LabelledRollout, p: number, i: number, context: TableContext, row: Float64Array): void {
  const { layout, table, t, columnOf, advantages } = context;
  const immediate_T = advantages.immediate[p]?.[i] ?? [];
  const estimator_T = advantages.estimator[p]?.[i] ?? [];
  const outcome = advantages.lambda * (advantages.outcome[p]?.[i] ?? 0);
  const offset = tableOffset(layout, t);
  let later = 0;
  for (let k = rollout.turns.length - 1; k >= 0; k -= 1) {
    const column = columnOf(rollout.turns[k]?.tier ?? "");
    const immediate = immediate_T[k] ?? 0;
    const a = estimator_T[k] ?? 0;
    later += immediate;
    add(row, offset + TABLE.deadTurns, Math.abs(a) <= DEAD_ADVANTAGE ? 1 : 0);
    add(row, offset + TABLE.a, a);
    add(row, offset + TABLE.aa, a * a);
    add(row, offset + TABLE.ao, a * earned(rollout));
    if (column === undefined) continue;
    const tierColumns = tableTierOffset(layout, t, column);
    add(row, tierColumns + TABLE_TIER.immediate, immediate);
    add(row, tierColumns + TABLE_TIER.proxy, immediate + outcome);
    add(row, tierColumns + TABLE_TIER.summed, later + outcome);
    add(row, tierColumns + TABLE_TIER.estimator, a);
    add(row, tierColumns + TABLE_TIER.gradient, Math.abs(a) * (rollout.numTokensPerTurn?.[k] ?? 1));
    const intended = table.intendedSigns[layout.tiers[column] ?? ""] ?? 0;
    if (intended === 0) continue;
    add(row, offset + TABLE.intendedTurns, 1);
    add(row, offset + TABLE.wrongTurns, signOf(a) === intended ? 0 : 1);
  }
}

/** -1, 0 or 1; values that are all but 0 have no sign. */
export function signOf(value: number): -1 | 0 | 1 {
  if (Math.abs(value) <= NO_SIGN) return 0;
  return value > 0 ? 1 : -1;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((total, value) => total + value, 0) / values.length;
}
