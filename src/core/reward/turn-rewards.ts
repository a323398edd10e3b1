// Rewards of labelled turns under a reward table: a pure function of a stored trajectory and a table.
import type { RewardTable } from "#contracts/reward-table.ts";
import { CampaignError } from "../errors.ts";
import type { CallTier, LabelledTurn } from "./label-trajectory.ts";
import { schemeName } from "./tiers.ts";

/** One reward per turn: the sum over its executed calls, or the value of `message` for a turn without any. Throws reward.table-mismatch. */
export function turnRewards(labelled: readonly LabelledTurn[], table: RewardTable): number[] {
  return labelled.map((turn) =>
    turn.callTiers.length === 0
      ? tierReward(turn.tier, null, table)
      : turn.callTiers.reduce((total, call) => total + tierReward(call.tier, call.match, table), 0),
  );
}

function tierReward(tier: string, match: CallTier["match"], table: RewardTable): number {
  const value = table.values[tier];
  if (value === undefined) {
    throw new CampaignError(
      "reward.table-mismatch",
      `reward table ${table.name} (${schemeName(table.scheme)}) has no value for tier ${tier}`,
      {
        next: "label the rollouts with the tier scheme of the table, or choose another table",
      },
    );
  }
  return value === "soft" ? (match ?? 0) : value;
}
