import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { type AdvantageGroup, computeAdvantages } from "#core/advantage/compute-advantages.ts";
import { anyGroups as groups, anyMembers as members } from "./any-groups.ts";
import { advantagesOf, expectClose, group } from "./worked-examples.ts";

const whole = (list: AdvantageGroup[]) =>
  list.map((each) => ({ ...each, members: each.members.map((one) => ({ ...one, isTruncated: false })) }));

const CONFIGS = [
  { type: "grpo/1" },
  { type: "grpo/1", normalizeByStd: false },
  { type: "mt-grpo/1" },
  { type: "mt-grpo/1", alpha: 0.7, lastTurnRewarded: false },
  { type: "mt-grpo/2" },
  { type: "mt-grpo/2", alpha: 0.7, truncated: "drop" },
  { type: "mt-grpo/2", normalizeByStd: true },
  { type: "gtpo/1" },
  { type: "gtpo-hybrid/1" },
  { type: "gtpo-hybrid/1", scope: "group" },
  { type: "gtpo-hybrid/1", scope: "batch", truncated: "drop" },
  { type: "gtpo-hybrid/1", missingTurns: "zero", truncated: "mask" },
  { type: "gdpo/1", truncated: "drop" },
  { type: "proxmo/1" },
  { type: "a3/1", truncated: "mask" },
].map((config) => AdvantageConfig.parse({ degenerateGroups: "keep", ...config }));
/** A group whose turns all did and read the same. */
const withConversation = (one: AdvantageGroup): AdvantageGroup => ({
  ...one,
  members: one.members.map((each) => ({
    ...each,
    actions_T: each.turnRewards_T.map(() => "get"),
    observations_T: each.turnRewards_T.map(() => "state"),
  })),
});
const parse = (config: Record<string, unknown>) => AdvantageConfig.parse({ degenerateGroups: "keep", ...config });

describe("laws of the estimators", () => {
  test("hybrid with lambda 0 is GTPO", () => {
    fc.assert(
      fc.property(groups, (list) => {
        expect(computeAdvantages(list, parse({ type: "gtpo-hybrid/1", lambda: 0 })).advantages).toEqual(
          computeAdvantages(list, parse({ type: "gtpo/1" })).advantages,
        );
      }),
    );
  });

  test.each([
    { type: "mt-grpo/1", grpo: {} },
    { type: "mt-grpo/2", grpo: { normalizeByStd: false } },
  ])("$type without turn rewards is GRPO on every turn", ({ type, grpo }) => {
    fc.assert(
      fc.property(groups, (list) => {
        const sparse = list.map((each) => ({
          ...each,
          members: each.members.map((one) => ({ ...one, turnRewards_T: one.turnRewards_T.map(() => 0) })),
        }));
        expect(computeAdvantages(sparse, parse({ type })).advantages).toEqual(
          computeAdvantages(sparse, parse({ type: "grpo/1", ...grpo })).advantages,
        );
      }),
    );
  });

  test("GTPO with gamma 0 sees only the immediate reward", () => {
    fc.assert(
      fc.property(groups, (list) => {
        const immediate = parse({ type: "gtpo/1", gamma: 0 });
        const flipped = list.map((each) => ({
          ...each,
          members: each.members.map((one) => ({ ...one, outcome: one.outcome === 1 ? (0 as const) : (1 as const), isTruncated: false })),
        }));
        expect(computeAdvantages(whole(list), immediate).advantages).toEqual(computeAdvantages(flipped, immediate).advantages);
      }),
    );
  });

  test("GTPO advantages sum to zero over the members that reached a turn", () => {
    fc.assert(
      fc.property(members, (list) => {
        const one = { taskId: "task", members: list.map((each, trial) => ({ ...each, trial })) };
        const [advantages] = computeAdvantages([one], parse({ type: "gtpo/1" })).advantages;
        for (let turn = 0; turn < 6; turn += 1) {
          const sum = (advantages ?? []).reduce((total, row) => total + (row[turn] ?? 0), 0);
          expect(Math.abs(sum)).toBeLessThan(1e-9);
        }
      }),
    );
  });

  test("mt-grpo/2 is mt-grpo/1 where all members have the same number of turns", () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 1, max: 6 }), (list, numTurns) => {
        const rewards = list.map((one) => Array.from({ length: numTurns }, (_, k) => one.turnRewards_T[k] ?? 0.5));
        const outcomes = list.map((one) => one.outcome);
        expect(advantagesOf(rewards, outcomes, { type: "mt-grpo/2", normalizeByStd: true })).toEqual(
          advantagesOf(rewards, outcomes, { type: "mt-grpo/1" }),
        );
      }),
    );
  });

  test.each([true, false])(
    "mt-grpo/2 sums to zero over the group at the first turn, where nobody has stopped (normalizeByStd %s)",
    (normalizeByStd) => {
      fc.assert(
        fc.property(members, (list) => {
          const config = parse({ type: "mt-grpo/2", normalizeByStd });
          const one = { taskId: "task", members: list.map((each, trial) => ({ ...each, trial })) };
          const [advantages] = computeAdvantages([one], config).advantages;
          expect(Math.abs((advantages ?? []).reduce((total, row) => total + (row[0] ?? 0), 0))).toBeLessThan(1e-9);
        }),
      );
    },
  );

  test("mt-grpo/2 gives a stopped rollout what it would get for going on and earning nothing", () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 0, max: 6 }), (list, extra) => {
        const outcomes = list.map((one) => one.outcome);
        const rewards = list.map((one) => [...one.turnRewards_T]);
        const [first = [], ...others] = rewards;
        const longest = Math.max(...rewards.map((row) => row.length));
        const padded = [...first, ...new Array<number>(Math.min(extra, longest - first.length)).fill(0)];
        const stopped = advantagesOf(rewards, outcomes, { type: "mt-grpo/2" });
        const wentOn = advantagesOf([padded, ...others], outcomes, { type: "mt-grpo/2" });
        expect(wentOn[0]?.slice(0, first.length)).toEqual(stopped[0]);
        expect(wentOn.slice(1)).toEqual(stopped.slice(1));
      }),
    );
  });

  test("scaling all rewards by a positive factor leaves immediate z-scores unchanged up to epsilon", () => {
    fc.assert(
      fc.property(members, fc.constantFrom(0.5, 2, 10), (list, factor) => {
        const config = parse({ type: "mt-grpo/1", lambda: 0, epsilon: 1e-12 });
        const one = { taskId: "task", members: list.map((each, trial) => ({ ...each, trial, isTruncated: false })) };
        const scaled = {
          ...one,
          members: one.members.map((each) => ({ ...each, turnRewards_T: each.turnRewards_T.map((value) => value * factor) })),
        };
        expectClose(computeAdvantages([scaled], config).advantages[0] ?? [], computeAdvantages([one], config).advantages[0] ?? [], 1e-9);
      }),
    );
  });

  test("a graded reward gives PROXMO a value between those of a failure and a pass, which are the paper's", () => {
    const first = (outcome: number) => {
      const members = [outcome, 0, 1].map((reward, trial) => ({
        trial,
        outcome: reward,
        turnRewards_T: [0],
        isTruncated: false,
        observations_T: ["s"],
      }));
      return computeAdvantages([{ taskId: "t", members }], parse({ type: "proxmo/1" })).advantages[0]?.[0]?.[0] ?? Number.NaN;
    };
    const [low, half, high] = [first(0), first(0.5), first(1)];
    expect(low).toBeLessThan(half);
    expect(half).toBeLessThan(high);
  });

  test.each([-0.1, 1.1, Number.NaN])("an outcome of %s is refused with its place", (outcome) => {
    expect(() => advantagesOf([[0]], [outcome], { type: "grpo/1" })).toThrowError(/trial 0: the outcome is/);
  });

  test("flipping every outcome of a group negates its GRPO advantages", () => {
    fc.assert(
      fc.property(members, (list) => {
        const outcomes = list.map((one) => one.outcome);
        const rewards = list.map(() => [0]);
        const flipped = advantagesOf(
          rewards,
          outcomes.map((outcome) => 1 - outcome),
          { type: "grpo/1" },
        );
        expectClose(
          flipped.map((row) => row.map((value) => -value)),
          advantagesOf(rewards, outcomes, { type: "grpo/1" }),
          1e-12,
        );
      }),
    );
  });
});

describe("edge cases", () => {
  test.each(CONFIGS.map((config) => ({ name: `${config.type} ${JSON.stringify(config)}`, config })))(
    "a group of one gets nothing: $name",
    ({ config }) => {
      const rewards = "scope" in config && config.scope === "batch" ? [[1]] : [[1, 0.3]];
      expect(
        computeAdvantages([withConversation(group(rewards, [1]))], config)
          .advantages.flat(2)
          .every((value) => value === 0),
      ).toBe(true);
    },
  );

  test("a3 is bounded, and rewards the branch that fares better at a fork", () => {
    const members = [1, 1, 0, 0].map((outcome, trial) => ({
      trial,
      outcome: outcome as 0 | 1,
      isTruncated: false,
      turnRewards_T: [0, 0],
      actions_T: ["get", outcome === 1 ? "put" : "message"],
    }));
    const [advantages] = computeAdvantages([{ taskId: "t", members }], parse({ type: "a3/1" })).advantages;
    expect(advantages?.[0]?.[1]).toBeGreaterThan(0.9);
    expect(advantages?.[2]?.[1]).toBeLessThan(-0.9);
    expect((advantages ?? []).flat().every((value) => Math.abs(value) <= 1.1)).toBe(true);
  });

  test("proxmo compares a turn with turns in similar states, wherever they stand", () => {
    const member = (trial: number, outcome: 0 | 1, states: string[]) => ({
      trial,
      outcome,
      isTruncated: false,
      turnRewards_T: states.map(() => 0),
      observations_T: states,
    });
    const list = [{ taskId: "t", members: [member(0, 1, ["greeting", "refund question"]), member(1, 0, ["refund question"])] }];
    const [advantages] = computeAdvantages(list, parse({ type: "proxmo/1", omega: 1, polarBeta: 0 })).advantages;
    expect(advantages?.[0]?.[0]).toBeCloseTo(0.5, 2);
    expect(advantages?.[0]?.[1]).toBeCloseTo(0.5 + 0.5, 2);
    expect(advantages?.[1]?.[0]).toBeCloseTo(-0.5 - 0.5, 2);
  });

  test("reward jitter below 1e-9 gives exactly 0", () => {
    expect(advantagesOf([[0.1 + 1e-12], [0.1]], [1, 1], { type: "gtpo-hybrid/1" })).toEqual([[0], [0]]);
  });

  test("a turn that only one member reached gets lambda times the outcome advantage from the hybrid", () => {
    const [, longer] = advantagesOf([[0], [0, 1]], [0, 1], { type: "gtpo-hybrid/1" });
    expect(longer?.[1]).toBeCloseTo(0.3 * Math.SQRT1_2, 5);
  });

  test("verl's raw singletons leak the value, the default does not", () => {
    expect(advantagesOf([[0]], [1], { type: "grpo/1", singletons: "raw" })[0]?.[0]).toBeCloseTo(1, 5);
    expect(advantagesOf([[0]], [1], { type: "grpo/1" })).toEqual([[0]]);
  });

  test("a truncated rollout counts as failed, is masked, or leaves the statistics", () => {
    const members = [
      { trial: 0, turnRewards_T: [0], outcome: 1 as const, isTruncated: false },
      { trial: 1, turnRewards_T: [0], outcome: 0 as const, isTruncated: false },
      { trial: 2, turnRewards_T: [0], outcome: 1 as const, isTruncated: true },
    ];
    const run = (truncated: string) =>
      computeAdvantages([{ taskId: "t", members }], parse({ type: "grpo/1", truncated })).advantages[0]?.map((row) => row[0] ?? Number.NaN);
    const asFailed = advantagesOf([[0], [0], [0]], [1, 0, 0], { type: "grpo/1" }).map((row) => row[0]);
    expect(run("zero")).toEqual(asFailed);
    expect(run("mask")).toEqual([asFailed[0], asFailed[1], 0]);
    expect(run("drop")?.[2]).toBe(0);
    expect(run("drop")?.[0]).toBeCloseTo(Math.SQRT1_2, 5);
  });

  test("dropped degenerate groups leave the statistics of the batch, zeroed ones stay in them", () => {
    const list = [group([[1], [0]], [1, 0], "mixed"), group([[5], [5]], [1, 1], "degenerate")];
    const run = (degenerateGroups: string) =>
      computeAdvantages(list, AdvantageConfig.parse({ type: "gtpo/1", scope: "batch", degenerateGroups })).advantages;
    expect(run("drop")[1]).toEqual([[0], [0]]);
    expect(run("outcome_only")[1]).toEqual([[0], [0]]);
    expect(run("drop")[0]).not.toEqual(run("outcome_only")[0]);
  });

  test("a minimum set size of 3 silences pairs", () => {
    expect(advantagesOf([[0], [0]], [1, 0], { type: "grpo/1", minSetSize: 3 })).toEqual([[0], [0]]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("a turn reward of %s is refused with its place", (value) => {
    expect(() => advantagesOf([[0], [0, value]], [1, 0], { type: "gtpo/1" })).toThrowError(/task-a, trial 1, turn 1/);
  });

  test("diagnostics count sets, degenerate groups and dead turns", () => {
    const { diagnostics } = computeAdvantages([group([[0], [0, 0]], [1, 0]), group([[0], [0]], [1, 1], "b")], parse({ type: "gtpo/1" }));
    expect(diagnostics).toMatchObject({
      numGroups: 2,
      numDegenerateGroups: 1,
      numSetsBySize: { 1: 1, 2: 2 },
      numSingletonSets: 1,
      numZeroVarianceSets: 1,
      numTurns: 5,
      numDeadTurns: 3,
    });
  });
});
