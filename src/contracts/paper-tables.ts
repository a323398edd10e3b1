// The tables that `turnwise reproduce` prints.
import { z } from "zod";
import { SplitStatistics } from "./calibration-report.ts";
import { TierScheme } from "./reward-table.ts";
import { RolloutReading } from "./rollout-reading.ts";
import { TestbedReport } from "./testbed-report.ts";

export const HeldOutRow = z.strictObject({
  name: z.string(),
  scheme: TierScheme,
  discriminativeAccuracy: z.number().nullable(),
  discriminativeAccuracyError: z.number().nullable().describe("standard error of the mean over splits"),
  rewardOutcomePooled: z.number().nullable(),
  rewardOutcomeWithinTask: z.number().nullable(),
  advantageCorrelation: z.number().nullable(),
  numWithoutMismatch: z.int().nonnegative().describe("splits in which no tier's mean advantage points the wrong way"),
  numSplits: z.int().positive(),
});
export type HeldOutRow = z.infer<typeof HeldOutRow>;

export const EstimatorRow = z.strictObject({
  name: z.string(),
  table: z.string(),
  mismatchedTiers: z.array(z.string()),
  advantageOutcome: z.number().nullable(),
  deadTurns: z.number().nullable(),
  turnMisalignment: z.number().nullable(),
});
export type EstimatorRow = z.infer<typeof EstimatorRow>;

export const PaperTables = z
  .strictObject({
    schemaVersion: z.literal(1),
    bufferSha256: z.string(),
    reading: RolloutReading.optional().describe("what was read from the files, and what was not; absent in tables of 0.1.0"),
    numDoubtfulCalls: z.int().nonnegative().default(0).describe("of the finer tiers, as in AdvantagesReport"),
    paperTiers: SplitStatistics,
    finerTiers: SplitStatistics,
    estimators: z.array(EstimatorRow),
    handSet: z.array(
      z.strictObject({ name: z.string(), discriminativeAccuracy: z.number().nullable(), rewardOutcomeWithinTask: z.number().nullable() }),
    ),
    heldOut: z.array(HeldOutRow),
    testbed: z.array(TestbedReport).describe("error rates of the gate: one split, then 5 folds; empty when not asked for"),
  })
  .meta({ id: "PaperTables" });
export type PaperTables = z.infer<typeof PaperTables>;
