// Cross-fitting: every task is judged, by a table that was fitted without it. All pairs of the buffer count as evidence; what is judged
// is the rule that makes the tables rather than one table of it.
import type { RewardTable } from "#contracts/reward-table.ts";
import { tierScheme } from "../reward/tiers.ts";
import type { ClusterSums } from "../statistics/bootstrap.ts";
import type { TaskRollouts } from "./buffer.ts";
import { type FitInput, fitInRounds } from "./fit-in-rounds.ts";
import { type SumsLayout, tableOffset, taskSums } from "./task-sums.ts";
import { turnAdvantages } from "./turn-advantages.ts";

/**
 * Rows of all tasks under the tables given and, last, the table of their fold's complement. No rows when a single fold leaves nothing
 * to fit on.
 */
export function crossFittedRows(
  input: FitInput,
  tasks: readonly TaskRollouts[],
  folds: readonly number[],
  standing: readonly RewardTable[],
): ClusterSums {
  const numFolds = new Set(folds).size;
  const { tiers } = tierScheme(input.scheme);
  const width = tableOffset({ tiers, tables: [] }, standing.length + 1);
  if (numFolds < 2) return { rows: new Float64Array(0), numRows: 0, width };
  const rows = new Float64Array(tasks.length * width);
  for (let fold = 0; fold < numFolds; fold += 1) {
    const judged = [...tasks.keys()].filter((position) => folds[position] === fold);
    const fitted = fitInRounds(
      input,
      tasks.filter((_, position) => folds[position] !== fold),
    );
    const layout: SumsLayout = { tiers, tables: [...standing, fitted.table] };
    const members = judged.map((position) => tasks[position] as TaskRollouts);
    const sums = taskSums(
      members,
      layout,
      layout.tables.map((table) => turnAdvantages(members, table, input.advantage)),
    );
    for (const [row, position] of judged.entries()) rows.set(sums.rows.subarray(row * width, (row + 1) * width), position * width);
  }
  return { rows, numRows: tasks.length, width };
}
