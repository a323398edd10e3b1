// How far a campaign's result can be believed, by promotion rule, on simulated campaigns whose truth is known.
import { z } from "zod";

const Count = z.int().nonnegative();
const Share = z.number().min(-1).max(1);

export const MeasuredTasks = z.strictObject({ tasks: z.int().positive(), trials: z.int().positive() });
export type MeasuredTasks = z.infer<typeof MeasuredTasks>;

export const SimulatedWorld = z.enum(["identical", "reshuffled", "planted"]);
export type SimulatedWorld = z.infer<typeof SimulatedWorld>;

export const SimulatedRule = z.enum(["better", "not-worse", "always", "none", "0.1.0"]);
export type SimulatedRule = z.infer<typeof SimulatedRule>;

/** The part of a campaign that the simulation knows. */
export const CampaignSize = z.strictObject({
  name: z.string(),
  candidates: z.int().positive().describe("policies that training makes, one after the other"),
  selection: MeasuredTasks.nullable().describe("null: nothing is selected, the last policy is the result"),
  test: MeasuredTasks,
  margin: z.number().nonnegative().describe("of the rule not-worse"),
});
export type CampaignSize = z.infer<typeof CampaignSize>;

export const SelectionTestbedCell = z.strictObject({
  size: CampaignSize,
  world: SimulatedWorld.describe(
    "identical: every policy is the base policy; reshuffled: policies gain some tasks and lose others, none is better; planted: most steps of training help, some hurt",
  ),
  rule: SimulatedRule.describe(
    "none: selection is null; 0.1.0: point differences to the last promoted policy, and the selection figure is the result",
  ),
  numCampaigns: z.int().positive(),
  reportedBias: Share.describe("mean of the reported pass rate of the final policy minus its true one"),
  reportedBiasError: Share.describe("standard error of that mean"),
  selectionBias: Share.nullable().describe("the same of the final policy's figure on the selection tasks"),
  numExcludingZero: Count.describe("campaigns whose reported interval of final minus base excludes 0: false where no policy is better"),
  numCovering: Count.describe("campaigns whose reported interval holds the true difference"),
  numWithTrueBest: Count.describe("campaigns whose final policy is the best of those that it made"),
  meanGain: Share.describe("true pass rate of the final policy minus that of the base policy"),
  meanPromotions: z.number().nonnegative(),
});
export type SelectionTestbedCell = z.infer<typeof SelectionTestbedCell>;

export const SelectionTestbedReport = z
  .strictObject({
    schemaVersion: z.literal(1),
    seed: z.string(),
    confidence: z.number(),
    tasksPerUser: z.number().positive(),
    cells: z.array(SelectionTestbedCell),
  })
  .meta({ id: "SelectionTestbedReport" });
export type SelectionTestbedReport = z.infer<typeof SelectionTestbedReport>;
