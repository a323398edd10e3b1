import { z } from "zod";

/** A point estimate with its interval; `low` and `high` are null when there is too little data to say. */
export const Estimate = z
  .strictObject({ value: z.number(), low: z.number().nullable(), high: z.number().nullable() })
  .meta({ id: "Estimate" });
export type Estimate = z.infer<typeof Estimate>;

const PValue = z.number().gt(0).max(1).nullable();

/** One policy against another on the tasks that both have. docs/statistics.md says what is sampled, paired and tested. */
export const PolicyComparison = z
  .strictObject({
    against: z.string().describe("base, best (so far), promoted (reports of 0.1.0), or what a table calls the other policy"),
    policyHash: z.string().describe("of the other policy"),
    difference: Estimate.describe("pass^1 minus the other's, paired by task"),
    pValue: PValue.describe("two-sided, sign flips of clusters; null where it was not computed (reports of 0.1.0)"),
    pHolm: PValue.describe("adjusted for the number of comparisons of the table that this one stands in"),
    detectableDifference: z
      .number()
      .nullable()
      .describe("the difference that 80 % power would have seen at this confidence with this spread over clusters"),
    numClusters: z.int().positive().describe("users where tasks share one, else tasks"),
    numTasks: z.int().positive().describe("that both policies have"),
    numTasksBetter: z.int(),
    numTasksWorse: z.int(),
  })
  .meta({ id: "PolicyComparison" });
export type PolicyComparison = z.infer<typeof PolicyComparison>;

export const TaskPasses = z.strictObject({
  taskId: z.string(),
  cluster: z.string(),
  kind: z.string(),
  numPasses: z.int(),
  trials: z.int(),
});

/** methods.md 11.1 (pass^k) and 13.8; the statistics are those of docs/statistics.md. */
export const EvaluationReport = z
  .strictObject({
    schemaVersion: z.literal(2),
    purpose: z
      .enum(["selection", "test"])
      .describe("selection figures choose a policy, so they flatter it; test figures never chose anything"),
    method: z
      .enum(["clusters/1", "bootstrap-tasks/1"])
      .describe("of the intervals. clusters/1: closed forms over clusters; bootstrap-tasks/1: percentile bootstrap over tasks (0.1.0)"),
    policyHash: z.string(),
    numTasks: z.int().positive(),
    numClusters: z.int().positive(),
    trials: z.int().positive(),
    confidence: z.number(),
    passHatK: z.array(z.strictObject({ k: z.int().positive(), estimate: Estimate })).describe("pass^1..k; k <= trials"),
    doNothingFloor: z
      .number()
      .nullable()
      .describe("share of these tasks that an agent passes by doing nothing; null where the environment cannot say"),
    comparisons: z.array(PolicyComparison),
    perTask: z.array(TaskPasses),
    perKind: z.array(z.strictObject({ kind: z.string(), numTasks: z.int(), passRate: z.number() })),
    stopReasons: z.record(z.string(), z.int()),
  })
  .meta({ id: "EvaluationReport" });
export type EvaluationReport = z.infer<typeof EvaluationReport>;
