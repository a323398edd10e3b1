import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createInferenceClient } from "#adapters/inference/client.ts";
import { createLlmSimulator, type LlmSimulatorOptions } from "#adapters/simulator/llm.ts";
import { createReplyCache } from "#adapters/simulator/reply-cache.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { TASK } from "../../unit/core/rollout/parties.ts";
import { type Step, startUserModel, type UserModelServer } from "./user-model.ts";

let server: UserModelServer;
afterEach(() => server?.close());

const OPENING = { firstUserMessage: null, exchanges: [] };
const FREE = { promptTokens: 0, completionTokens: 0, calls: 0 };

async function startAt(folder: string | null, ...steps: readonly [Step, ...Step[]]) {
  server = await startUserModel(...steps);
  const client = createInferenceClient({ baseUrl: server.baseUrl, environment: {} });
  const warnings: string[] = [];
  const simulator = (more: Partial<LlmSimulatorOptions> = {}) =>
    createLlmSimulator({
      client,
      model: "m",
      temperature: 0,
      maxTokens: 64,
      cache: createReplyCache({ folder, onWarning: (warning) => warnings.push(warning) }),
      ...more,
    });
  return { simulator, warnings };
}
const ask = (simulator: ReturnType<typeof createLlmSimulator>, seed = "1", task = TASK) =>
  simulator.reply(task, OPENING, { seed, signal: new AbortController().signal });
const filesOf = (folder: string) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

describe("at temperature 0 the same prompt is paid for once", () => {
  test("whatever the seed", async () => {
    const { simulator } = await startAt(null, "first", "second");
    const one = simulator();
    expect(await ask(one, "1")).toMatchObject({ content: "first", usage: { calls: 1 } });
    expect(await ask(one, "2")).toEqual({ content: "first", usage: FREE });
    expect(server.requests).toHaveLength(1);
  });

  test("by the next process too, where there is a folder", async () => {
    const folder = temporaryFolder();
    const { simulator } = await startAt(folder, "first", "second");
    await ask(simulator());
    expect(await ask(simulator())).toEqual({ content: "first", usage: FREE });
    expect(filesOf(folder)).toHaveLength(1);
  });

  test("with all calls of a strategy", async () => {
    const { simulator } = await startAt(temporaryFolder(), "a", "false", "b", "true", "never");
    expect(await ask(simulator({ strategy: "verify" }))).toMatchObject({ content: "b", usage: { calls: 4 } });
    // The rejected reply is not kept: a cached conversation goes straight to what was found good.
    expect(await ask(simulator({ strategy: "verify" }))).toMatchObject({ content: "b" });
  });
});

describe("it is asked again", () => {
  test.each<[string, Partial<LlmSimulatorOptions>]>([
    ["for another model", { model: "n" }],
    ["for another limit", { maxTokens: 65 }],
    ["for another strategy", { strategy: "verify" }],
    ["with other fields", { requestFields: { reasoning_effort: "low" } }],
    ["at any other temperature", { temperature: 0.1 }],
  ])("%s", async (_, more) => {
    const { simulator } = await startAt(temporaryFolder(), "true");
    await ask(simulator());
    const before = server.requests.length;
    await ask(simulator(more));
    expect(server.requests.length).toBeGreaterThan(before);
  });

  test("for another task", async () => {
    const { simulator } = await startAt(temporaryFolder(), "x");
    await ask(simulator());
    await ask(simulator(), "1", { ...TASK, instruction: "make it 3" });
    expect(server.requests).toHaveLength(2);
  });

  test("when the answer that is kept is no good any more", async () => {
    const { simulator } = await startAt(temporaryFolder(), "Yes. ###STOP###", "Yes.");
    const view = { firstUserMessage: "hi", exchanges: [{ agent: "Shall I proceed?", user: null }] };
    const reply = (numPendingWrites: number) =>
      simulator().reply(TASK, view, { seed: "1", signal: new AbortController().signal, countPendingWrites: () => numPendingWrites });
    await reply(0);
    expect(await reply(1)).toMatchObject({ content: "Yes.", usage: { calls: 1 } });
  });

  test("when the answer was no good: it is not kept", async () => {
    const folder = temporaryFolder();
    const { simulator } = await startAt(folder, "How can I help you?", "I want a seat.");
    expect(await ask(simulator())).toMatchObject({ content: "I want a seat." });
    expect(await ask(simulator())).toEqual({ content: "I want a seat.", usage: FREE });
    expect(filesOf(folder)).toHaveLength(1);
  });
});

describe("a damaged entry is a miss with a warning:", () => {
  test.each<[string, (text: string) => string]>([
    ["torn", (text) => text.slice(0, 20)],
    ["empty", () => ""],
    ["another text", (text) => text.replace("first", "fifth")],
    ["another request", (text) => text.replace('"model":"m"', '"model":"n"')],
    ["another version", (text) => text.replace('"schemaVersion":1', '"schemaVersion":2')],
  ])("%s", async (_, damage) => {
    const folder = temporaryFolder();
    const { simulator, warnings } = await startAt(folder, "first", "second");
    await ask(simulator());
    const [entry] = filesOf(folder);
    const path = join(entry?.parentPath ?? "", entry?.name ?? "");
    chmodSync(path, 0o644);
    writeFileSync(path, damage(readFileSync(path, "utf8")));
    expect(await ask(simulator())).toMatchObject({ content: "second", usage: { calls: 1 } });
    expect(warnings).toEqual([expect.stringContaining(path)]);
    expect(await ask(simulator())).toEqual({ content: "second", usage: FREE });
  });

  test("a folder that cannot be written costs a warning, not the reply", async () => {
    const folder = join(temporaryFolder(), "file");
    writeFileSync(folder, "");
    const { simulator, warnings } = await startAt(folder, "first");
    expect(await ask(simulator())).toMatchObject({ content: "first" });
    expect(warnings.some((warning) => warning.includes("cannot write"))).toBe(true);
    expect(statSync(folder).isFile()).toBe(true);
  });
});
