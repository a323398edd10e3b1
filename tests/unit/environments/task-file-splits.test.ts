import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type SynthesizedTask, TaskFile } from "#contracts/task-file.ts";
import { TaskFile1 } from "#contracts/upcast/task-file-1.ts";
import { countSplits, upcastTaskFile, withSplits } from "#environments/task-file/splits.ts";

const OLD = TaskFile1.parse(JSON.parse(readFileSync(new URL("../../fixtures/task-files/0.1.0.json", import.meta.url), "utf8")));
const [example] = upcastTaskFile(OLD).tasks as [SynthesizedTask];

/** One task for each entry, of that user. */
const tasksOf = (userIds: readonly string[]): SynthesizedTask[] =>
  userIds.map((userId, index) => ({ ...example, task: { ...example.task, id: `t-${index}`, userId } }));
const usersOf = (tasks: readonly SynthesizedTask[], split: string) =>
  new Set(tasks.filter((one) => one.split === split).map(({ task }) => task.userId));

test("no user is in two splits, tasks keep their order, and nothing else of them changes", () => {
  const users = fc.array(fc.constantFrom(..."abcdefghijklmnopqrst"), { maxLength: 80 });
  const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });
  fc.assert(
    fc.property(users, share, fc.oneof(fc.constant(0), share), fc.nat(), (userIds, trainShare, selectionShare, seed) => {
      const tasks = withSplits(tasksOf(userIds), { trainShare, selectionShare, seed });
      expect(tasks.map(({ split: _, ...rest }) => rest)).toEqual(tasksOf(userIds).map(({ split: _, ...rest }) => rest));
      const [train, selection, test] = ["train", "selection", "test"].map((split) => usersOf(tasks, split).size) as [
        number,
        number,
        number,
      ];
      const numUsers = new Set(userIds).size;
      expect(train + selection + test).toBe(numUsers);
      if (numUsers > 1) expect(Math.min(train, test)).toBeGreaterThan(0);
      expect(selection > 0).toBe(selectionShare > 0 && selection + test > 1);
    }),
  );
});

test("a file of 0.1.0 is read as the synthesis of today makes it from the same options", () => {
  const file = TaskFile.parse(upcastTaskFile(OLD));
  expect(file.tasks).toEqual(withSplits(OLD.tasks, file.options));
  expect(file.counts).toMatchObject(countSplits(file.tasks));
  const heldOut = OLD.tasks.filter(({ split }) => split === "evaluation").map(({ task }) => task.id);
  expect(file.tasks.filter(({ split }) => split !== "train").map(({ task }) => task.id)).toEqual(heldOut);
});
