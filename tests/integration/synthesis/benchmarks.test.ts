// Synthesis over the benchmarks' own databases, and their formats read back by the readers of the benchmarks' files.

import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dataFolder } from "#adapters/task-data/data-folder.ts";
import { pinEnvironment } from "#adapters/task-data/open-task-set.ts";
import { type OpenedDatabase, openTaskDatabase } from "#adapters/task-data/task-databases.ts";
import { writeTaskFile } from "#adapters/task-data/task-file.ts";
import { writeBenchmarkFiles } from "#adapters/task-data/write-benchmark-files.ts";
import type { EnvironmentConfig } from "#contracts/campaign-config.ts";
import type { GoldenTask } from "#contracts/task.ts";
import type { SynthesisOptions, TaskDatabase, TaskFile } from "#contracts/task-file.ts";
import { sha256Hex } from "#core/canonical-json.ts";
import { checkTask } from "#core/environment/check-task.ts";
import { pluginFor } from "#environments/registry.ts";
import { readTauBenchAirline, readTauBenchRetail } from "#environments/tau/benchmarks/tau-bench.ts";
import { readTau2Airline } from "#environments/tau/benchmarks/tau2-bench.ts";
import { verifyTask } from "#synthesis/verify-task.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { openPure } from "../../support/open-pure.ts";
import { wordsOfWish } from "../../support/wish-words.ts";
import { because, MISSING, TAU_BENCH } from "../environment/tau-bench-data.ts";
import { expectedRetailReads } from "./expected-retail-reads.ts";

const OPTIONS: SynthesisOptions = {
  seed: 1,
  writes: [0, 1, 2, 4],
  evidence: [2, 3, 4],
  perCell: 3,
  refusals: 0.34,
  trainShare: 0.8,
  selectionShare: 0.4,
  contaminated: "drop",
  maxOverlap: 0.3,
};

async function synthesizeOver(database: TaskDatabase, options: Partial<SynthesisOptions> = {}, data: string | null = TAU_BENCH) {
  const opened = await openTaskDatabase(database, data);
  const all = { ...OPTIONS, ...options };
  const { tasks, cells, counts } = opened.synthesize(all);
  const { databaseSha256 } = opened;
  const file: TaskFile = {
    schemaVersion: 2,
    generator: "turnwise-synthesize/2",
    database,
    databaseSha256,
    options: all,
    counts,
    cells: [...cells],
    tasks: [...tasks],
  };
  return { file, opened };
}

const TAU_BENCH_TASK_FILES = ["tasks_train.json", "tasks_dev.json", "tasks_test.json"];
const taskFile = (config: object) => pluginFor({ type: "task-file", ...config }).config;
const pin = (config: EnvironmentConfig) => pinEnvironment(config, { home: temporaryFolder(), tauBench: null });
const open = (config: object) => openPure(taskFile(config), { home: temporaryFolder(), tauBench: null });

const OWN = (opened: OpenedDatabase) => ({ database: opened.database, environment: opened.environmentWith([]) });
const bySide = ({ tasks }: TaskFile, side: string): GoldenTask[] => tasks.filter(({ split }) => split === side).map(({ task }) => task);
const withoutAgenda = ({ userId, instruction, goldenActions, outputs, kind, difficulty }: GoldenTask) => ({
  userId,
  instruction,
  goldenActions: goldenActions.map(({ name, argumentsJson }) => ({ name, args: JSON.parse(argumentsJson) as unknown })),
  outputs,
  kind,
  difficulty,
});

interface OwnedOrder {
  readonly user_id: string;
  readonly order_id: string;
  readonly items: readonly { readonly name: string }[];
}

/** A data folder in which some of the benchmark's files are replaced by ours. */
function dataFolderWith(domain: string, names: readonly string[]): string {
  const folder = temporaryFolder();
  cpSync(join(TAU_BENCH, domain), join(folder, domain), { recursive: true, filter: (path) => !names.some((name) => path.endsWith(name)) });
  return folder;
}

describe.skipIf(MISSING !== null)(`synthesis over the benchmarks${because}`, () => {
  test.each([["tau-bench-airline"], ["tau-bench-retail"], ["tau2-airline"]] as const)("verifies every task over %s", async (name) => {
    const { file, opened } = await synthesizeOver({ name });
    const environment = opened.environmentWith(file.tasks.map(({ task }) => task));
    expect(file.tasks.length).toBeGreaterThan(30);
    expect(file.tasks.flatMap((entry) => verifyTask(environment, entry))).toEqual([]);
    expect(file.counts).toMatchObject({ verified: file.tasks.length, scriptedPasses: file.tasks.length });
    expect(file.counts.refusals).toBeGreaterThan(5);
    expect(file.counts.benchmarkTasks).toBe(name === "tau-bench-retail" ? 635 : 100);
  });

  test("counts the shop's evidence as it can be counted from words and records alone", async () => {
    const { file, opened } = await synthesizeOver(
      { name: "tau-bench-retail" },
      { writes: [0, 1, 2, 3], evidence: [2, 3, 4, 5, 6], perCell: 8 },
    );
    const records = Array.from(opened.database.collections.get("orders")?.values() ?? [], ({ json }) => JSON.parse(json) as OwnedOrder);
    const orders = Map.groupBy(records, ({ user_id }) => user_id);
    const differing = file.tasks.flatMap((entry) =>
      entry.decisions.flatMap((decision, index) => {
        const words = wordsOfWish(entry, index);
        const expected = expectedRetailReads(orders.get(entry.task.userId) ?? [], entry, index, words);
        return expected.size === entry.difficulty.evidence ? [] : [{ words, expected: [...expected], evidence: decision.evidence }];
      }),
    );
    expect(differing).toEqual([]);
    expect(file.tasks.length).toBeGreaterThan(120);
  });

  test("finds the benchmark's own task among thousands, and drops it", async () => {
    const options = { writes: [1], evidence: [4], perCell: 10 };
    const flagged = await synthesizeOver({ name: "tau-bench-retail" }, { ...options, contaminated: "flag" });
    expect(flagged.file.tasks.flatMap(({ contamination }) => contamination.sameWrites ?? [])).toEqual(["retail-train-401"]);
    const dropped = await synthesizeOver({ name: "tau-bench-retail" }, options);
    expect(dropped.file.counts.contaminated).toBe(1);
    expect(dropped.file.tasks.filter(({ contamination }) => contamination.isFlagged)).toEqual([]);
  });

  test("says which cells the shop cannot fill: without a read the user is not known", async () => {
    const { file } = await synthesizeOver({ name: "tau-bench-retail" }, { writes: [1], evidence: [0], perCell: 2 });
    expect(file.cells).toMatchObject([{ made: 0, wanted: 2, usersTried: 500, missing: expect.stringContaining("none of the 500 users") }]);
  });
});

describe.skipIf(MISSING !== null)(`the benchmarks' formats${because}`, () => {
  test.each([
    ["tau-bench-airline", "airline", readTauBenchAirline],
    ["tau-bench-retail", "retail", readTauBenchRetail],
  ] as const)("tau-bench: tasks over %s come back as they were", async (name, domain, read) => {
    const { file } = await synthesizeOver({ name });
    const folder = dataFolderWith(domain, TAU_BENCH_TASK_FILES);
    const written = await writeBenchmarkFiles(folder, "tau-bench", file, null);
    expect(written).toEqual(TAU_BENCH_TASK_FILES.map((name) => join(folder, domain, name)));
    const { tasks, environment } = await read(dataFolder(folder));
    const held = tasks.get("test") ?? [];
    expect(held.map(withoutAgenda)).toEqual(bySide(file, "test").map(withoutAgenda));
    const dev = JSON.parse(readFileSync(join(folder, domain, "tasks_dev.json"), "utf8")) as { user_id: string }[];
    expect(dev.map(({ user_id }) => user_id)).toEqual(bySide(file, "selection").map(({ userId }) => userId));
    expect(dev.length).toBeGreaterThan(0);
    expect(held.filter((task) => checkTask(environment as never, task).reward !== 1)).toEqual([]);
  });

  test("tau2: tasks, splits and scenarios come back as they were", async () => {
    const { file } = await synthesizeOver({ name: "tau2-airline" });
    const folder = dataFolderWith("tau2-airline", ["/tasks.json", "split_tasks.json"]);
    await writeBenchmarkFiles(folder, "tau2", file, null);
    const { tasks, environment } = await readTau2Airline(dataFolder(folder));
    for (const split of ["train", "selection", "test"])
      expect((tasks.get(split) ?? []).map(withoutAgenda)).toEqual(bySide(file, split).map(withoutAgenda));
    const all = Array.from(tasks.values()).flat();
    expect(all.length).toBe(file.tasks.length);
    expect(all.filter((task) => checkTask(environment, task).reward !== 1)).toEqual([]);
  });
});

describe("the built-in airline", () => {
  test("in tau-bench's format is a data folder of its own, with the database and the policy", async () => {
    const { file, opened } = await synthesizeOver({ name: "synthetic-airline", seed: 1 }, {}, null);
    const folder = temporaryFolder();
    await writeBenchmarkFiles(folder, "tau-bench", file, OWN(opened));
    const { tasks, environment, database } = await readTauBenchAirline(dataFolder(folder));
    expect(tasks.get("test")?.map(withoutAgenda)).toEqual(bySide(file, "test").map(withoutAgenda));
    expect(tasks.get("test")?.filter((task) => checkTask(environment, task).reward !== 1)).toEqual([]);
    expect(environment.systemPrompt).toBe(opened.environmentWith([]).systemPrompt);
    for (const [name, records] of opened.database.collections)
      expect(Array.from(database.collections.get(name) ?? [], ([id, { json }]) => [id, json])).toEqual(
        Array.from(records, ([id, { json }]) => [id, json]),
      );
  });

  test("as a task file is a campaign's task set, pinned by the hash of its bytes", async () => {
    const { file } = await synthesizeOver({ name: "synthetic-airline", seed: 1 }, {}, null);
    const path = join(temporaryFolder(), "tasks.json");
    await writeTaskFile(path, file);
    const { splits, environment } = await open({ path });
    expect(splits.train).toEqual(bySide(file, "train"));
    expect(splits.selection).toEqual(bySide(file, "selection"));
    expect(splits.test).toEqual(bySide(file, "test"));
    const heldOut = [...splits.selection, ...splits.test];
    expect(heldOut.map((task) => checkTask(environment, task).reward)).toEqual(heldOut.map(() => 1));
    await expect(open({ path, sha256: "0".repeat(64) })).rejects.toMatchObject({ code: "environment.data-changed" });
  });

  test("is pinned when a campaign starts, and only then", async () => {
    const { file } = await synthesizeOver({ name: "synthetic-airline", seed: 1 }, { writes: [1], evidence: [1] }, null);
    const path = join(temporaryFolder(), "tasks.json");
    await writeTaskFile(path, file);
    const pinned = await pin(taskFile({ path }));
    expect(pinned).toEqual(taskFile({ path, sha256: sha256Hex(readFileSync(path)) }));
    expect(await pin(pinned)).toEqual(pinned);
    await writeTaskFile(path, { ...file, tasks: file.tasks.slice(1) });
    await expect(open(pinned)).rejects.toMatchObject({ code: "environment.data-changed" });
    const other = pluginFor({ type: "synthetic-airline" }).config;
    expect(await pin(other)).toEqual(other);
  });

  test.each([
    ["is not there", null, "config.file-missing", "cannot read"],
    ["is not JSON", "{", "config.invalid", "not JSON"],
    ["is another JSON file", '{"tasks": []}', "config.invalid", "no task file: at "],
  ])("a task file that %s is refused by name", async (_, text, code, message) => {
    const path = join(temporaryFolder(), "tasks.json");
    if (text !== null) writeFileSync(path, text);
    const refused = expect(pin(taskFile({ path }))).rejects;
    await refused.toMatchObject({ code, message: expect.stringContaining(path), next: expect.stringContaining("turnwise synthesize") });
    await expect(open({ path })).rejects.toMatchObject({
      message: expect.stringContaining(message),
    });
  });

  test("of another seed is not the database of the task file", async () => {
    const { file } = await synthesizeOver({ name: "synthetic-airline", seed: 1 }, {}, null);
    const path = join(temporaryFolder(), "tasks.json");
    await writeTaskFile(path, { ...file, database: { name: "synthetic-airline", seed: 2 } });
    await expect(open({ path })).rejects.toMatchObject({
      code: "environment.data-changed",
      message: expect.stringContaining("another synthetic-airline database"),
    });
  });
});
