// Whether a task is passed by an agent that says nothing and calls nothing: without that share a pass rate says little.
import type { Task } from "#contracts/task.ts";
import type { Environment } from "../environment/environment.ts";
import type { ToolCatalog } from "./label-trajectory.ts";

/** The kind of a task whose golden actions nobody told. */
export const UNKNOWN_KIND = "unknown";

/**
 * By grading the untouched database where the environment is at hand; with a catalog of tools alone, by the task having no golden write
 * and no required output. Null when the task's golden actions are not known.
 */
export function passesIdle(task: Task, environment: Environment | ToolCatalog): boolean | null {
  if (task.kind === UNKNOWN_KIND) return null;
  if ("reset" in environment) return environment.grade(environment.reset(), task, []).reward === 1;
  const changes = task.goldenActions.some(({ name }) => environment.isWrite(name) && !environment.isTerminal(name));
  return !changes && task.outputs.length === 0;
}
