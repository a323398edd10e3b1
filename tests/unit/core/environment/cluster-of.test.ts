import fc from "fast-check";
import { expect, test } from "vitest";
import { clusterOf } from "#core/environment/cluster-of.ts";

const task = fc.record({ id: fc.constantFrom("a", "b", "c", "ann"), userId: fc.constantFrom("", "a", "ann", "user a") });

test("two tasks are of one cluster exactly when they share a known user or are the same task", () => {
  fc.assert(
    fc.property(task, task, (left, right) => {
      const isSame = left.userId === right.userId && (left.userId !== "" || left.id === right.id);
      expect(clusterOf(left) === clusterOf(right)).toBe(isSame);
    }),
  );
});
