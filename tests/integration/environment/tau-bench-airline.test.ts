import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { splitByUser } from "#adapters/task-data/split-by-user.ts";
import { loadTauBenchAirline } from "#adapters/task-data/tau-bench.ts";
import { checkTask } from "#core/environment/check-task.ts";
import { doNothingFloor } from "#core/environment/do-nothing-floor.ts";
import { because, MISSING, TAU_BENCH } from "./tau-bench-data.ts";

describe.skipIf(MISSING !== null)(`tau-bench's airline${because}`, async () => {
  if (MISSING !== null) return;
  const { environment, splits } = await loadTauBenchAirline(TAU_BENCH, { evaluationTasks: 20, seed: 1 });
  const tasks = [...splits.train, ...splits.evaluation].sort((left, right) => (left.id < right.id ? -1 : 1));

  it("has 50 tasks, airline-00 to airline-49, 20 of them held out", () => {
    expect(tasks.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, index) => `airline-${String(index).padStart(2, "0")}`));
    expect(splits.evaluation.length).toBe(20);
    expect(splits.sft).toEqual([]);
  });

  it("has no user on both sides, for any number of held-out tasks and any seed", () => {
    for (const evaluationTasks of [1, 10, 20, 35, 49]) {
      const { train, evaluation } = splitByUser(tasks, { evaluationTasks, seed: evaluationTasks });
      const held = new Set(evaluation.map(({ userId }) => userId));
      expect(evaluation.length).toBe(evaluationTasks);
      expect(train.filter(({ userId }) => held.has(userId))).toEqual([]);
    }
  });

  it("splits by the seed", () => {
    const ids = (seed: number) => splitByUser(tasks, { evaluationTasks: 20, seed }).evaluation.map(({ id }) => id);
    expect(ids(1)).toEqual(splits.evaluation.map(({ id }) => id));
    expect(ids(2)).not.toEqual(ids(1));
  });

  it("refuses to hold out all tasks", () => {
    expect(() => splitByUser(tasks, { evaluationTasks: 50, seed: 1 })).toThrow("cannot hold out 50 of 50 tasks");
  });

  it("gives full reward to the golden actions of every task", () => {
    expect(
      tasks.map((task) => checkTask(environment, task)).filter(({ reward, failedWrites }) => reward !== 1 || failedWrites.length > 0),
    ).toEqual([]);
  });

  it("lets an agent that does nothing pass 38 % of the tasks", () => {
    expect(doNothingFloor(environment, tasks)).toBe(0.38);
  });
});

describe.skipIf(MISSING !== null)(`a broken data folder${because}`, () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "turnwise-data-"));
    await cp(join(TAU_BENCH, "airline"), join(folder, "airline"), { recursive: true, mode: 0 });
  });
  afterAll(() => rm(folder, { recursive: true }));
  const load = () => loadTauBenchAirline(folder, { evaluationTasks: 20 });
  const broken = async (name: string, text: string | null) => {
    const path = join(folder, "airline", name);
    await rm(path, { force: true });
    if (text !== null) await writeFile(path, text);
    const outcome = await load().then(
      () => null,
      (error: { code: string; message: string; next: string | null }) => error,
    );
    await rm(path, { force: true });
    await cp(join(TAU_BENCH, "airline", name), path);
    return outcome;
  };

  it("that is not there is named, with what to do", async () => {
    await expect(loadTauBenchAirline("/nowhere", { evaluationTasks: 20 })).rejects.toMatchObject({
      code: "environment.data-missing",
      message: expect.stringContaining("/nowhere"),
      next: expect.stringContaining("TURNWISE_TAU_BENCH"),
    });
  });

  it.each([
    ["users.json", null, "environment.data-missing", "users.json"],
    ["wiki.md", null, "environment.data-missing", "wiki.md"],
    ["users.json", '{"a": ', "environment.data-corrupt", "not valid JSON"],
    ["flights.json", "[]", "environment.data-corrupt", "not an object of records"],
    ["reservations.json", '{"AAAAAA": {"user_id": 5}}', "environment.data-corrupt", 'record "AAAAAA"'],
    ["tasks_test.json", '[{"user_id": "x"}]', "environment.data-corrupt", "0.instruction"],
    ["tools.json", "{}", "environment.data-corrupt", "at the top"],
  ])("with %s as %j is refused as %s", async (name, text, code, part) => {
    const error = await broken(name, text);
    expect(error).toMatchObject({ code, message: expect.stringContaining(part) });
    expect(error?.message).toContain(name);
  });
});
