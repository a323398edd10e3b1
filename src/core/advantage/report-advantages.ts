// Rewards, returns and advantages of labelled rollouts side by side.

import type { AdvantageConfig } from "#contracts/advantage-config.ts";
import type { AdvantagesReport, RolloutAdvantages } from "#contracts/advantages-report.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import { groupByTask } from "../calibration/buffer.ts";
import { sumCounts } from "../reading/counts.ts";
import { toAdvantageGroup } from "../reward/advantage-groups.ts";
import { countDoubtfulCalls, type LabelledRollout } from "../reward/label-rollout.ts";
import { computeAdvantages } from "./compute-advantages.ts";
import { turnReturns } from "./returns.ts";

/** The report of a set of rollouts; their order does not matter. Throws reward.table-mismatch and contract.invalid. */
export function reportAdvantages(input: {
  readonly rollouts: readonly LabelledRollout[];
  readonly table: RewardTable;
  readonly advantage: AdvantageConfig;
  readonly bufferSha256: string;
  readonly reading: RolloutReading;
}): AdvantagesReport {
  const tasks = groupByTask(input.rollouts);
  const groups = tasks.map(({ taskId, rollouts }) => toAdvantageGroup(taskId, rollouts, input.table));
  const { advantages, diagnostics } = computeAdvantages(groups, input.advantage);
  return {
    schemaVersion: 1,
    bufferSha256: input.bufferSha256,
    advantage: input.advantage,
    rewardTable: input.table,
    numExcluded: sumCounts(input.reading.excluded),
    reading: input.reading,
    numDoubtfulCalls: countDoubtfulCalls(input.rollouts),
    diagnostics: { ...diagnostics, numSetsBySize: { ...diagnostics.numSetsBySize } },
    rollouts: tasks.flatMap(({ rollouts }, p) =>
      rollouts.map((rollout, i) =>
        describe(rollout, groups[p]?.members[i]?.turnRewards_T ?? [], advantages[p]?.[i] ?? [], input.advantage),
      ),
    ),
  };
}

function describe(
  member: LabelledRollout,
  rewards_T: readonly number[],
  advantages_T: readonly number[],
  config: AdvantageConfig,
): RolloutAdvantages {
  const outcome = member.isTruncated ? 0 : (member.reward ?? member.outcome);
  const returns_T = "gamma" in config ? turnReturns(rewards_T, outcome, config) : null;
  return {
    taskId: member.taskId,
    trial: member.trial,
    outcome: member.reward ?? member.outcome,
    isTruncated: member.isTruncated,
    turns: member.turns.map(({ turn, tier }, k) => ({
      turn,
      tier,
      reward: rewards_T[k] ?? 0,
      return: returns_T?.[k] ?? null,
      advantage: advantages_T[k] ?? 0,
    })),
  };
}
