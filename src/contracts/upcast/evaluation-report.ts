// Evaluation reports of any version, as the newest one. Version 1 (0.1.0) drew tasks, not users, and tested nothing.
import { z } from "zod";
import { Estimate, EvaluationReport } from "../evaluation-report.ts";

const EvaluationReport1 = z.strictObject({
  schemaVersion: z.literal(1),
  policyHash: z.string(),
  numTasks: z.int().positive(),
  trials: z.int().positive(),
  confidence: z.number(),
  bootstrapResamples: z.int(),
  seed: z.int(),
  passHatK: z.array(z.strictObject({ k: z.int().positive(), estimate: Estimate })),
  doNothingFloor: z.number(),
  comparisons: z.array(
    z.strictObject({
      against: z.enum(["base", "promoted"]),
      policyHash: z.string(),
      difference: Estimate,
      numTasksBetter: z.int(),
      numTasksWorse: z.int(),
    }),
  ),
  perTask: z.array(z.strictObject({ taskId: z.string(), kind: z.string(), numPasses: z.int(), trials: z.int() })),
  perKind: z.array(z.strictObject({ kind: z.string(), numTasks: z.int(), passRate: z.number() })),
  stopReasons: z.record(z.string(), z.int()),
});
export type EvaluationReport1 = z.infer<typeof EvaluationReport1>;

/** Its tasks are its clusters; what it did not compute is null. The figures that chose a policy are called so. */
function fromVersion1({ bootstrapResamples: _resamples, seed: _seed, ...report }: EvaluationReport1): EvaluationReport {
  return {
    ...report,
    schemaVersion: 2,
    purpose: "selection",
    method: "bootstrap-tasks/1",
    numClusters: report.numTasks,
    comparisons: report.comparisons.map((comparison) => ({
      ...comparison,
      pValue: null,
      pHolm: null,
      detectableDifference: null,
      numClusters: report.numTasks,
      numTasks: report.numTasks,
    })),
    perTask: report.perTask.map((task) => ({ ...task, cluster: task.taskId })),
  };
}

/** What a reader of records parses with. */
export const StoredEvaluationReport = z.discriminatedUnion("schemaVersion", [EvaluationReport, EvaluationReport1.transform(fromVersion1)]);
