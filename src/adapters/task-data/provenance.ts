// What a benchmark's result file has no field for: which rollout this was. Exports leave it under `info.turnwise`, imports read it back.
import { z } from "zod";
import type { ToldTask } from "#contracts/task.ts";
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
}).extend({
  task: z
    .strictObject({ userId: z.string(), alsoGradedBy: z.string().nullable() })
    .optional()
    .describe("what a task of the other benchmark has no field for; files of 0.2.0 do not say"),
});
export type Provenance = z.infer<typeof Provenance>;

export const PROVENANCE_KEY = "turnwise";

export function provenanceOf(trajectory: Trajectory, { userId, alsoGradedBy = null }: ToldTask): PyDict {
  const { taskId, environment, policy, simulator, seed, outcome, usage } = trajectory;
  return fromPlain({ taskId, environment, policy, simulator, seed, outcome, usage, task: { userId, alsoGradedBy } }) as PyDict;
}
