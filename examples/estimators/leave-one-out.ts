// REINFORCE leave-one-out, turn by turn: a rollout is compared with the others of its group and never with itself.
// Dimensions: P = task, G = member of a group, T = turn (ragged), counted 0..K-1; L = the most turns of the group.
import { z } from "zod";
import { GroupSwitches } from "#contracts/advantage-config.ts";
import type { Estimator } from "#core/advantage/estimator.ts";
import type { PreparedGroup } from "#core/advantage/groups.ts";
import { plusOutcome } from "#core/advantage/objectives.ts";
import { turnReturns } from "#core/advantage/returns.ts";
import { sortedMean } from "#core/advantage/sorted-sum.ts";

export const LeaveOneOutSettings = z.strictObject({
  type: z.literal("leave-one-out/1").describe("against the other rollouts of the group (arXiv:2402.14740), turn by turn; unbiased"),
  gamma: z.number().min(0).max(1).default(1).describe("discount of later turn rewards; the outcome is not discounted"),
  ...GroupSwitches,
});
export type LeaveOneOutSettings = z.infer<typeof LeaveOneOutSettings>;

export const leaveOneOut: Estimator<LeaveOneOutSettings> = {
  id: "leave-one-out/1",
  needs: ["turn-rewards"],
  promises: () => ({ zeroSum: "first-turn", scale: "proportional" }),
  objective: ({ gamma }) => plusOutcome(1, ({ rewards_T }) => turnReturns(rewards_T, 0, { gamma, terminal: "virtual" })),
  estimate: (groups, { gamma }) => groups.map((group) => advantages(group, gamma)),
};

/**
 * A[i,k] = sum over l = k..L-1 of gamma^(l-k) (r[i,l] - mean of r[j,l] over j != i), plus o_i - mean of o_j over j != i.
 *
 * In this order: r[j,l] = 0 where rollout j has stopped; the mean of the others is taken off at every l < L, past the rollout's own end;
 * then the discounted sum. A lone rollout has no others and gets 0.
 *
 * result   advantages_GT, in units of the rewards
 * source   arXiv:2402.14740 (RLOO) for the outcome; turn rewards ours
 */
function advantages(group: PreparedGroup, gamma: number): number[][] {
  const numTurns = Math.max(0, ...group.members.map(({ rewards_T }) => rewards_T.length));
  const againstOthers_LG = Array.from({ length: numTurns }, (_, turn) =>
    againstOthers(group.members.map(({ rewards_T }) => rewards_T[turn] ?? 0)),
  );
  const outcome_G = againstOthers(group.members.map(({ outcome }) => outcome));
  return group.members.map(({ rewards_T }, i) => {
    const own_L = againstOthers_LG.map((values_G) => values_G[i] ?? 0);
    const toGo_L = turnReturns(own_L, 0, { gamma, terminal: "virtual" });
    return rewards_T.map((_, k) => (toGo_L[k] ?? 0) + (outcome_G[i] ?? 0));
  });
}

/** Each value minus the mean of all others. `sortedMean` adds in the order of size, so that the order of rollouts changes no digit. */
function againstOthers(values_G: readonly number[]): number[] {
  if (values_G.length < 2) return values_G.map(() => 0);
  return values_G.map((value, i) => value - sortedMean(values_G.filter((_, j) => j !== i)));
}
