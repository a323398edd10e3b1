import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkTask } from "#core/environment/check-task.ts";
import { doNothingFloor } from "#core/environment/do-nothing-floor.ts";
import { splitOneList } from "#environments/tau/benchmarks/split-benchmark.ts";
import { openPure } from "../../support/open-pure.ts";
import { because, MISSING, TAU_BENCH } from "./tau-bench-data.ts";

const open = (folder: string) => openPure({ type: "tau-bench-airline" }, { home: "/nowhere", tauBench: folder });

describe.skipIf(MISSING !== null)(`tau-bench's airline${because}`, async () => {
  if (MISSING !== null) return;
  const { environment, splits } = await open(TAU_BENCH);
  const tasks = [...splits.train, ...splits.test].sort((left, right) => (left.id < right.id ? -1 : 1));

  it("has 50 tasks, airline-00 to airline-49, 20 of them held out", () => {
    expect(tasks.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, index) => `airline-${String(index).padStart(2, "0")}`));
    expect(splits.test.length).toBe(20);
    expect(splits.sft).toEqual([]);
  });

  it("has no user in two splits, for any number of held-out tasks and any seed", () => {
    for (const testTasks of [0, 1, 10, 20, 35, 49]) {
      for (const selectionTasks of [0, 5, 10].filter((count) => testTasks + count < 50)) {
        const { train, selection, test } = splitOneList(tasks, { testTasks, selectionTasks, seed: testTasks });
        expect([train.length, selection.length, test.length]).toEqual([50 - testTasks - selectionTasks, selectionTasks, testTasks]);
        const users = [train, selection, test].map((split) => new Set(split.map(({ userId }) => userId)));
        expect(users.reduce((sum, { size }) => sum + size, 0)).toBe(new Set(tasks.map(({ userId }) => userId)).size);
      }
    }
  });

  it("splits by the seed, and selection leaves the test as it is", () => {
    const ids = (seed: number, selectionTasks = 0) => splitOneList(tasks, { testTasks: 20, selectionTasks, seed }).test.map(({ id }) => id);
    expect(ids(1)).toEqual(splits.test.map(({ id }) => id));
    expect(ids(1, 10)).toEqual(ids(1));
    expect(ids(2)).not.toEqual(ids(1));
  });

  it("refuses to hold out all tasks, and says which key asks for it", () => {
    const refused = (testTasks: number, selectionTasks: number, key: string) =>
      expect(() => splitOneList(tasks, { testTasks, selectionTasks })).toThrow(
        expect.objectContaining({ code: "config.invalid", next: expect.stringContaining(key) }),
      );
    refused(50, 0, "environment.testTasks");
    refused(20, 30, "environment.selectionTasks");
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
  const load = () => open(folder);
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
    await expect(open("/nowhere")).rejects.toMatchObject({
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
