// Graded rewards in calibration: correlations and pairs are of what a rollout earned, pass rates of its passes.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { CalibrationConfig } from "#contracts/campaign-config.ts";
import { calibrate } from "#core/calibration/calibrate.ts";
import type { LabelledRollout } from "#core/reward/label-rollout.ts";
import { createRewardTable } from "#core/reward/reward-table.ts";

const TABLE = createRewardTable({ schemaVersion: 1, name: "t", scheme: "paper/1", values: { gold: 1, read: 0.25, error: -0.5 } });
const CONFIG = CalibrationConfig.parse({ bootstrapResamples: 100 });

const report = (rollouts: readonly LabelledRollout[]) =>
  calibrate({
    ...{ rollouts, scheme: "paper/1", authorTable: TABLE, inForceTable: TABLE, config: CONFIG, seed: "s", iteration: 1 },
    ...{ advantage: AdvantageConfig.parse({ type: "grpo/1" }), bufferSha256: "0".repeat(64) },
  });
type Report = ReturnType<typeof report>;
const split = ({ splits }: Report) => splits.find((one) => one.split === "all") as Report["splits"][number];
const assessment = ({ assessments }: Report) => assessments.find((one) => one.split === "all") as Report["assessments"][number];

const tiers = fc.array(fc.constantFrom("gold", "read", "error"), { minLength: 1, maxLength: 4 });
const rollout = fc.record({ tiers, reward: fc.constantFrom(0, 0.25, 0.5, 1), passes: fc.boolean() });
const buffer = fc
  .array(fc.array(rollout, { minLength: 2, maxLength: 5 }), { minLength: 3, maxLength: 8 })
  .map((tasks) => tasks.flatMap((members, task) => members.map((member, trial) => labelled(task, trial, member))));

function labelled(task: number, trial: number, made: { tiers: readonly string[]; reward: number; passes: boolean }): LabelledRollout {
  const turns = made.tiers.map((tier, turn) => ({ turn, tier, callTiers: [], softMatch: null, numIgnoredCalls: 0 }));
  return { taskId: `t${task}`, userId: "", trial, outcome: made.passes ? 1 : 0, reward: made.reward, isTruncated: false, turns };
}

const earned = ({ outcome, reward = outcome }: LabelledRollout) => reward;
const meanReward = ({ turns }: LabelledRollout) => turns.reduce((sum, { tier }) => sum + Number(TABLE.values[tier]), 0) / turns.length;

describe("graded rewards", () => {
  test("discriminative accuracy is over pairs of a task that earned unequally; passes stay passes", () => {
    fc.assert(
      fc.property(buffer, (rollouts) => {
        const found = report(rollouts);
        let [numPairs, wins] = [0, 0];
        for (const a of rollouts)
          for (const b of rollouts) {
            if (a.taskId !== b.taskId || earned(a) <= earned(b)) continue;
            const difference = meanReward(a) - meanReward(b);
            numPairs += 1;
            wins += Math.abs(difference) <= 1e-9 ? 0.5 : difference > 0 ? 1 : 0;
          }
        expect([split(found).numPairs, split(found).numPasses]).toEqual([numPairs, rollouts.filter(({ outcome }) => outcome === 1).length]);
        const accuracy = assessment(found).discriminativeAccuracy.value;
        if (numPairs === 0) expect(accuracy).toBeNull();
        else expect(accuracy).toBeCloseTo(wins / numPairs, 9);
      }),
      { numRuns: 40 },
    );
  });

  test("correlations do not change when every reward is scaled and moved, passes being the same", () => {
    fc.assert(
      fc.property(buffer, (rollouts) => {
        const moved = rollouts.map((one) => ({ ...one, reward: 0.2 + 0.5 * earned(one) }));
        const [before, after] = [report(rollouts), report(moved)];
        const correlations = (one: Report) => [
          ...split(one).tiers.flatMap(({ pooled, withinTask }) => [pooled.value, withinTask.value]),
          assessment(one).rewardOutcomePooled.value,
          assessment(one).rewardOutcomeWithinTask.value,
        ];
        for (const [index, value] of correlations(before).entries()) {
          const other = correlations(after)[index] ?? null;
          if (value === null || other === null) expect(other).toBe(value);
          else expect(other).toBeCloseTo(value, 6);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("a buffer in which nobody passes, but some earned more, has something to say", () => {
    const made = [0, 1, 2, 3, 4].flatMap((task) =>
      [0, 0.5].map((reward, trial) => labelled(task, trial, { tiers: [reward > 0 ? "read" : "error"], reward, passes: false })),
    );
    const found = report(made);
    expect(found.warnings.map(({ code }) => code)).not.toContain("no-variation");
    expect(assessment(found).discriminativeAccuracy.value).toBe(1);
    expect(split(found).tiers.find(({ tier }) => tier === "read")?.withinTask.value).toBeCloseTo(1, 9);
  });
});
