import type { Task } from "#contracts/task.ts";
import type { Environment } from "./environment.ts";

/** Share of tasks, 0 to 1, that an agent passes by saying nothing and calling nothing. 0 for no tasks. */
export function doNothingFloor<State>(environment: Environment<State>, tasks: readonly Task[]): number {
  if (tasks.length === 0) return 0;
  return tasks.filter((task) => environment.grade(environment.reset(), task, []).reward === 1).length / tasks.length;
}
