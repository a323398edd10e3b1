// What is odd about files though each of their entries can be read.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeParquet } from "#adapters/duckdb/parquet.ts";
import { importRolloutText, readRollouts } from "#adapters/rollout-files/read-rollouts.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { describeUnknownTools, unknownTools } from "#core/reward/unknown-tools.ts";

const catalog = createToolCatalog({});
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "odd-files-"));
});
afterAll(() => rm(folder, { recursive: true }));

const entry = (task: number, trial: number, word: string) => ({
  task_id: task,
  trial,
  reward: 1,
  info: { task: { user_id: "u", instruction: `task ${task}`, actions: [], outputs: [] } },
  traj: [
    { role: "user", content: word },
    { role: "assistant", content: "yes" },
  ],
});

const TWICE = "tasks with one trial number twice in one file: numbered anew";
test("a trial number that one file has twice is numbered anew, and the task is counted", () => {
  const entries = fc.array(fc.tuple(fc.nat(2), fc.nat(3)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(entries, (all) => {
      const text = JSON.stringify(all.map(([task, trial], index) => entry(task, trial, `word ${index}`)));
      const { rollouts, reading } = importRolloutText("f.json", text, catalog);
      const tasks = [...Map.groupBy(all, ([task]) => task).values()];
      const numTwice = tasks.filter((own) => new Set(own.map(([, trial]) => trial)).size < own.length).length;
      expect(reading.notes[TWICE] ?? 0).toBe(numTwice);
      const names = rollouts.map(({ task, trajectory }) => `${task.id} ${trajectory.trial}`);
      expect(new Set(names).size).toBe(all.length);
    }),
  );
});

test("files that hold no entry are counted beside others, in any format, and two runs may number their trials alike", async () => {
  const write = async (name: string, content: unknown) => {
    const path = join(folder, name);
    await writeFile(path, JSON.stringify(content));
    return path;
  };
  const paths = [
    await write("one.json", [entry(0, 0, "a")]),
    await write("two.json", [entry(0, 0, "b")]),
    await write("list.json", []),
    await write("run.json", { tasks: [], simulations: [] }),
  ];
  const { reading } = await readRollouts(paths, { catalog, tasks: null });
  expect(reading).toMatchObject({ files: 4, rollouts: 2, notes: { "files that hold no entry yet": 2 } });
  expect(reading.notes[TWICE]).toBeUndefined();
});

const uses = (name: string) =>
  unknownTools([{ task: { goldenActions: [{ name, argumentsJson: "{}" }] }, trajectory: { turns: [] } }], catalog);

test("names of known tools behind a prefix are said to be that", () => {
  const prefixes = fc.constantFrom("functions.", "mcp__airline__", "airline/", "airline:", "default_api.", "a.b.");
  fc.assert(
    fc.property(prefixes, fc.constantFrom("cancel_reservation", "think", "get_user_details"), (prefix, name) => {
      const found = uses(`${prefix}${name}`);
      expect(found).toMatchObject({ names: [`${prefix}${name}`], isPrefixed: true });
      expect(found === null ? "" : describeUnknownTools(found)).toContain("take off what is put before names that are known");
    }),
  );
  expect(uses("close_ticket")).toMatchObject({ isPrefixed: false });
  expect(uses("my_cancel_reservation")).toMatchObject({ isPrefixed: false });
});

test("a Parquet file of anything else is named and stops no other file, with or without a task set", async () => {
  const foreign = join(folder, "table.parquet");
  await writeFile(foreign, await encodeParquet([["answer", "VARCHAR", (row: string) => row]], ["42"]));
  const broken = join(folder, "broken.parquet");
  await writeFile(broken, "PAR1 and nothing else");
  const good = join(folder, "good.json");
  await writeFile(good, JSON.stringify([entry(0, 0, "a")]));
  for (const tasks of [null, new Map()]) {
    const options = { catalog, tasks };
    for (const path of [foreign, broken])
      await expect(readRollouts([path], options)).rejects.toMatchObject({
        code: "contract.invalid",
        message: expect.stringContaining(`${path} is a Parquet file, and none of trajectories`),
      });
    const { reading } = await readRollouts([foreign, good, broken], options);
    expect(reading).toMatchObject({ files: 3, rollouts: 1 });
    expect(Object.keys(reading.unread ?? {}).sort()).toEqual([broken, foreign].sort());
  }
});

test.each([
  [{ metrics: {}, results: [entry(0, 0, "a")] }, "it is an object of metrics, results; if results is the list of rollouts, save it alone"],
  [{ spans: [{ name: "llm", attributes: {} }], events: [] }, /it is an object of spans, events$/],
  [{ scores: [1, 2], "\u001b[2J": "x" }, "it is an object of scores, \\u001b[2J"],
  [{}, "it is an object of nothing"],
])("an object around rollouts, or none, is refused with what it has (%#)", async (value, words) => {
  const path = join(folder, "wrapped.json");
  await writeFile(path, JSON.stringify(value));
  await expect(readRollouts([path], { catalog, tasks: null })).rejects.toMatchObject({
    code: "contract.invalid",
    message: typeof words === "string" ? expect.stringContaining(words) : expect.stringMatching(words),
  });
});
