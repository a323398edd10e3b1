import { describe, expect, test } from "vitest";
import type { GoldenTask } from "#contracts/task.ts";
import { createAdmission } from "#synthesis/admission.ts";
import { createBenchmark } from "#synthesis/contamination.ts";
import { synthesize } from "#synthesis/synthesize.ts";
import { environment, inputWith, synthesizeWith } from "./synthetic-input.ts";

const OPTIONS = { writes: [1, 2], evidence: [1, 2], perCell: 4 };
const clean = synthesizeWith(OPTIONS);
const isWrite = (name: string) => environment.isWrite(name);

/** A benchmark that holds this task under another id. */
const benchmarkTask = (task: GoldenTask, change: Partial<GoldenTask>): GoldenTask => ({ ...task, id: "known", ...change });
const [planted] = clean.tasks.filter(({ difficulty }) => difficulty.writes === 2).map(({ task }) => task);
if (planted === undefined) throw new Error("no task");

describe("a task is a benchmark's own", () => {
  const [one] = planted.goldenActions.filter(({ name }) => isWrite(name));
  if (one === undefined) throw new Error("no write");
  const writes = planted.goldenActions.filter(({ name }) => isWrite(name));
  const benchmark = createBenchmark([benchmarkTask(planted, {})], isWrite, 0.3);

  test("when the same user has the same writes, in any order and spelling", () => {
    const spelt = writes.toReversed().map(({ name, argumentsJson }) => ({ name, argumentsJson: argumentsJson.replaceAll(":", ": ") }));
    expect(benchmark.check(planted.userId, spelt, "")).toMatchObject({ sameWrites: "known", isFlagged: true });
  });

  test("not when another user has them, or the user has others", () => {
    expect(benchmark.check("somebody", writes, "")).toMatchObject({ sameWrites: null, isFlagged: false });
    expect(benchmark.check(planted.userId, [one], "")).toMatchObject({ sameWrites: null });
    expect(benchmark.check(planted.userId, [], "")).toMatchObject({ sameWrites: null });
  });

  test("when its instruction is in the benchmark's words", () => {
    expect(benchmark.check("somebody", [], planted.instruction)).toEqual({
      sameWrites: null,
      overlap: 1,
      overlapsWith: "known",
      isFlagged: true,
    });
    expect(benchmark.check("somebody", [], "You want to fly to the moon and back before lunch.")).toMatchObject({
      overlap: 0,
      isFlagged: false,
    });
  });

  test("by the share of sequences of five words that one of its tasks has too", () => {
    const few = createBenchmark([benchmarkTask(planted, { instruction: "one two three four five six" })], isWrite, 0.3);
    expect(few.check("x", [], "One, two, three: four five seven eight").overlap).toBe(0.333);
    expect(few.check("x", [], "too short")).toMatchObject({ overlap: 0, overlapsWith: null });
  });
});

test("contaminated tasks are dropped and counted, or flagged and counted", () => {
  const benchmarkTasks = [benchmarkTask(planted, { instruction: "other words" })];
  const dropped = synthesize(inputWith(OPTIONS, { benchmarkTasks }));
  expect(dropped.counts.contaminated).toBe(1);
  expect(dropped.tasks.some(({ contamination }) => contamination.isFlagged)).toBe(false);
  const flagged = synthesize(inputWith({ ...OPTIONS, contaminated: "flag" }, { benchmarkTasks }));
  expect(flagged.counts.contaminated).toBe(1);
  expect(flagged.tasks.filter(({ contamination }) => contamination.isFlagged).map(({ task }) => task.goldenActions)).toEqual([
    planted.goldenActions,
  ]);
  expect(flagged.counts.benchmarkUsers).toBeGreaterThan(0);
});

test("what was asked of a user once is not asked again, in whatever words and order", () => {
  const [entry] = clean.tasks.filter(({ difficulty }) => difficulty.writes === 2);
  if (entry === undefined) throw new Error("no task");
  const admission = createAdmission(createBenchmark([], isWrite, 0.3), { contaminated: "drop" });
  const other = { ...entry, task: { ...entry.task, id: "other", instruction: "other words" }, decisions: entry.decisions.toReversed() };
  expect(admission.admit(entry)).not.toBeNull();
  expect(admission.admit(other)).toBeNull();
  expect(admission.tally).toEqual({ duplicates: 1, contaminated: 0 });
  expect(admission.admit({ ...other, task: { ...other.task, userId: "somebody" } })).not.toBeNull();
});
