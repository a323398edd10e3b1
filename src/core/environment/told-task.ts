// What can be said of a task that a file of rollouts tells only in part.
import type { GoldenTask, Task, ToldTask } from "#contracts/task.ts";

/** True when the file tells all that the reward depends on. */
export function isTold(task: ToldTask): task is GoldenTask {
  return !task.alsoGradedBy && isGolden(task);
}

/** True when all is there that a pure environment grades by. */
function isGolden(task: Task): task is GoldenTask {
  return task.userId !== null && task.goldenActions !== null && task.outputs !== null && task.difficulty !== null;
}

/** The task of a pure environment, whose tasks are all golden. */
export function requireGolden(task: Task): GoldenTask {
  if (!isGolden(task)) throw new Error(`task ${task.id} of a pure environment has no golden actions`);
  return task;
}

/**
 * The task as far as a replay can grade it, or why none can. Outputs that nobody told are left out: then the database alone grades, and
 * `isByDatabase` is true. Golden actions that nobody told cannot be replaced by anything.
 */
export type Gradeable = { readonly task: GoldenTask; readonly isByDatabase: boolean } | { readonly task: null; readonly why: string };

export function gradeable(told: ToldTask): Gradeable {
  if (isTold(told)) return { task: told, isByDatabase: false };
  const { userId, goldenActions, outputs, difficulty, alsoGradedBy, ...rest } = told;
  if (goldenActions === null) return { task: null, why: "their golden actions are not told" };
  if (alsoGradedBy) return { task: null, why: `their reward takes ${alsoGradedBy}, which no replay knows` };
  const counted = difficulty ?? { numWrites: 0, numReads: 0 };
  return {
    task: { ...rest, userId: userId ?? "", goldenActions, outputs: outputs ?? [], difficulty: counted },
    isByDatabase: outputs === null,
  };
}
