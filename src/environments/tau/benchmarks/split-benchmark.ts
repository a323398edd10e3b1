// A benchmark's tasks as splits of a campaign. What the benchmark calls test stays the test; selection is held out of the rest, by user.
import type { GoldenTask } from "#contracts/task.ts";
import { holdOut, withoutUsersOf } from "#core/environment/split-by-user.ts";
import type { Splits } from "#core/environment/splits.ts";

/** The draw has the name that 0.1.0 gave it: the tasks that it held out are the test tasks of today. */
const TEST_USERS = { draw: "evaluation-users", key: "environment.testTasks" } as const;
const SELECTION_USERS = { draw: "selection-users", key: "environment.selectionTasks" } as const;

export interface HeldOutOptions {
  /** Tasks held out to measure the result. */
  readonly testTasks: number;
  /** Tasks held out from the others to choose the policy. */
  readonly selectionTasks: number;
  /** Which users these are; 1 when absent. */
  readonly seed?: number;
}

/** For a benchmark with one list of tasks. Throws config.invalid when users cannot be kept whole. */
export function splitOneList(tasks: readonly GoldenTask[], { testTasks, selectionTasks, seed = 1 }: HeldOutOptions): Splits<GoldenTask> {
  const { rest, held: test } = holdOut(tasks, testTasks, { ...TEST_USERS, seed });
  const { rest: train, held: selection } = holdOut(rest, selectionTasks, { ...SELECTION_USERS, seed });
  return { sft: [], train, selection, test };
}

/** A benchmark's own splits. `selection` is empty for one that has none. */
export interface BenchmarkSplits {
  readonly train: readonly GoldenTask[];
  readonly selection: readonly GoldenTask[];
  readonly test: readonly GoldenTask[];
}

export interface SelectionOptions {
  /** Tasks held out from the training tasks to choose the policy; null: those of the benchmark's own split for it. */
  readonly selectionTasks: number | null;
}

/** Tasks are left out of a split when their user is in one that measures more. Throws config.invalid when users cannot be kept whole. */
export function splitOwnSplits(own: BenchmarkSplits, { selectionTasks }: SelectionOptions): Splits<GoldenTask> {
  const { test } = own;
  const forTraining = withoutUsersOf(own.train, test);
  if (selectionTasks !== null) {
    const { rest: train, held: selection } = holdOut(forTraining, selectionTasks, { ...SELECTION_USERS, seed: 1 });
    return { sft: [], train, selection, test };
  }
  const selection = withoutUsersOf(own.selection, test);
  return { sft: [], train: withoutUsersOf(forTraining, selection), selection, test };
}
