// What a benchmark's result file has no field for: which rollout this was. Exports leave it under `info.turnwise`, imports read it back.
import { Trajectory } from "#contracts/trajectory.ts";
import { fromPlain, type PyDict } from "#core/environment/python/values.ts";

export const Provenance = Trajectory.pick({
  taskId: true,
  environment: true,
  policy: true,
  simulator: true,
  seed: true,
  outcome: true,
  usage: true,
});
export type Provenance = Pick<Trajectory, "taskId" | "environment" | "policy" | "simulator" | "seed" | "outcome" | "usage">;

export const PROVENANCE_KEY = "turnwise";

export function provenanceOf(trajectory: Trajectory): PyDict {
  const { taskId, environment, policy, simulator, seed, outcome, usage } = trajectory;
  return fromPlain({ taskId, environment, policy, simulator, seed, outcome, usage }) as PyDict;
}
