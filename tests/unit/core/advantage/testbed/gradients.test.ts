import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { computeAdvantages } from "#core/advantage/compute-advantages.ts";
import { estimatorOf } from "#core/advantage/estimators.ts";
import { outcomeCredit, returnCredit } from "#core/advantage/objectives.ts";
import { type Choice, type Decision, type EnumeratedTrajectory, enumerateTrajectories } from "#core/advantage/testbed/decision-tree.ts";
import { countGroups, exactGradient, expectedGradient, lengthCredit } from "#core/advantage/testbed/gradients.ts";
import { PROBLEMS } from "#core/advantage/testbed/problems.ts";
import { anyTree } from "./any-tree.ts";

const parse = (config: Record<string, unknown>) => AdvantageConfig.parse({ degenerateGroups: "keep", ...config });
const mean = (trajectories: readonly EnumeratedTrajectory[], value: (trajectory: EnumeratedTrajectory) => number) =>
  trajectories.reduce((total, trajectory) => total + trajectory.probability * value(trajectory), 0);
const expectNear = (actual: readonly number[], expected: readonly number[], tolerance = 1e-9) => {
  expect(actual).toHaveLength(expected.length);
  for (const [d, value] of actual.entries()) expect(Math.abs(value - (expected[d] ?? Number.NaN)), `[${d}]`).toBeLessThan(tolerance);
};

/** The tree with one logit moved, counted as the tree is walked. */
function nudge(root: Decision, position: number, by: number): Decision {
  let next = 0;
  const visit = (decision: Decision): Decision => {
    const first = next;
    next += decision.choices.length;
    const choices = decision.choices.map(
      (choice, c): Choice => ({
        ...choice,
        logit: choice.logit + (first + c === position ? by : 0),
        next: typeof choice.next === "number" ? choice.next : visit(choice.next),
      }),
    );
    return { ...decision, choices };
  };
  return visit(root);
}

describe("true gradients", () => {
  test("probabilities of all trajectories sum to 1, and the expected score is 0", () => {
    fc.assert(
      fc.property(anyTree, (root) => {
        const trajectories = enumerateTrajectories(root);
        expect(mean(trajectories, () => 1)).toBeCloseTo(1, 12);
        const ones = exactGradient(trajectories, ({ rewards_T }) => rewards_T.map(() => 1));
        expectNear(
          ones,
          ones.map(() => 0),
          1e-12,
        );
      }),
    );
  });

  test.each([
    { name: "return", credit: returnCredit, value: (one: EnumeratedTrajectory) => one.rewards_T.reduce((a, b) => a + b, one.outcome) },
    { name: "outcome", credit: outcomeCredit, value: (one: EnumeratedTrajectory) => one.outcome },
    { name: "number of turns", credit: lengthCredit, value: (one: EnumeratedTrajectory) => one.rewards_T.length },
  ])("the gradient of the $name is its slope in every logit", ({ credit, value }) => {
    const STEP = 1e-5;
    fc.assert(
      fc.property(anyTree, (root) => {
        const gradient_D = exactGradient(enumerateTrajectories(root), credit);
        const slopes = gradient_D.map(
          (_, d) =>
            (mean(enumerateTrajectories(nudge(root, d, STEP)), value) - mean(enumerateTrajectories(nudge(root, d, -STEP)), value)) /
            (2 * STEP),
        );
        expectNear(gradient_D, slopes, 1e-8);
      }),
      { numRuns: 40 },
    );
  });
});

/** By definition: every ordered group of three, its probability, its advantages. */
function gradientByDefinition(trajectories: readonly EnumeratedTrajectory[], config: AdvantageConfig): number[] {
  const gradient_D = exactGradient(trajectories, () => []);
  for (const members of trajectories.flatMap((a) => trajectories.flatMap((b) => trajectories.map((c) => [a, b, c])))) {
    const probability = members.reduce((product, one) => product * one.probability, 1);
    const group = members.map((one, trial) => ({ ...one, trial, turnRewards_T: one.rewards_T, isTruncated: false }));
    const [advantages_GT = []] = computeAdvantages([{ taskId: "task", members: group }], config).advantages;
    for (const [i, { scores_TD }] of members.entries())
      for (const [k, score_D] of scores_TD.entries())
        for (const [d, score] of score_D.entries())
          gradient_D[d] = (gradient_D[d] ?? 0) + (probability * (advantages_GT[i]?.[k] ?? 0) * score) / members.length;
  }
  return gradient_D;
}

describe("expected gradients of estimators", () => {
  test.each([{ type: "mt-grpo/1" }, { type: "gtpo-hybrid/1" }, { type: "gdpo/1" }, { type: "proxmo/1" }, { type: "a3/1" }])(
    "$type: walking unordered groups gives what all ordered ones give",
    (config) => {
      fc.assert(
        fc.property(
          anyTree.map(enumerateTrajectories).filter(({ length }) => length <= 6),
          (trajectories) => {
            const { expected_D, numGroups } = expectedGradient(trajectories, 3, parse(config));
            expect(numGroups).toBe(countGroups(trajectories.length, 3));
            expectNear(expected_D, gradientByDefinition(trajectories, parse(config)), 1e-10);
          },
        ),
        { numRuns: 20 },
      );
    },
  );

  test("mt-grpo/2 is (G - 1) / G of the gradient of the discounted turn rewards plus lambda times the outcome, on any tree", () => {
    fc.assert(
      fc.property(
        anyTree.map(enumerateTrajectories).filter(({ length }) => length <= 8),
        fc.integer({ min: 2, max: 4 }),
        fc.constantFrom(1, 0.9, 0.5),
        fc.constantFrom(0, 0.3, 1),
        (trajectories, groupSize, alpha, lambda) => {
          const config = parse({ type: "mt-grpo/2", alpha, lambda });
          const true_D = exactGradient(trajectories, estimatorOf(config).objective(config));
          expectNear(
            expectedGradient(trajectories, groupSize, config).expected_D,
            true_D.map((value) => (value * (groupSize - 1)) / groupSize),
            1e-10,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test("grpo/1 without the deviation is (G - 1) / G of the gradient of the outcome, on any tree", () => {
    fc.assert(
      fc.property(
        anyTree.map(enumerateTrajectories).filter(({ length }) => length <= 8),
        (trajectories) => {
          const { expected_D } = expectedGradient(trajectories, 3, parse({ type: "grpo/1", normalizeByStd: false }));
          expectNear(
            expected_D,
            exactGradient(trajectories, outcomeCredit).map((value) => (value * 2) / 3),
            1e-10,
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  test.each([2, 3, 4])("one decision, groups of %i: mt-grpo/1 does not see what going on earns, mt-grpo/2 sees all of it", (groupSize) => {
    fc.assert(
      fc.property(fc.double({ min: -2, max: 2, noNaN: true }), (reward) => {
        const root: Decision = {
          observation: "start",
          choices: [
            { action: "stop", logit: 0.3, reward: 0, next: 0.6 },
            {
              action: "go_on",
              logit: 0,
              reward: 0,
              next: { observation: "later", choices: [{ action: "message", logit: 0, reward, next: 0.4 }] },
            },
          ],
        };
        const trajectories = enumerateTrajectories(root);
        const of = (config: Record<string, unknown>) => expectedGradient(trajectories, groupSize, parse(config)).expected_D;
        expectNear(of({ type: "mt-grpo/1" }), of({ type: "grpo/1" }));
        const stop = Math.exp(0.3) / (Math.exp(0.3) + 1);
        const worth = ((groupSize - 1) / groupSize) * stop * (1 - stop) * (reward - 0.2);
        expectNear(of({ type: "mt-grpo/2" }), [-worth, worth, 0]);
      }),
      { numRuns: 20 },
    );
  });
});

test("every problem can be walked in groups of 8", () => {
  for (const { name, root } of PROBLEMS) expect(countGroups(enumerateTrajectories(root).length, 8), name).toBeLessThan(10_000);
});
