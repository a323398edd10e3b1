// Whether a task is passed by an agent that says nothing and calls nothing: without that share a pass rate says little.
import type { ToldTask } from "#contracts/task.ts";
import type { Environment } from "../environment/environment.ts";
import { gradeable } from "../environment/told-task.ts";
import type { ToolCatalog } from "./label-trajectory.ts";

/**
 * By grading the untouched database where the environment is at hand; with a catalog of tools alone, by the task having no golden write
 * and no required output. Null when that is not known: golden actions or outputs that nobody told, a reward that takes more than both, or
 * a golden action of a tool that is not known to read or to write. One golden write or one required output is enough for false.
 */
export function passesIdle(task: ToldTask, environment: Environment | ToolCatalog): boolean | null {
  if (task.alsoGradedBy) return null;
  if (task.outputs !== null && task.outputs.length > 0) return false;
  const leavesDatabase = "reset" in environment ? passesUntouched(task, environment) : changesNothing(task, environment);
  return leavesDatabase === true && task.outputs === null ? null : leavesDatabase;
}

function passesUntouched(told: ToldTask, environment: Environment): boolean | null {
  const { task } = gradeable(told);
  return task === null ? null : environment.grade(environment.reset(), task, []).reward === 1;
}

function changesNothing({ goldenActions }: ToldTask, { isWrite, isTerminal, isKnown = () => true }: ToolCatalog): boolean | null {
  if (goldenActions === null) return null;
  const names = goldenActions.map(({ name }) => name).filter((name) => !isTerminal(name));
  if (names.some((name) => isWrite(name))) return false;
  return names.every((name) => isKnown(name)) ? true : null;
}
