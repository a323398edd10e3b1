import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GoldenTask } from "#contracts/task.ts";
import { drawUsers, holdOut, type UserDraw, withoutUsersOf } from "#core/environment/split-by-user.ts";

const OPTIONS = { draw: "selection-users", seed: 1, key: "environment.selectionTasks" } as const;
const DRAWS: UserDraw[] = ["evaluation-users", "selection-users"];

/** One task for each entry, of that user. */
const tasksOf = (userIds: readonly string[]): GoldenTask[] =>
  userIds.map((userId, index) => ({
    schemaVersion: 1,
    id: `task-${index}`,
    environment: "airline",
    userId,
    instruction: "",
    goldenActions: [],
    outputs: [],
    agenda: null,
    kind: "no-write",
    difficulty: { numWrites: 0, numReads: 0 },
  }));
const usersOf = (tasks: readonly GoldenTask[]) => new Set(tasks.map(({ userId }) => userId));
const shared = (left: readonly GoldenTask[], right: readonly GoldenTask[]) => left.filter(({ userId }) => usersOf(right).has(userId));
const tasks = fc.array(fc.constantFrom(..."abcdefghijklmnop"), { minLength: 1, maxLength: 60 }).map(tasksOf);
const draw = fc.record({ draw: fc.constantFrom(...DRAWS), seed: fc.nat() });

describe("holding out a number of tasks", () => {
  test("gives exactly that many, of whole users, both parts in the order of the tasks; or says which key asks for too many", () => {
    fc.assert(
      fc.property(tasks, fc.nat(60), draw, (all, count, options) => {
        let parts: { readonly rest: GoldenTask[]; readonly held: GoldenTask[] };
        try {
          parts = holdOut(all, count, { ...options, key: OPTIONS.key });
        } catch (error) {
          expect(error).toMatchObject({ code: "config.invalid", next: expect.stringContaining(OPTIONS.key) });
          expect(count).toBeGreaterThan(0);
          return;
        }
        const { rest, held } = parts;
        expect(held.length).toBe(count);
        expect(shared(rest, held)).toEqual([]);
        const ids = new Set(held.map(({ id }) => id));
        expect(all.filter(({ id }) => ids.has(id))).toEqual(held);
        expect(all.filter(({ id }) => !ids.has(id))).toEqual(rest);
      }),
    );
  });

  test("of users with one task each can have any number but all", () => {
    const all = tasksOf([..."abcdefgh"]);
    for (let count = 0; count < all.length; count++) expect(holdOut(all, count, OPTIONS).held.length).toBe(count);
    expect(() => holdOut(all, all.length, OPTIONS)).toThrow("cannot hold out 8 of 8 tasks");
  });
});

describe("drawing a share of the tasks", () => {
  test("draws whole users, at most as many tasks as the share, and neither side is empty", () => {
    fc.assert(
      fc.property(tasks, fc.double({ min: 0.1, max: 0.9, noNaN: true }), draw, (all, share, options) => {
        const drawn = drawUsers(all, share, options);
        const size = all.filter(({ userId }) => drawn.has(userId)).length;
        const numUsers = usersOf(all).size;
        expect(drawn.size).toBeGreaterThan(numUsers > 1 ? 0 : -1);
        expect(drawn.size).toBeLessThan(numUsers);
        if (drawn.size > 1) expect(size).toBeLessThanOrEqual(Math.round(all.length * share));
      }),
    );
  });

  test("gives one of two users with a task each, whatever the share", () => {
    for (const share of [0.05, 0.5, 0.95]) expect(drawUsers(tasksOf(["a", "b"]), share, OPTIONS).size).toBe(1);
  });

  test("meets the share where many users have few tasks each", () => {
    const all = tasksOf(Array.from({ length: 100 }, (_, index) => Array.from({ length: 1 + (index % 3) }, () => `user-${index}`)).flat());
    const drawn = drawUsers(all, 0.2, OPTIONS);
    expect(all.filter(({ userId }) => drawn.has(userId)).length).toBe(40);
  });
});

test("draw and seed decide who is held out, whatever order the users come in", () => {
  const all = tasksOf(Array.from({ length: 30 }, (_, index) => `user-${index}`));
  const drawn = (list: readonly GoldenTask[], options: { draw: UserDraw; seed: number }) => [...drawUsers(list, 0.5, options)].sort();
  const first = drawn(all, { draw: "evaluation-users", seed: 1 });
  expect(drawn(all.toReversed(), { draw: "evaluation-users", seed: 1 })).toEqual(first);
  expect(drawn(all, { draw: "evaluation-users", seed: 2 })).not.toEqual(first);
  expect(drawn(all, { draw: "selection-users", seed: 1 })).not.toEqual(first);
});

test("what shares a user with others is left out", () => {
  fc.assert(
    fc.property(tasks, tasks, (all, others) => {
      const kept = withoutUsersOf(all, others);
      expect(shared(kept, others)).toEqual([]);
      for (const { userId } of all.filter((task) => !kept.includes(task))) expect(usersOf(others)).toContain(userId);
    }),
  );
});
