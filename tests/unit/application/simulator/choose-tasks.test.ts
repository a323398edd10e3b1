import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseTasks } from "#application/simulator/choose-tasks.ts";
import { TASK } from "../../core/rollout/parties.ts";

const named = (ids: readonly string[]) => ids.map((id) => ({ ...TASK, id }));
const idsOf = ({ tasks }: { tasks: readonly { id: string }[] }) => tasks.map(({ id }) => id);
const ids = fc.uniqueArray(fc.oneof(fc.nat(60).map(String), fc.stringMatching(/^[a-z][a-z0-9-]{0,5}$/)), { minLength: 1, maxLength: 40 });

describe("the tasks of an audit", () => {
  test("are all of them, or the documented number, where nothing is chosen, whatever they are called", () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 50 }), (all, count) => {
        expect(idsOf(chooseTasks(named(all), {}, null))).toEqual(all);
        expect(chooseTasks(named(all), {}, count).tasks).toHaveLength(Math.min(count, all.length));
      }),
    );
  });

  test("are as many as a number says, also where a task is called by that number, which is said", () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 60 }), (all, count) => {
        const { tasks, notes } = chooseTasks(named(all), { tasks: String(count) }, null);
        expect(new Set(tasks).size).toBe(Math.min(count, all.length));
        expect(notes.some((note) => note.includes(`--task-ids ${count}`))).toBe(all.includes(String(count)));
        expect(notes.some((note) => note.includes("all are taken"))).toBe(count > all.length);
      }),
    );
  });

  test("are those whose ids are named, each once, numbers or not", () => {
    fc.assert(
      fc.property(ids, fc.nat(), (all, from) => {
        const some = all.slice(from % all.length);
        expect(idsOf(chooseTasks(named(all), { taskIds: [...some, ...some].join(", ") }, 1))).toEqual(some);
      }),
    );
    expect(idsOf(chooseTasks(named(["a", "b", "1", "2"]), { tasks: "1,2" }, null))).toEqual(["1", "2"]);
    expect(idsOf(chooseTasks(named(["a", "a, b"]), { taskIds: "a, b" }, null))).toEqual(["a, b"]);
  });

  test.each([
    [{ tasks: "0" }, "at least one task"],
    [{ taskIds: "3" }, "--task-ids: there is no task 3; the first is 1"],
    [{ tasks: "x" }, "--tasks: there is no task x"],
    [{ tasks: "1", taskIds: "1" }, "both choose tasks"],
  ])("are refused for %j", (choice, message) => {
    expect(() => chooseTasks(named(["1", "2"]), choice, null)).toThrow(message);
  });
});
