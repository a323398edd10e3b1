import { describe, expect, test } from "vitest";
import { prepareGroups } from "#core/advantage/groups.ts";
import { outcomeAdvantages } from "#core/advantage/grpo.ts";
import { immediateAdvantages } from "#core/advantage/mt-grpo.ts";
import { createSetCounts, type TurnNormalization } from "#core/advantage/normalization.ts";
import { turnReturns } from "#core/advantage/returns.ts";
import { advantagesOf, EXAMPLE_2_IRC, EXAMPLE_2_NAIVE, EXAMPLE_2_OUTCOMES, expectClose, group } from "./worked-examples.ts";

const DEFAULTS: TurnNormalization = { ddof: 1, epsilon: 1e-6, minSetSize: 2, singletons: "zero", missingTurns: "leave-out" };
const prepare = (rewards: number[][], outcomes: readonly number[]) => {
  const prepared = prepareGroups([group(rewards, outcomes)], { truncated: "zero", degenerateGroups: "keep" })[0];
  if (prepared === undefined) throw new Error("the group was dropped");
  return prepared;
};

describe("example 1: GRPO", () => {
  test.each([
    { outcomes: [1, 1, 0, 0], ddof: 1, expected: [0.866024, 0.866024, -0.866024, -0.866024] },
    { outcomes: [1, 0, 0, 0], ddof: 1, expected: [1.499997, -0.499999, -0.499999, -0.499999] },
    { outcomes: [1, 1, 1, 0], ddof: 1, expected: [0.499999, 0.499999, 0.499999, -1.499997] },
    { outcomes: [1, 1, 1, 1], ddof: 1, expected: [0, 0, 0, 0] },
    { outcomes: [1, 1, 0, 0], ddof: 0, expected: [0.999998, 0.999998, -0.999998, -0.999998] },
    { outcomes: [1, 0, 0, 0], ddof: 0, expected: [1.732047, -0.577349, -0.577349, -0.577349] },
    { outcomes: [1, 1, 1, 0], ddof: 0, expected: [0.577349, 0.577349, 0.577349, -1.732047] },
  ])("outcomes $outcomes with ddof $ddof", ({ outcomes, ddof, expected }) => {
    expectClose(
      advantagesOf(
        outcomes.map(() => [0]),
        outcomes,
        { type: "grpo/1", ddof },
      ),
      expected.map((value) => [value]),
    );
  });

  test("without the division it is Dr. GRPO: outcome minus group mean", () => {
    expectClose(
      advantagesOf([[0], [0], [0], [0]], [1, 0, 0, 0], { type: "grpo/1", normalizeByStd: false }),
      [[0.75], [-0.25], [-0.25], [-0.25]],
      1e-12,
    );
  });
});

describe("vectors of others", () => {
  const outcomes = [1, 1, 1, 0, 0, 0, 0, 0];
  const rewards = outcomes.map(() => [0]);

  test.each([
    { name: "GRPO, 8 rollouts, 3 right", config: { type: "grpo/1" }, right: 1.2076, wrong: -0.7246 },
    { name: "without the deviation", config: { type: "grpo/1", normalizeByStd: false }, right: 0.625, wrong: -0.375 },
    { name: "mt-grpo/2 without turn rewards", config: { type: "mt-grpo/2" }, right: 0.625, wrong: -0.375 },
  ])("$name", ({ config, right, wrong }) => {
    expectClose(
      advantagesOf(rewards, outcomes, config),
      outcomes.map((outcome) => [outcome === 1 ? right : wrong]),
      1e-4,
    );
  });

  test("one stop and one that goes on for 0.5, by hand: the stop is charged half of what it did not earn", () => {
    expectClose(advantagesOf([[0], [0, 0.5]], [1, 1], { type: "mt-grpo/2" }), [[-0.25], [0.25, 0.25]], 1e-12);
    expectClose(advantagesOf([[0], [0, 0.5]], [1, 1], { type: "mt-grpo/1" }), [[0], [0, 0]], 1e-12);
  });

  test.each(["mt-grpo/1", "mt-grpo/2", "gtpo/1", "gtpo-hybrid/1"])("%s: equal totals that come at other turns differ", (type) => {
    const [early, late] = advantagesOf(
      [
        [1, 1, 0],
        [0, 1, 1],
        [0, 0, 0],
      ],
      [1, 1, 0],
      { type },
    );
    expect(early?.[2]).not.toBeCloseTo(late?.[2] ?? Number.NaN, 6);
  });
});

describe("example 2: one group of turn counts 3, 3, 2, 4", () => {
  test("outcome and immediate advantages", () => {
    const prepared = prepare(EXAMPLE_2_NAIVE, EXAMPLE_2_OUTCOMES);
    expectClose([outcomeAdvantages(prepared, DEFAULTS, createSetCounts())], [[0.866024, 0.866024, -0.866024, -0.866024]]);
    expectClose(immediateAdvantages(prepared, DEFAULTS, createSetCounts()), [
      [0.499998, 1.125177, -0.41478],
      [0.499998, 0.516973, 1.140645],
      [0.499998, -1.064357],
      [-1.499993, -0.577794, -0.725865, 0],
    ]);
  });

  test("returns at gamma 0.9 with a virtual terminal turn", () => {
    const returns = EXAMPLE_2_NAIVE.map((rewards, i) =>
      turnReturns(rewards, EXAMPLE_2_OUTCOMES[i] ?? 0, { gamma: 0.9, terminal: "virtual" }),
    );
    expectClose(
      returns,
      [
        [1.929, 1.81, 0.9],
        [2.514, 2.46, 1.9],
        [0.39, 0.1],
        [0.008, 0.12, -0.2, 0],
      ],
      1e-12,
    );
  });

  test.each([
    {
      name: "MT-GRPO, alpha 1, lambda 1 (naive dense)",
      config: { type: "mt-grpo/1" },
      expected: [
        [2.076418, 1.576421, 0.451244],
        [3.02364, 2.523642, 2.006669],
        [-1.430383, -1.930381],
        [-3.669675, -2.169683, -1.591889, -0.866024],
      ],
    },
    {
      name: "MT-GRPO, alpha 0.9",
      config: { type: "mt-grpo/1", alpha: 0.9 },
      expected: [
        [1.808016, 1.453354, 0.364641],
        [2.520527, 2.245033, 1.920067],
        [-1.159403, -1.843778],
        [-3.176156, -1.862404, -1.427344, -0.779422],
      ],
    },
    {
      name: "GTPO, scope turn",
      config: { type: "gtpo/1" },
      expected: [
        [0.59795, 0.573442, 0.031734],
        [1.084629, 1.115606, 0.983754],
        [-0.68239, -0.852865],
        [-1.000188, -0.836183, -1.015488, 0],
      ],
    },
    {
      name: "GTPO, scope group",
      config: { type: "gtpo/1", scope: "group" },
      expected: [
        [0.889665, 0.776405, -0.089704],
        [1.446449, 1.395054, 0.862064],
        [-0.575106, -0.851118],
        [-0.938681, -0.832083, -1.136649, -0.946295],
      ],
    },
    {
      name: "GTPO, scope batch, where the batch is one group",
      config: { type: "gtpo/1", scope: "batch" },
      expected: [
        [0.889665, 0.776405, -0.089704],
        [1.446449, 1.395054, 0.862064],
        [-0.575106, -0.851118],
        [-0.938681, -0.832083, -1.136649, -0.946295],
      ],
    },
    {
      name: "hybrid",
      config: { type: "gtpo-hybrid/1" },
      expected: [
        [0.857757, 0.83325, 0.291541],
        [1.344436, 1.375413, 1.243561],
        [-0.942198, -1.112672],
        [-1.259995, -1.09599, -1.275296, -0.259807],
      ],
    },
    {
      name: "hybrid, terminal on the last turn",
      config: { type: "gtpo-hybrid/1", terminal: "last" },
      expected: [
        [0.868423, 0.845983, 0.32033],
        [1.337359, 1.36614, 1.22817],
        [-0.949785, -1.114064],
        [-1.255997, -1.098059, -1.288693, -0.259807],
      ],
    },
    {
      name: "hybrid, ddof 0",
      config: { type: "gtpo-hybrid/1", ddof: 0 },
      expected: [
        [0.990452, 0.962154, 0.338865],
        [1.55242, 1.58819, 1.504847],
        [-1.087956, -1.284803],
        [-1.454917, -1.265541, -1.543713, -0.299999],
      ],
    },
  ])("$name", ({ config, expected }) => {
    expectClose(advantagesOf(EXAMPLE_2_NAIVE, EXAMPLE_2_OUTCOMES, config), expected);
  });

  test("hybrid with the calibrated rewards of the paper", () => {
    expectClose(advantagesOf(EXAMPLE_2_IRC, EXAMPLE_2_OUTCOMES, { type: "gtpo-hybrid/1" }), [
      [0.871504, 0.865966, 0.291541],
      [1.344685, 1.350893, 1.243561],
      [-1.038533, -1.078588],
      [-1.177656, -1.138271, -1.275296, -0.259807],
    ]);
  });
});

describe("example 4: edge cases of the hybrid", () => {
  test.each([
    {
      name: "all fail, equal",
      rewards: [
        [0, 0],
        [0, 0],
      ],
      outcomes: [0, 0],
      expected: [
        [0, 0],
        [0, 0],
      ],
    },
    {
      name: "all pass, lengths 1 and 3: credit from length alone",
      rewards: [[0], [0, 0, 0]],
      outcomes: [1, 1],
      expected: [[0.707101], [-0.707101, 0, 0]],
    },
    {
      name: "all fail, one gold",
      rewards: [
        [0, 1],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      outcomes: [0, 0, 0, 0],
      expected: [
        [1.499997, 1.499997],
        [-0.499999, -0.499999],
        [-0.499999, -0.499999],
        [-0.499999, -0.499999],
      ],
    },
    {
      name: "a late turn that one member reaches",
      rewards: [[0], [0, -0.1]],
      outcomes: [1, 0],
      expected: [[0.919238], [-0.919238, -0.212132]],
    },
  ])("$name", ({ rewards, outcomes, expected }) => {
    expectClose(advantagesOf(rewards, outcomes, { type: "gtpo-hybrid/1" }), expected);
  });

  test("the default removes credit from groups whose outcomes are all equal", () => {
    const advantages = advantagesOf([[0], [0, 0, 0]], [1, 1], { type: "gtpo-hybrid/1", degenerateGroups: "outcome_only" });
    expect(advantages).toEqual([[0], [0, 0, 0]]);
  });
});
