// The difference between two calibration reports.
import { z } from "zod";
import { Sha256 } from "./artifact-ref.ts";
import { Finding, GateCriterion, Verdict } from "./calibration-report.ts";
import { TierScheme, TierValue } from "./reward-table.ts";

const Summary = z.strictObject({
  iteration: z.int(),
  bufferSha256: Sha256,
  rule: z.string(),
  scheme: TierScheme,
  estimator: z.string(),
  authorSha256: Sha256.nullable(),
  inForceSha256: Sha256,
  fittedSha256: Sha256,
});
const GateLine = z.strictObject({ value: z.number().nullable(), verdict: Verdict }).nullable();
const beforeAfter = <Value extends z.ZodType>(value: Value) => z.strictObject({ before: value, after: value });

export const TierChange = z.strictObject({
  tier: z.string(),
  fittedValue: beforeAfter(TierValue.nullable()),
  withinTask: beforeAfter(Finding.nullable()),
  pooled: beforeAfter(Finding.nullable()),
  isDistinct: z.boolean().describe("the within-task intervals do not overlap"),
});
export type TierChange = z.infer<typeof TierChange>;

export const ReportDiff = z
  .strictObject({
    schemaVersion: z.literal(2),
    before: Summary,
    after: Summary,
    decision: beforeAfter(Verdict),
    gate: z.array(z.strictObject({ criterion: GateCriterion, before: GateLine, after: GateLine })),
    tiers: z.array(TierChange),
  })
  .meta({ id: "ReportDiff" });
export type ReportDiff = z.infer<typeof ReportDiff>;
