// What can be said of a task that a file of rollouts tells only in part.
import type { Task, ToldTask } from "#contracts/task.ts";

/** True when the file tells all that the reward depends on. */
export function isTold(task: ToldTask): task is Task {
  return task.goldenActions !== null && task.outputs !== null && task.difficulty !== null && !task.alsoGradedBy;
}

/**
 * The task as far as a replay can grade it, or why none can. Outputs that nobody told are left out: then the database alone grades, and
 * `isByDatabase` is true. Golden actions that nobody told cannot be replaced by anything.
 */
export type Gradeable = { readonly task: Task; readonly isByDatabase: boolean } | { readonly task: null; readonly why: string };

export function gradeable(told: ToldTask): Gradeable {
  if (isTold(told)) return { task: told, isByDatabase: false };
  const { goldenActions, outputs, difficulty, alsoGradedBy, ...rest } = told;
  if (goldenActions === null) return { task: null, why: "their golden actions are not told" };
  if (alsoGradedBy) return { task: null, why: `their reward takes ${alsoGradedBy}, which no replay knows` };
  const counted = difficulty ?? { numWrites: 0, numReads: 0 };
  return { task: { ...rest, goldenActions, outputs: outputs ?? [], difficulty: counted }, isByDatabase: outputs === null };
}
