// Groups as they enter an estimator: validated, truncation and degenerate groups handled as the configuration says.
// Dimensions: P = task, G = member of a group, T = turn (ragged).
import type { AdvantageConfig } from "#contracts/advantage-config.ts";
import { CampaignError } from "../errors.ts";

/** G rollouts of one task. `turnRewards_T` has one finite reward per turn. */
export interface AdvantageGroup {
  readonly taskId: string;
  readonly members: readonly AdvantageMember[];
}
export interface AdvantageMember {
  readonly trial: number;
  readonly turnRewards_T: readonly number[];
  /** The rollout's reward, in [0, 1]. */
  readonly outcome: number;
  /** Cut by a turn, token or context limit. */
  readonly isTruncated: boolean;
  /** What each turn did, e.g. the names of its tools. For estimators that compare actions. */
  readonly actions_T?: readonly string[];
  /** What the agent read before each turn. For estimators that compare states. */
  readonly observations_T?: readonly string[];
}

export interface PreparedMember {
  /** Position in the group as it was given. */
  readonly position: number;
  readonly rewards_T: readonly number[];
  /** In [0, 1]. */
  readonly outcome: number;
  readonly actions_T: readonly string[] | null;
  readonly observations_T: readonly string[] | null;
  /** In the statistics, but its own advantage is 0. */
  readonly isMasked: boolean;
}
export interface PreparedGroup {
  readonly position: number;
  readonly members: readonly PreparedMember[];
  /** All outcomes equal: the group says nothing about the outcome. */
  readonly isDegenerate: boolean;
}

type GroupOptions = Pick<AdvantageConfig, "truncated" | "degenerateGroups">;

/** Groups that take part in the statistics. Throws reward.non-finite and contract.invalid; nothing is repaired. */
export function prepareGroups(groups: readonly AdvantageGroup[], options: GroupOptions): PreparedGroup[] {
  return groups
    .map((group, position) => prepareGroup(group, position, options))
    .filter((group) => !(group.isDegenerate && options.degenerateGroups === "drop"));
}

function prepareGroup(group: AdvantageGroup, position: number, options: GroupOptions): PreparedGroup {
  const members = group.members.flatMap((member, memberPosition) => {
    validate(group.taskId, member);
    if (member.isTruncated && options.truncated === "drop") return [];
    return [
      {
        position: memberPosition,
        rewards_T: member.turnRewards_T,
        outcome: member.isTruncated ? 0 : member.outcome,
        actions_T: member.actions_T ?? null,
        observations_T: member.observations_T ?? null,
        isMasked: member.isTruncated && options.truncated === "mask",
      } satisfies PreparedMember,
    ];
  });
  return { position, members, isDegenerate: members.every((member) => member.outcome === members[0]?.outcome) };
}

function validate(taskId: string, member: AdvantageMember): void {
  const turn = member.turnRewards_T.findIndex((reward) => !Number.isFinite(reward));
  if (turn >= 0) {
    throw new CampaignError(
      "reward.non-finite",
      `task ${taskId}, trial ${member.trial}, turn ${turn}: the turn reward is ${member.turnRewards_T[turn]}`,
    );
  }
  if (!(member.outcome >= 0 && member.outcome <= 1)) {
    throw new CampaignError(
      "contract.invalid",
      `task ${taskId}, trial ${member.trial}: the outcome is ${String(member.outcome)}, expected a reward from 0 to 1`,
    );
  }
}
