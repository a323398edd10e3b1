import { z } from "zod";
import { Trajectory } from "./trajectory.ts";
import { StoredOutcome } from "./upcast/trajectory.ts";

/** Which rollout of ours an entry of a file was: what no format of files has a field for. */
export const Provenance = Trajectory.pick({
  taskId: true,
  environment: true,
  policy: true,
  simulator: true,
  seed: true,
  usage: true,
}).extend({
  outcome: StoredOutcome,
  task: z
    .strictObject({ userId: z.string(), alsoGradedBy: z.string().nullable() })
    .optional()
    .describe("what a task of the other benchmark has no field for; files of 0.2.0 do not say"),
});
export type Provenance = z.infer<typeof Provenance>;
