// What `calibrate` and `advantages` print with `--by policy`: the report of each policy, as if its rollouts alone had been given.
import { z } from "zod";
import { AdvantagesReport } from "./advantages-report.ts";
import { CalibrationReport } from "./calibration-report.ts";
import { RolloutReading } from "./rollout-reading.ts";

const head = {
  schemaVersion: z.literal(1),
  by: z.literal("policy"),
  reading: RolloutReading.describe("of all files; what was left out belongs to no policy"),
};

export const CalibrationsByPolicy = z
  .strictObject({ ...head, policies: z.record(z.string(), CalibrationReport) })
  .meta({ id: "CalibrationsByPolicy" });
export type CalibrationsByPolicy = z.infer<typeof CalibrationsByPolicy>;

export const AdvantagesByPolicy = z
  .strictObject({ ...head, policies: z.record(z.string(), AdvantagesReport) })
  .meta({ id: "AdvantagesByPolicy" });
export type AdvantagesByPolicy = z.infer<typeof AdvantagesByPolicy>;
