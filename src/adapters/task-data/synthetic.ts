// The built-in synthetic airline as a data source. Nothing is read: the seed is the data.
import type { TaskSet } from "#core/environment/environment.ts";
import { createSyntheticAirline } from "#environments/synthetic-airline/airline.ts";

/** Task sets by seed: generated once a process, since they are immutable. */
const taskSets = new Map<number, TaskSet>();

export function loadSyntheticAirline(seed: number): TaskSet {
  const taskSet = taskSets.get(seed) ?? (createSyntheticAirline(seed) as TaskSet);
  taskSets.set(seed, taskSet);
  return taskSet;
}
