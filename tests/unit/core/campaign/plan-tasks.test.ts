import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SplitScheme } from "#contracts/campaign-config.ts";
import { groupSeed, planSelectionTasks, planTestTasks, planTrainTasks, type SeedConfig } from "#core/campaign/plan-tasks.ts";

const IDS = Array.from({ length: 20 }, (_, index) => `task-${String(index).padStart(2, "0")}`);
const config = (seed: number, evaluationSeed: number, splits: SplitScheme = "train-selection-test"): SeedConfig => ({
  seed,
  evaluation: { seed: evaluationSeed },
  environment: { splits },
});
const PLANS = [
  ["selection", planSelectionTasks],
  ["test", planTestTasks],
] as const;

describe("a campaign of 0.1.0, whose evaluation seed is its own", () => {
  const old = config(7, 7, "train-evaluation");

  test("goes on with the tasks and seeds that 0.1.0 gave it", () => {
    expect(planSelectionTasks(IDS, 5, old)).toEqual(["task-05", "task-07", "task-12", "task-15", "task-17"]);
    expect(groupSeed(old, "selection", 3, "task-04")).toBe("33f13023a3977e28d431f04d81edb56bb0910e4984d1d6f02e32e27385b7a151");
    expect(groupSeed(old, "train", 3, "task-04")).toBe("9a23879992611677a44e0822652bc203714ff6d21a9a80420ead2f0c28e04e73");
    expect(planTrainTasks(IDS, 3, 7, 2)).toEqual(["task-17", "task-14", "task-11"]);
  });
});

describe.each(PLANS)("%s tasks", (split, plan) => {
  test("are the same for every campaign with one evaluation seed, whatever its own seed, and so are their groups' seeds", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), fc.integer({ min: 0, max: 20 }), (seed, other, evaluationSeed, count) => {
        const [one, two] = [config(seed, evaluationSeed), config(other, evaluationSeed)];
        const planned = plan(IDS, count, one);
        expect(planned).toEqual(plan(IDS.toReversed(), count, two));
        expect(new Set(planned).size).toBe(count);
        expect(IDS).toEqual(expect.arrayContaining(planned));
        for (const id of planned) expect(groupSeed(one, split, 1, id)).toBe(groupSeed(two, split, 9, id));
      }),
    );
  });

  test("are drawn by the evaluation seed", () => {
    expect(plan(IDS, 5, config(1, 1))).not.toEqual(plan(IDS, 5, config(1, 2)));
    expect(groupSeed(config(1, 1), split, 1, "a")).not.toBe(groupSeed(config(1, 2), split, 1, "a"));
  });

  test("more than there are is refused by key", () => {
    expect(() => plan(IDS, 21, config(1, 1))).toThrow(
      expect.objectContaining({ code: "config.invalid", message: `${split}.tasks is 21, but the ${split} split has 20 tasks` }),
    );
  });
});

test("seeds of groups differ by purpose; those of training also by campaign and iteration", () => {
  const seeds = (["train", "selection", "test"] as const).map((purpose) => groupSeed(config(1, 1), purpose, 1, "a"));
  const others = [groupSeed(config(2, 1), "train", 1, "a"), groupSeed(config(1, 1), "train", 2, "a")];
  expect(new Set([...seeds, ...others]).size).toBe(5);
});

test("training slices of a pass share no task, and a pass goes through the split", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(), fc.nat(5), (count, seed, pass) => {
      const slices = Math.floor(IDS.length / count);
      const planned = Array.from({ length: slices }, (_, index) => planTrainTasks(IDS, count, seed, pass * slices + index + 1)).flat();
      expect(new Set(planned).size).toBe(slices * count);
    }),
  );
});
