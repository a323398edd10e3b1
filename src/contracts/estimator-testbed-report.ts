// What an estimator's gradient is in expectation, beside the gradients of what it might be meant to raise.
import { z } from "zod";
import { AdvantageConfig } from "./advantage-config.ts";

/** How an estimated gradient lies to a true one. */
export const Agreement = z.strictObject({
  cosine: z.number().min(-1).max(1).nullable().describe("null where one of the two is 0"),
  signs: z.number().min(0).max(1).describe("share of the policy's logits that are pushed the right way; where the truth is 0, left alone"),
});
export type Agreement = z.infer<typeof Agreement>;

export const Objective = z.enum(["return", "outcome", "claimed"]);
export type Objective = z.infer<typeof Objective>;

const Sign = z.union([z.literal(-1), z.literal(0), z.literal(1)]);

export const EstimatorTestbedProblem = z.strictObject({
  name: z.string(),
  question: z.string(),
  numTrajectories: z.int().positive(),
  passRate: z.number(),
  meanReturn: z.number().describe("outcome plus turn rewards"),
  meanTurns: z.number(),
  moreTurns: z
    .strictObject({ return: Sign, outcome: Sign })
    .describe("whether raising the objective makes conversations longer (1), shorter (-1) or neither"),
});
export type EstimatorTestbedProblem = z.infer<typeof EstimatorTestbedProblem>;

export const EstimatorTestbedCell = z.strictObject({
  problem: z.string(),
  estimator: z.string().describe("id and the switches that differ from the defaults"),
  groupSize: z.int().min(2),
  numGroups: z.int().positive().describe("unordered groups that were walked: all there are"),
  norm: z.number().describe("of the expected gradient"),
  noise: z.number().nullable().describe("root of the total variance of one group's gradient over the norm of the expected one"),
  moreTurns: Sign.describe("whether following the estimator makes conversations longer"),
  return: Agreement.describe("with the gradient of outcome plus turn rewards"),
  outcome: Agreement.describe("with the gradient of the outcome alone"),
  claimed: Agreement.describe("with the gradient of the estimator's own objective: its discounts and weights, no normalisation"),
});
export type EstimatorTestbedCell = z.infer<typeof EstimatorTestbedCell>;

export const EstimatorTestbedReport = z
  .strictObject({
    schemaVersion: z.literal(1),
    groupSizes: z.array(z.int()),
    problems: z.array(EstimatorTestbedProblem),
    estimators: z.array(z.strictObject({ name: z.string(), config: AdvantageConfig })),
    cells: z.array(EstimatorTestbedCell),
    skipped: z
      .array(z.strictObject({ problem: z.string(), groupSize: z.int(), numGroups: z.number() }))
      .describe("too many groups to walk"),
  })
  .meta({ id: "EstimatorTestbedReport" });
export type EstimatorTestbedReport = z.infer<typeof EstimatorTestbedReport>;
