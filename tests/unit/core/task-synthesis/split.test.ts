import fc from "fast-check";
import { expect, test } from "vitest";
import { drawEvaluationUsers } from "#core/task-synthesis/split.ts";

const users = fc.dictionary(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 6 }), { minKeys: 2, maxKeys: 60 });

test("whole users are held out, at most as many tasks as the share, and neither side is empty", () => {
  fc.assert(
    fc.property(users, fc.double({ min: 0.1, max: 0.9, noNaN: true }), fc.nat(), (counts, trainShare, seed) => {
      const numTasks = new Map(Object.entries(counts));
      const held = drawEvaluationUsers(numTasks, trainShare, seed);
      const total = Array.from(numTasks.values()).reduce((sum, count) => sum + count, 0);
      const size = Array.from(held).reduce((sum, userId) => sum + (numTasks.get(userId) ?? Number.NaN), 0);
      expect(held.size).toBeGreaterThan(0);
      expect(held.size).toBeLessThan(numTasks.size);
      if (held.size > 1) expect(size).toBeLessThanOrEqual(Math.round(total * (1 - trainShare)));
    }),
  );
});

test("two users with a task each are one on either side, whatever the share", () => {
  for (const trainShare of [0.05, 0.5, 0.95]) {
    const numTasks = new Map([
      ["a", 1],
      ["b", 1],
    ]);
    expect(drawEvaluationUsers(numTasks, trainShare, 1).size).toBe(1);
  }
});

test("many users with few tasks each are split as wanted", () => {
  const numTasks = new Map(Array.from({ length: 100 }, (_, index) => [`user-${index}`, 1 + (index % 3)]));
  const held = drawEvaluationUsers(numTasks, 0.8, 1);
  const size = Array.from(held).reduce((sum, userId) => sum + (numTasks.get(userId) ?? 0), 0);
  expect(size).toBe(40);
});

test("the seed decides who is held out, whatever order the users come in", () => {
  const entries = Array.from({ length: 30 }, (_, index): [string, number] => [`user-${index}`, 1]);
  const draw = (list: readonly (readonly [string, number])[], seed: number) => [...drawEvaluationUsers(new Map(list), 0.5, seed)].sort();
  expect(draw(entries.toReversed(), 1)).toEqual(draw(entries, 1));
  expect(draw(entries, 2)).not.toEqual(draw(entries, 1));
});
