import type { Task } from "#contracts/task.ts";

/**
 * The cluster of a task for intervals and permutations: tasks of one user stand or fall together, a task whose user is not known (imported
 * rollouts) stands for itself. Two tasks are of one cluster when their names are equal.
 */
export function clusterOf({ id, userId }: Pick<Task, "id" | "userId">): string {
  return userId === null || userId === "" ? `task ${id}` : `user ${userId}`;
}
