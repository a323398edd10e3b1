import { describe, expect, test } from "vitest";
import { type CampaignSize, SelectionTestbedCell, SimulatedRule, SimulatedWorld } from "#contracts/selection-testbed-report.ts";
import { runSelectionTestbed, type SelectionTestbedOptions } from "#core/evaluation/testbed/selection-testbed.ts";
import { drawTasks, measure, totalsOf, truePassRate } from "#core/evaluation/testbed/simulated-tasks.ts";
import { createIndexGenerator } from "#core/random.ts";
import { deriveSeed } from "#core/rng.ts";
import { differenceInterval, type Interval, shareInterval } from "#core/statistics/cluster-mean.ts";

const SMALL: CampaignSize = {
  name: "small",
  candidates: 20,
  selection: { tasks: 20, trials: 4 },
  test: { tasks: 20, trials: 4 },
  margin: 0.1,
};
const LARGE: CampaignSize = {
  ...SMALL,
  name: "large",
  candidates: 6,
  selection: { tasks: 100, trials: 2 },
  test: { tasks: 100, trials: 2 },
};
const run = (change: Partial<SelectionTestbedOptions>) =>
  runSelectionTestbed({
    size: SMALL,
    world: "identical",
    rule: "not-worse",
    numCampaigns: 300,
    tasksPerUser: 2,
    confidence: 0.95,
    seed: "test",
    ...change,
  });

describe("coverage of 95 % intervals, by simulation", () => {
  const NUM_STUDIES = 4000;
  /** What a percentile bootstrap over tasks misses in every one of these cases but the last (docs/statistics.md: 88 to 93 %). */
  const [LEAST, MOST] = [0.934, 0.985];

  function coverage(numTasks: number, tasksPerUser: number, trials: number, policies: readonly [effect: number, reshuffling: number][]) {
    const [own, base] = policies.map(([effect, reshuffling]) => ({ effect, reshuffling })) as [Truth, Truth];
    const covers = ({ low, high }: Interval, truth: number) => (low ?? 1) <= truth && truth <= (high ?? 0);
    let [difference, share] = [0, 0];
    for (let study = 0; study < NUM_STUDIES; study += 1) {
      const generator = createIndexGenerator(deriveSeed("coverage", study));
      const tasks = drawTasks(numTasks, tasksPerUser, generator);
      const [ownRates, baseRates] = [measure(own, tasks, trials, generator), measure(base, tasks, trials, generator)];
      const differences = totalsOf(tasks, (task) => (ownRates[task] ?? 0) - (baseRates[task] ?? 0));
      if (covers(differenceInterval(differences, 1 / trials, 0.95), truePassRate(own) - truePassRate(base))) difference += 1;
      const shares = totalsOf(tasks, (task) => ownRates[task] ?? 0);
      if (covers(shareInterval(shares, numTasks * trials, 0.95), truePassRate(own))) share += 1;
    }
    return { difference: difference / NUM_STUDIES, share: share / NUM_STUDIES };
  }
  type Truth = Parameters<typeof truePassRate>[0];

  test.each([
    { name: "8 tasks", numTasks: 8, tasksPerUser: 1, trials: 4, effects: [0, 0.7] },
    { name: "20 tasks", numTasks: 20, tasksPerUser: 1, trials: 4, effects: [0.5, 0.7] },
    { name: "20 tasks of about 10 users", numTasks: 20, tasksPerUser: 2, trials: 4, effects: [0, 0.7] },
    { name: "115 tasks of about 53 users", numTasks: 115, tasksPerUser: 2.2, trials: 4, effects: [0.5, 0.7] },
    { name: "40 hard tasks, one trial", numTasks: 40, tasksPerUser: 1, trials: 1, effects: [-3, 0] },
  ])("$name", ({ numTasks, tasksPerUser, trials, effects: [effect = 0, reshuffling = 0] }) => {
    const { difference, share } = coverage(numTasks, tasksPerUser, trials, [
      [effect, reshuffling],
      [Math.min(0, effect), reshuffling],
    ]);
    for (const covered of [difference, share]) {
      expect(covered).toBeGreaterThanOrEqual(LEAST);
      expect(covered).toBeLessThanOrEqual(MOST);
    }
  });
});

describe("a simulated campaign", () => {
  test("gives a cell that satisfies its contract, and the same one again", () => {
    for (const world of SimulatedWorld.options) {
      for (const rule of SimulatedRule.options) {
        const cell = run({ world, rule, numCampaigns: 20 });
        expect(SelectionTestbedCell.parse(cell)).toEqual(cell);
        expect(run({ world, rule, numCampaigns: 20 })).toEqual(cell);
      }
    }
  });

  test("the true pass rate is what very many tasks show", () => {
    const policy = { effect: 0.4, reshuffling: 0.7 };
    const generator = createIndexGenerator(deriveSeed("truth"));
    const tasks = drawTasks(60_000, 1, generator);
    const rates = measure(policy, tasks, 4, generator);
    expect(rates.reduce((sum, rate) => sum + rate, 0) / rates.length).toBeCloseTo(truePassRate(policy), 2);
    expect(truePassRate({ effect: 0, reshuffling: 0 })).toBeCloseTo(0.42, 3);
  });
});

describe("what a campaign reports", () => {
  test.each(["better", "not-worse", "always", "none"] as const)(
    "rule %s: the test is off by at most 0.5 points and 6 %% false positives",
    (rule) => {
      for (const size of [SMALL, LARGE]) {
        for (const world of ["identical", "reshuffled"] as const) {
          const { reportedBias, numExcludingZero, numCampaigns } = run({ size, world, rule, numCampaigns: 1000 });
          expect(Math.abs(reportedBias)).toBeLessThanOrEqual(0.005);
          expect(numExcludingZero / numCampaigns).toBeLessThanOrEqual(0.06);
        }
        expect(Math.abs(run({ size, world: "planted", rule, numCampaigns: 1000 }).reportedBias)).toBeLessThanOrEqual(0.005);
      }
    },
  );

  test("the figure that selected is points above the truth, and its interval excludes 0 far too often", () => {
    const { reportedBias, numExcludingZero, numCampaigns } = run({ rule: "0.1.0", numCampaigns: 1000 });
    expect(reportedBias).toBeGreaterThan(0.05);
    expect(numExcludingZero / numCampaigns).toBeGreaterThan(0.15);
  });

  test("also the rules of today flatter what they select, which is why it is not the result", () => {
    for (const rule of ["better", "not-worse"] as const) expect(run({ rule }).selectionBias).toBeGreaterThan(0.01);
    expect(Math.abs(run({ rule: "always" }).selectionBias ?? 1)).toBeLessThan(0.01);
  });

  test("a test of the size that it needs sees a planted effect; with 100 tasks the shipped margin goes with training, `better` does not", () => {
    const planted = (rule: SimulatedRule) => run({ size: LARGE, world: "planted", rule });
    const [notWorse, better] = [planted("not-worse"), planted("better")];
    expect(notWorse.meanGain).toBeGreaterThan(better.meanGain + 0.02);
    expect(notWorse.numExcludingZero).toBeGreaterThan(better.numExcludingZero);
  });
});
