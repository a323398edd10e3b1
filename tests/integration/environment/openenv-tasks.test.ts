// Campaigns' environments of `type: openenv`, opened as campaigns open them: where tasks come from, and what their data is.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { REPOSITORY } from "#adapters/settings.ts";
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import type { Task } from "#contracts/task.ts";
import { checkTasks } from "#core/campaign/check-tasks.ts";
import { measureIdle } from "#core/environment/do-nothing-floor.ts";
import { CampaignFile, pluginFor } from "#environments/registry.ts";
import { type RunningServer, STARTING, startLedger, startPuppet } from "../../fixtures/openenv-server.ts";
import { ENDLESS } from "../../laws/episodes.ts";

let folder: string;
let ledger: RunningServer;
let puppet: RunningServer;
let twin: RunningServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "turnwise-openenv-"));
  [ledger, puppet, twin] = await Promise.all([startLedger("--sessions", "1"), startPuppet("--sessions", "1"), startPuppet()]);
}, STARTING);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([ledger?.stop(), puppet?.stop(), twin?.stop()]);
});

const PUPPET = { type: "openenv", systemPrompt: "Do it.", tools: { name: "act", description: "" }, shows: ["text"] };
const TOLD = [{ id: "a" }, { id: "b", instruction: "Be quick.", reset: { level: 2 } }];
const openWith = (given: object, dataSha256?: string) =>
  openTaskSet({ ...PUPPET, url: puppet.url, ...given }, { home: folder, tauBench: null }, dataSha256);
const ids = (tasks: readonly Task[]) => tasks.map(({ id }) => id);
const invalid = (words: string) => expect.objectContaining({ code: "config.invalid", message: expect.stringContaining(words) });
const failed = (words: string) => expect.objectContaining({ code: "environment.failed", message: expect.stringContaining(words) });

/** What the puppet was reset with for a task. */
async function given(taskSet: Awaited<ReturnType<typeof openWith>>, id: string): Promise<unknown> {
  const task = Object.values(taskSet.splits)
    .flat()
    .find((one) => one.id === id) as Task;
  const episode = await taskSet.world.open(task, { seed: "s", signal: new AbortController().signal, snapshot: null });
  await episode.close();
  return JSON.parse((episode.opening ?? "").slice((episode.opening ?? "").indexOf("{")));
}

describe("where tasks come from", () => {
  test("the campaign file, a file of its own, and the server's splits; each reaches the server's reset", async () => {
    const file = join(folder, "tasks.jsonl");
    writeFileSync(file, '{"id": "c", "reset": {"level": 3}}\n\n{"id": "d"}\n');
    const taskSet = await openWith({ tasks: { train: { server: "train" }, selection: { file }, test: TOLD } });
    expect(ids(taskSet.splits.train)).toEqual(["train-0", "train-1", "train-2", "train-3", "train-4", "train-5", "train-6"]);
    expect([ids(taskSet.splits.selection), ids(taskSet.splits.test), taskSet.splits.sft]).toEqual([["c", "d"], ["a", "b"], []]);
    expect(await given(taskSet, "train-6")).toMatchObject({ split: "train", index: 6 });
    expect(await given(taskSet, "c")).toMatchObject({ level: 3 });
    expect(await given(taskSet, "b")).toMatchObject({ level: 2 });
    expect(ids((await openWith({ tasks: { train: { server: "Held Out" } } })).splits.train)).toEqual(["held-out-0", "held-out-1"]);
  });

  test.each([
    [{ train: TOLD, test: [{ id: "a" }] }, invalid("two tasks a")],
    [{ train: { server: "train" }, test: { server: "train" } }, invalid("two tasks train-0")],
    [{ train: { server: "none" } }, failed("no tasks in none")],
    [{ train: { server: "elsewhere" } }, expect.objectContaining({ code: "environment.unavailable" })],
  ])("%j is refused", async (tasks, error) => {
    await expect(openWith({ tasks })).rejects.toEqual(error);
  });

  test("a server without a task API, and a line that is no task", async () => {
    const without = openWith({ url: ledger.url, tools: "server", tasks: { train: { server: "train" } } });
    await expect(without).rejects.toEqual(failed("HTTP 501: num_tasks is not supported"));
    const file = join(folder, "bad.jsonl");
    for (const [line, words] of [
      ["{", "bad.jsonl:2 is no JSON"],
      ['{"id": "A B"}', "bad.jsonl:2"],
      ['{"id": "a", "start": 1}', "unknown key start"],
    ] as const) {
      writeFileSync(file, `{"id": "fine"}\n${line}\n`);
      await expect(openWith({ tasks: { train: { file } } })).rejects.toEqual(invalid(words));
    }
  });
});

describe("the data of a campaign", () => {
  const opened = async (given: object) => (await openWith(given)).dataSha256;

  test("is what the server offers and what the tasks are, wherever it runs; a campaign on other data does not go on", async () => {
    const config = { tasks: { train: { server: "train" }, test: TOLD } };
    const hash = await opened(config);
    expect(await opened({ ...config, url: twin.url })).toBe(hash);
    const others = [
      { tasks: { train: { server: "train" }, test: TOLD.slice(0, 1) } },
      { tasks: { train: { server: "train" }, selection: TOLD } },
      { ...config, systemPrompt: "Do it well." },
      { ...config, tools: { name: "move", description: "" } },
    ];
    for (const other of others) expect(await opened(other)).not.toBe(hash);
    expect((await openWith(config, hash)).dataSha256).toBe(hash);
    const changed = openWith({ ...config, systemPrompt: "Do it well." }, hash);
    await expect(changed).rejects.toMatchObject({ code: "environment.data-changed", next: expect.stringContaining("start the server") });
  });

  test("turns have tiers, doing nothing earns nothing, and resuming begins again", async () => {
    const { labeller, world, splits, environment } = await openWith({
      url: ledger.url,
      tools: "server",
      shows: undefined,
      tasks: { train: TOLD },
    });
    expect([environment, world.resume, world.protocol.opens]).toEqual([null, "restart", "task"]);
    expect(Object.keys(labeller.schemes)).toContain("finer/1");
    const guard = { clock: ENDLESS, signal: new AbortController().signal, onTrouble: () => {} };
    expect(await measureIdle(world, splits.train[0] as Task, "idle", guard)).toBe(false);
  });
});

test("the page's example is the example's campaign file, and opens on the example's server", async () => {
  const read = (path: string) => readFileSync(join(REPOSITORY, path), "utf8");
  const text = read("examples/openenv/ledger.yaml");
  const shown = /```yaml\n(environment:\n.*?)```/s.exec(read("docs/extending/openenv.md"))?.[1] ?? "nothing is shown";
  expect(text).toContain(shown);
  const config = CampaignFile.parse(parse(text));
  const { splits, world } = await openTaskSet({ ...config.environment, url: ledger.url }, { home: folder, tauBench: null });
  checkTasks(config, splits);
  expect([ids(splits.train), ids(splits.test)]).toEqual([
    ["two-a", "two-b", "three-a", "four-a"],
    ["two-c", "three-b"],
  ]);
  expect(world.tools).toHaveLength(3);
});

test.each([
  ["url", "ftp://127.0.0.1"],
  ["seeds", "sometimes"],
  ["reward", { range: [1, 0] }],
  ["reward", { passAt: 0 }],
  ["tasks", { train: [{ id: "Not A Name" }] }],
  ["shows", []],
  ["port", 8000],
])("a campaign file with %s %j is refused", (key, value) => {
  const config = { ...PUPPET, url: "http://127.0.0.1:8000", tasks: { train: TOLD } };
  expect(pluginFor(config).config).toMatchObject({ seeds: "task", reward: { from: "last", range: [0, 1], passAt: 1 } });
  expect(() => pluginFor({ ...config, [key]: value })).toThrow(invalid(key));
});
