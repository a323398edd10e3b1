// What `turnwise advantages` prints: turn rewards, returns and advantages of given rollouts, for any trainer.
import { z } from "zod";
import { Sha256 } from "./artifact-ref.ts";
import { RewardTable } from "./reward-table.ts";
import { RolloutReading } from "./rollout-reading.ts";
import { Reward } from "./trajectory.ts";
import { StoredAdvantageConfig } from "./upcast/advantage.ts";

export const RolloutAdvantages = z
  .strictObject({
    taskId: z.string(),
    trial: z.int().nonnegative(),
    outcome: Reward.describe("the rollout's reward, graded where its environment grades"),
    isTruncated: z.boolean(),
    turns: z.array(
      z.strictObject({
        turn: z.int().nonnegative(),
        tier: z.string(),
        reward: z.number().describe("sum over the turn's executed calls under the reward table"),
        return: z
          .number()
          .nullable()
          .describe("discounted reward from this turn on, outcome included; null for estimators without a discount"),
        advantage: z.number(),
      }),
    ),
  })
  .meta({ id: "RolloutAdvantages" });
export type RolloutAdvantages = z.infer<typeof RolloutAdvantages>;

export const AdvantagesReport = z
  .strictObject({
    schemaVersion: z.literal(1),
    bufferSha256: Sha256,
    advantage: StoredAdvantageConfig,
    rewardTable: RewardTable,
    numExcluded: z.int().nonnegative().describe("entries of the source without an outcome"),
    reading: RolloutReading.optional().describe("what was read from the files, and what was not; absent in reports of 0.1.0"),
    numDoubtfulCalls: z
      .int()
      .nonnegative()
      .default(0)
      .describe('calls that equal a golden or an earlier one only if "1" and 1 are the same to the tool, which no schema says; no gold'),
    diagnostics: z.strictObject({
      estimator: z.string(),
      numGroups: z.int(),
      numDegenerateGroups: z.int().describe("groups whose outcomes are all equal"),
      numTruncated: z.int(),
      numSetsBySize: z.record(z.string(), z.int()).describe("sets of values that were normalised together, by size"),
      numSingletonSets: z.int(),
      numZeroVarianceSets: z.int(),
      numTooSmallSets: z.int(),
      numTurns: z.int(),
      numDeadTurns: z.int(),
      meanAbsoluteAdvantage: z.number().nullable(),
    }),
    rollouts: z.array(RolloutAdvantages).describe("by task id, then trial"),
  })
  .meta({ id: "AdvantagesReport" });
export type AdvantagesReport = z.infer<typeof AdvantagesReport>;
