import { z } from "zod";

/** A point estimate with its interval; `low` and `high` are null when there is too little data to say. */
export const Estimate = z
  .strictObject({ value: z.number(), low: z.number().nullable(), high: z.number().nullable() })
  .meta({ id: "Estimate" });
export type Estimate = z.infer<typeof Estimate>;

/** methods.md 11.1 (pass^k) and 13.8. Intervals by bootstrap over tasks. */
export const EvaluationReport = z
  .strictObject({
    schemaVersion: z.literal(1),
    policyHash: z.string(),
    numTasks: z.int().positive(),
    trials: z.int().positive(),
    confidence: z.number(),
    bootstrapResamples: z.int(),
    seed: z.int(),
    passHatK: z.array(z.strictObject({ k: z.int().positive(), estimate: Estimate })).describe("pass^1..k; k <= trials"),
    doNothingFloor: z.number().describe("share of these tasks that an agent passes by doing nothing"),
    comparisons: z.array(
      z.strictObject({
        against: z.enum(["base", "promoted"]),
        policyHash: z.string(),
        difference: Estimate.describe("pass^1 minus the other's, paired by task"),
        numTasksBetter: z.int(),
        numTasksWorse: z.int(),
      }),
    ),
    perTask: z.array(z.strictObject({ taskId: z.string(), kind: z.string(), numPasses: z.int(), trials: z.int() })),
    perKind: z.array(z.strictObject({ kind: z.string(), numTasks: z.int(), passRate: z.number() })),
    stopReasons: z.record(z.string(), z.int()),
  })
  .meta({ id: "EvaluationReport" });
export type EvaluationReport = z.infer<typeof EvaluationReport>;
