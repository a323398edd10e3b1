// What a benchmark's result file has no field for: which rollout this was. Exports leave it under `info.turnwise`, imports read it back.
import type { ToldTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { fromPlain, type PyDict } from "#environments/tau/python/values.ts";

export const PROVENANCE_KEY = "turnwise";

export function provenanceOf(trajectory: Trajectory, { userId, alsoGradedBy = null }: ToldTask): PyDict {
  const { taskId, environment, policy, simulator, seed, outcome, usage } = trajectory;
  return fromPlain({ taskId, environment, policy, simulator, seed, outcome, usage, task: { userId, alsoGradedBy } }) as PyDict;
}
