import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { auditTask, overallNoise, type ReplayedScript } from "#simulators/audit/noise-floor.ts";

const OPTIONS = { confidence: 0.95, resamples: 200, seed: "s", isDeterministic: false };
type Reward = 0 | 1 | null;
const script = (rewards: readonly Reward[], recordedReward: 0 | 1 | null = null): ReplayedScript => ({
  taskId: "t",
  recordedReward,
  replays: rewards.map((reward) => ({ reward, end: reward === null ? "error" : "last-stop" })),
});
const rewards = fc.array(fc.constantFrom<Reward[]>(0, 1, null), { minLength: 1, maxLength: 12 });

describe("the line of a task", () => {
  test("counts the pairs of replays of the same actions that end differently", () => {
    fc.assert(
      fc.property(fc.array(rewards, { minLength: 1, maxLength: 4 }), (groups) => {
        const shares = groups.flatMap((group) => {
          const outcomes = group.filter((reward) => reward !== null);
          const pairs = outcomes.flatMap((a, i) => outcomes.slice(i + 1).map((b) => (a === b ? 0 : 1)));
          return pairs.length === 0 ? [] : [pairs.reduce<number>((sum, pair) => sum + pair, 0) / pairs.length];
        });
        const { disagreement } = auditTask(
          "t",
          groups.map((group) => script(group)),
          OPTIONS,
        );
        if (shares.length === 0) expect(disagreement).toBeNull();
        else expect(disagreement?.value).toBeCloseTo(shares.reduce((sum, share) => sum + share, 0) / shares.length, 12);
      }),
    );
  });

  test("an interval holds its value and lies between 0 and 1", () => {
    fc.assert(
      fc.property(rewards, (group) => {
        const { passRate, disagreement } = auditTask("t", [script(group)], OPTIONS);
        for (const share of [passRate, disagreement]) {
          if (share === null) continue;
          expect(share.low).toBeGreaterThanOrEqual(0);
          expect(share.high).toBeLessThanOrEqual(1);
          expect(share.value).toBeGreaterThanOrEqual((share.low as number) - 1e-12);
          expect(share.value).toBeLessThanOrEqual((share.high as number) + 1e-12);
        }
      }),
    );
  });

  test("replays without an outcome are counted apart and never as failed", () => {
    const line = auditTask("t", [script([1, null, 1, null])], OPTIONS);
    expect(line).toMatchObject({ numReplays: 2, numPasses: 2, numSimulatorErrors: 2, passRate: { value: 1 }, disagreement: { value: 0 } });
    expect(auditTask("t", [script([null])], OPTIONS)).toMatchObject({ passRate: null, disagreement: null, numReplays: 0 });
  });

  test("between sequences of actions a difference is no noise", () => {
    expect(auditTask("t", [script([0, 0]), script([1, 1])], OPTIONS)).toMatchObject({
      passRate: { value: 0.5 },
      disagreement: { value: 0 },
    });
  });

  test("what a user that cannot but repeat itself does is certain", () => {
    const line = auditTask("t", [script([1, 1])], { ...OPTIONS, isDeterministic: true });
    expect(line.passRate).toEqual({ value: 1, low: 1, high: 1 });
    expect(line.disagreement).toEqual({ value: 0, low: 0, high: 0 });
  });

  test("knows how often the recorded outcome came again, where there is one", () => {
    expect(auditTask("t", [script([1, 1, 0], 1), script([0, 0, 0], 1)], OPTIONS).numReproduced).toBe(2);
    expect(auditTask("t", [script([1])], OPTIONS).numReproduced).toBeNull();
  });
});

describe("over all tasks", () => {
  const tasks = [script([1, 1]), script([0, 1]), script([0, 0])].map((one, index) => auditTask(`t${index}`, [one], OPTIONS));

  test("the noise floor is the mean of the tasks, with an interval around it", () => {
    const { disagreement, passRate } = overallNoise(tasks, OPTIONS);
    expect(disagreement?.value).toBeCloseTo(1 / 3, 12);
    expect(disagreement?.low).toBeLessThan(1 / 3);
    expect(disagreement?.high).toBeGreaterThan(1 / 3);
    expect(passRate?.value).toBeCloseTo(0.5, 12);
  });

  test("the deviation of a pass rate is that of independent coins, one per task", () => {
    const halves = Array.from({ length: 4 }, (_, index) => auditTask(`t${index}`, [script([0, 1, 0, 1, 0, 1, 0, 1])], OPTIONS));
    // unbiased variance of a fair coin from 8 throws: 8/7 * 1/4
    expect(overallNoise(halves, OPTIONS).passRateDeviation).toBeCloseTo(Math.sqrt((8 / 7) * 0.25 * 4) / 4, 12);
  });

  test("no difference anywhere is a noise floor of exactly 0, interval and deviation included", () => {
    const still = [script([1, 1, 1]), script([0, 0, 0])].map((one, index) => auditTask(`t${index}`, [one], OPTIONS));
    expect(overallNoise(still, OPTIONS)).toMatchObject({ disagreement: { value: 0, low: 0, high: 0 }, passRateDeviation: 0 });
  });
});
