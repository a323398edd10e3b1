// What doing nothing passes, of the tasks of committed groups: computed in a pure environment, measured with the group in any other.
import type { GroupManifest, RolloutPurpose } from "#contracts/manifests.ts";
import type { Task } from "#contracts/task.ts";
import { idleShare, passesUntouched } from "#core/environment/do-nothing-floor.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import { requireGolden } from "#core/environment/told-task.ts";
import { tasksById } from "./campaign.ts";

/** Null where it is not known. */
export function groupPassesIdle({ environment }: TaskSet, task: Task, { passesIdle }: GroupManifest): boolean | null {
  return environment === null ? (passesIdle ?? null) : passesUntouched(environment, requireGolden(task));
}

/** Share of the groups' tasks that are passed by doing nothing; null where one is not known. */
export function idleFloor(taskSet: TaskSet, purpose: RolloutPurpose, groups: readonly GroupManifest[]): number | null {
  const tasks = tasksById(taskSet, purpose);
  return idleShare(
    groups.flatMap((group) => {
      const task = tasks.get(group.taskId);
      return task === undefined ? [] : [groupPassesIdle(taskSet, task, group)];
    }),
  );
}

/** Left out where it is not known. */
export function floorMetric(prefix: string, floor: number | null): Record<string, number> {
  return floor === null ? {} : { [`${prefix}/do_nothing_floor`]: floor };
}
