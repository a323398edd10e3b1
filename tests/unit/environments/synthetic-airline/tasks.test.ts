import { expect, test } from "vitest";
import { createSyntheticAirline, syntheticSource } from "#environments/synthetic-airline/airline.ts";
import { demonstration } from "#environments/synthetic-airline/demonstrations.ts";
import { expertConversation } from "#environments/synthetic-airline/expert-conversation.ts";
import { generateTask } from "#environments/synthetic-airline/tasks.ts";

const source = syntheticSource(1);
const { environment, splits } = createSyntheticAirline(1);
const allTasks = Object.values(splits).flat();
const heldOut = [...splits.selection, ...splits.test];

test("the splits share no user", () => {
  const users = Object.values(splits).map((tasks) => new Set(tasks.map(({ userId }) => userId)));
  expect(new Set(users.flatMap((set) => [...set])).size).toBe(users.reduce((sum, set) => sum + set.size, 0));
  expect(Object.values(source.users).map((ids) => ids.length)).toEqual([200, 180, 120]);
});

test("there are at least 600 training and 400 held-out tasks, with ids of their own", () => {
  expect(splits.train.length).toBeGreaterThanOrEqual(600);
  expect(heldOut.length).toBeGreaterThanOrEqual(400);
  expect(new Set(allTasks.map(({ id }) => id)).size).toBe(allTasks.length);
  expect(splits.train[1]?.id).toBe("train-0001");
});

test("golden actions replay without error and change the database exactly when there are golden writes", () => {
  const initial = environment.stateHash(environment.reset());
  for (const task of allTasks) {
    let state = environment.reset();
    for (const action of task.goldenActions) {
      const result = environment.step(state, action);
      expect(result.isError, `${task.id} ${action.name}`).toBe(false);
      state = result.state;
    }
    const numWrites = task.goldenActions.filter(({ name }) => environment.isWrite(name)).length;
    expect(numWrites).toBe(task.difficulty.numWrites);
    expect(environment.stateHash(state) !== initial).toBe(numWrites > 0);
  }
});

test("a task depends on seed, split and index alone", () => {
  expect(generateTask(source, "train", 17)).toEqual(splits.train[17]);
  expect(generateTask(syntheticSource(2), "train", 17)).not.toEqual(splits.train[17]);
});

test("every kind occurs in every split, granted and refused", () => {
  for (const tasks of [splits.sft, splits.train, heldOut]) {
    for (const kind of ["cancel", "bags", "cabin", "flight", "certificate"]) {
      const writes = tasks.filter((task) => task.kind === kind).map(({ difficulty }) => difficulty.numWrites);
      expect(new Set(writes), kind).toEqual(new Set([0, 1]));
    }
    expect(tasks.filter(({ kind }) => kind === "two-wishes").length / tasks.length).toBeGreaterThan(0.1);
  }
});

test("doing nothing passes between 10 and 25 percent of the held-out tasks", () => {
  const idle = heldOut.filter((task) => environment.grade(environment.reset(), task, []).reward === 1).length;
  expect(idle / heldOut.length).toBeGreaterThan(0.1);
  expect(idle / heldOut.length).toBeLessThan(0.25);
});

test("the expert without slips passes every task", () => {
  const failed = allTasks.filter((task) => !expertConversation(source, task, `seed of ${task.id}`, 0).isPassed);
  expect(failed.map(({ id }) => id)).toEqual([]);
});

test("an expert with a slip in every wish fails most tasks", () => {
  const passed = splits.train.filter((task) => expertConversation(source, task, task.id, 1).isPassed).length;
  expect(passed / splits.train.length).toBeLessThan(0.15);
});

test("the same index and slip rate give the same demonstration", () => {
  expect(demonstration(source, "sft", 3, 0.5)).toEqual(demonstration(syntheticSource(1), "sft", 3, 0.5));
});

test("no control token stands inside a demonstration's segments", () => {
  for (let index = 0; index < 100; index++) {
    for (const { text, trained } of demonstration(source, "sft", index, 0.5).row.segments) {
      expect(text).toMatch(trained ? /^[^<>]+<e>$/ : /^<[ut]>[^<>]*<a>$/);
    }
  }
});

test("the tasks of seed 1 are those of 0.1.0: held-out ones were divided, none was changed", () => {
  expect(environment.dataSha256).toBe("8c2bc5ef5e7a772dbd083183b6c9376193f4b54fce6355b7ffa329982f790966");
  expect(new Set(heldOut.map(({ id }) => id))).toEqual(
    new Set(Array.from({ length: 400 }, (_, index) => `evaluation-${String(index).padStart(4, "0")}`)),
  );
});

test.each([1, 2, 3])("a third of the held-out tasks of seed %i is for selection, by user", (seed) => {
  const { selection, test } = seed === 1 ? splits : createSyntheticAirline(seed).splits;
  expect(selection.length).toBeGreaterThanOrEqual(128);
  expect(selection.length).toBeLessThanOrEqual(133);
  expect(selection.length + test.length).toBe(400);
});
