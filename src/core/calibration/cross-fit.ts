// Cross-fitting: every task is judged, by a table that was fitted without it. All pairs of the buffer count as evidence; what is judged
// is the rule that makes the tables rather than one table of it.
import type { RewardTable } from "#contracts/reward-table.ts";
import type { ClusterSums } from "../statistics/bootstrap.ts";
import type { TaskRollouts } from "./buffer.ts";
import { type FitInput, fitInRounds } from "./fit-in-rounds.ts";
import { type SumsLayout, tableOffset, taskSums } from "./task-sums.ts";
import { turnAdvantages } from "./turn-advantages.ts";

/** Tasks by position, and the table that was fitted on all others. */
export interface Fold {
  readonly positions: readonly number[];
  readonly fitted: RewardTable;
}

/** One table per fold. None when a single fold leaves nothing to fit on. */
export function crossFit(input: FitInput, tasks: readonly TaskRollouts[], folds: readonly number[]): Fold[] {
  const numFolds = new Set(folds).size;
  if (numFolds < 2) return [];
  return Array.from({ length: numFolds }, (_, fold) => ({
    positions: [...tasks.keys()].filter((position) => folds[position] === fold),
    fitted: fitInRounds(
      input,
      tasks.filter((_task, position) => folds[position] !== fold),
    ).table,
  }));
}

/** Rows of all tasks, each under the tables that `layoutOf` makes of its fold's fitted one. No rows without folds. */
export function crossFittedRows(
  { advantage }: FitInput,
  tasks: readonly TaskRollouts[],
  folds: readonly Fold[],
  layoutOf: (fitted: RewardTable) => SumsLayout,
): ClusterSums {
  const [first] = folds;
  if (first === undefined) return { rows: new Float64Array(0), numRows: 0, width: 0 };
  const layout = layoutOf(first.fitted);
  const width = tableOffset(layout, layout.tables.length);
  const rows = new Float64Array(tasks.length * width);
  for (const { positions, fitted } of folds) {
    const members = positions.map((position) => tasks[position] as TaskRollouts);
    const ofFold = layoutOf(fitted);
    const advantages = ofFold.tables.map((table) => turnAdvantages(members, table, advantage));
    const sums = taskSums(members, ofFold, advantages);
    for (const [row, position] of positions.entries()) rows.set(sums.rows.subarray(row * width, (row + 1) * width), position * width);
  }
  return { rows, numRows: tasks.length, width };
}
