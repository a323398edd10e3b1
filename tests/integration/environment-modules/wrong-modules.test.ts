// What an author writes wrong is told in one sentence that names the file and what to do: exports, settings, tasks, worlds, answers.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { environmentResources } from "#adapters/environment-resources/environment-resources.ts";
import { systemClock } from "#adapters/system-clock.ts";
import { type BrokenLaw, checkWorld } from "#core/environment/check-world.ts";
import type { CampaignError } from "#core/errors.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { moduleEnvironment } from "#environments/module/plugin.ts";
import { present } from "../../fixtures/present.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { ENDLESS } from "../../laws/episodes.ts";
import { memoryJournal, say, scriptedPolicy } from "../../unit/core/rollout/parties.ts";

/** A whole module in a few lines; a test spoils one of them. */
const MODULE = `import { newTask, taskProtocol, taskSet, z } from "turnwise/environment";
let count = 0;
const tool = (name: string) => ({ type: "function", function: { name, description: "", parameters: { type: "object", properties: {} } } }) as const;
const task = (id: string, more = {}) => newTask({ id, environment: "mine", instruction: "say 1", ...more });
const episode = () => ({
  act: async (calls: readonly unknown[]) => calls.map(() => ({ text: "ok", isError: false })),
  fingerprint: async () => "same",
  grade: async () => ({ reward: 0.5, passed: false, parts: {} }),
  close: async () => {},
});
const world = () => ({ id: "mine", tools: [tool("look")], systemPrompt: "", protocol: taskProtocol(), resume: "re-execute" as const, open: async () => episode() });
const splits = { train: [task("one"), task("two")], test: [task("three")] };
export default {
  id: "mine",
  configSchema: z.strictObject({ type: z.literal("mine"), size: z.int().default(3) }),
  openTaskSet: async () => taskSet({ world: world(), splits }),
};
`;

function spoilt(found: string, by: string): string {
  expect(MODULE).toContain(found);
  return MODULE.replace(found, by);
}

function opened(source: string, settings: Readonly<Record<string, unknown>> = {}) {
  const path = join(temporaryFolder(), "mine.ts");
  writeFileSync(path, source);
  const config = moduleEnvironment.configSchema.parse({ type: "module", path, ...settings });
  return { config, open: () => moduleEnvironment.openTaskSet(config, environmentResources(null)) };
}

const errorOf = async (action: () => Promise<unknown>): Promise<CampaignError> =>
  await action().then(
    () => expect.unreachable("nothing is thrown"),
    (error: unknown) => error as CampaignError,
  );

test("the module itself opens, and its settings are filled in and pinned with its hash", async () => {
  const { config, open } = opened(MODULE);
  expect((await open()).splits.train.map(({ id }) => id)).toEqual(["one", "two"]);
  const pinned = present(await moduleEnvironment.pin?.(config, environmentResources(null)));
  expect(pinned).toEqual({ type: "module", path: config.path, size: 3, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
});

test.each<[what: string, source: string, message: string | RegExp]>([
  ["no default export", spoilt("export default {", "export const plugin = {"), "has no default export (it exports plugin)"],
  ["nothing exported", "export {};\n", "has no default export (it exports nothing)"],
  ["a function for an object", 'export default () => ({ id: "mine" });\n', /has a function \(.*\) as its default export, wanted an object/],
  ["no id", spoilt('  id: "mine",\n  configSchema', "  configSchema"), "exports a plugin whose id is undefined, wanted a name"],
  [
    "no schema",
    spoilt(/ {2}configSchema: .*\n/.exec(MODULE)?.[0] ?? "", "  configSchema: {},\n"),
    "exports a plugin whose configSchema is an object, wanted a zod schema",
  ],
  [
    "no openTaskSet",
    spoilt("  openTaskSet: async () => taskSet({ world: world(), splits }),\n", ""),
    "exports a plugin whose openTaskSet is undefined, wanted a function",
  ],
  [
    "an openTaskSet that throws",
    spoilt("taskSet({ world: world(), splits })", "{ throw new Error('no data'); }"),
    "mine.ts:16:36: openTaskSet throws Error: no data",
  ],
  ["no task set", spoilt("taskSet({ world: world(), splits })", "null"), "opens null, wanted a task set"],
  [
    "a split that is no list",
    spoilt("taskSet({ world: world(), splits })", "({ ...taskSet({ world: world(), splits }), splits: { train: [] } })"),
    "opens a task set whose splits.sft is undefined, wanted a list of tasks",
  ],
  [
    "no labeller",
    spoilt("taskSet({ world: world(), splits })", "({ ...taskSet({ world: world(), splits }), labeller: undefined })"),
    "opens a task set without a labeller { schemes, label }",
  ],
  [
    "no formats",
    spoilt("taskSet({ world: world(), splits })", "({ ...taskSet({ world: world(), splits }), formats: null })"),
    "opens a task set whose formats are null, wanted prompt formats by name",
  ],
  ["a task with a wrong id", spoilt('task("two")', 'task("Two words")'), /has a task that is none: splits\.train\[1\]\.id: /],
  [
    "a task with a key of its own",
    spoilt('task("two")', 'task("two", { answer: 4 })'),
    /has a task that is none: splits\.train\[1\]: .*answer/,
  ],
  ["two tasks of one id", spoilt('task("three")', 'task("one")'), "has two tasks one, in train and test: an id is of one task"],
  [
    "a user in two splits",
    spoilt('[task("one"), task("two")], test: [task("three")]', '[task("one", { userId: "u" })], test: [task("three", { userId: "u" })]'),
    "has tasks of user u in train and in test: a user is of one split",
  ],
  [
    "a tool whose name cannot be",
    spoilt('tool("look")', 'tool("look at")'),
    /has a world that is none: world\.tools\[0\]\.function\.name: a tool's name is letters/,
  ],
  [
    "a tool whose parameters are no schema of an object",
    spoilt('parameters: { type: "object", properties: {} }', 'parameters: { type: "objekt" as "object" }'),
    "has a world that is none: world.tools[0].function.parameters.type: wanted a JSON schema of type object",
  ],
  [
    "a default export that throws when it is looked at",
    spoilt('  id: "mine",\n  configSchema', "  get id(): string { throw new Error('shy'); },\n  configSchema"),
    /mine\.ts:14:\d+: the default export throws Error: shy/,
  ],
  [
    "a task set that throws when it is looked at",
    spoilt(
      "taskSet({ world: world(), splits })",
      "({ ...taskSet({ world: world(), splits }), get splits(): never { throw new Error('shy'); } })",
    ),
    /mine\.ts:16:\d+: the task set throws Error: shy/,
  ],
  ["two tools of one name", spoilt('[tool("look")]', '[tool("look"), tool("look")]'), "has two tools look"],
  [
    "an ending that is no tool",
    spoilt("taskProtocol()", 'taskProtocol(["answer"])'),
    "ends with the tool answer, which is not one of its tools (look)",
  ],
  [
    "no open",
    spoilt("open: async () => episode()", "start: async () => episode()"),
    "has a world whose open is undefined, wanted a function",
  ],
  ["a way to resume that there is not", spoilt('"re-execute" as const', '"again" as never'), /has a world that is none: world\.resume: /],
])("%s", async (_, source, message) => {
  const { config, open } = opened(source);
  const error = await errorOf(open);
  expect(error).toMatchObject({ code: "environment.failed", next: expect.stringMatching(/.{10}/) });
  if (typeof message === "string") expect(error.message).toContain(message);
  else expect(error.message).toMatch(message);
  expect(error.message).toContain(config.path);
});

test("settings that its schema refuses are told by their keys", async () => {
  const error = await errorOf(opened(MODULE, { size: "big", colour: 1 }).open);
  expect(error).toMatchObject({ code: "config.invalid" });
  expect(error.message).toMatch(/mine\.ts refuses its settings: environment\.size: .*; environment: .*colour/);
});

test("a file that has changed is refused by both hashes", async () => {
  const { config } = opened(MODULE);
  const pinned = present(await moduleEnvironment.pin?.(config, environmentResources(null)));
  await expect(moduleEnvironment.openTaskSet(pinned, environmentResources(null))).resolves.toBeTruthy();
  writeFileSync(config.path, `${MODULE}// a word\n`);
  const error = await errorOf(() => moduleEnvironment.openTaskSet(pinned, environmentResources(null)));
  expect(error).toMatchObject({ code: "environment.data-changed" });
  expect(error.message).toContain(`not ${String(pinned["sha256"])}`);
});

test("what it reads while it opens is part of its data, and later it cannot read", async () => {
  const source = spoilt(
    "openTaskSet: async () => taskSet({ world: world(), splits })",
    "openTaskSet: async (_: unknown, resources: { readFile(path: string): Promise<Uint8Array> }) => { count += (await resources.readFile('./words.txt')).length; return taskSet({ world: { ...world(), open: async () => { await resources.readFile('./words.txt'); return episode(); } }, splits }); }",
  );
  const { config, open } = opened(source);
  writeFileSync(join(config.path, "../words.txt"), "one");
  const first = await open();
  expect((await open()).dataSha256).toBe(first.dataSha256);
  writeFileSync(join(config.path, "../words.txt"), "two");
  expect((await open()).dataSha256).not.toBe(first.dataSha256);
  const task = present(first.splits.train[0]);
  const late = first.world.open(task, { seed: "s", signal: new AbortController().signal, snapshot: null });
  await expect(late).rejects.toMatchObject({ message: expect.stringContaining("words.txt is read when the task set is open already") });
});

test("a throw in an episode ends its rollout without a reward, and says where", async () => {
  const { world, splits } = await opened(spoilt("reward: 0.5", "reward: Number((undefined as any).size)")).open();
  const { trajectory } = await runTrajectory({
    task: present(splits.train[0]),
    trial: 0,
    environment: world,
    policy: scriptedPolicy([say("1")]),
    simulator: { id: "nobody", hash: "n", reply: () => Promise.reject(new Error("nobody is asked")) },
    journal: memoryJournal(),
    clock: ENDLESS,
    seed: "s",
    limits: { maxTurns: 3 },
    signal: new AbortController().signal,
  });
  const detail = expect.stringMatching(/^environment\.failed: .*mine\.ts:8:\d+: grade of one throws TypeError: /);
  expect(trajectory.outcome).toMatchObject({ type: "env_error", reward: null, detail });
});

test("a throw in its labeller says where", async () => {
  const labeller = "labeller: { schemes: {}, label: () => { throw new Error('no tier'); } }";
  const { labeller: found, splits } = await opened(
    spoilt("taskSet({ world: world(), splits })", `taskSet({ world: world(), splits, ${labeller} })`),
  ).open();
  const label = () => found.label({} as never, present(splits.train[0]), "finer/1");
  expect(label).toThrow(
    expect.objectContaining({
      code: "environment.failed",
      message: expect.stringMatching(/mine\.ts:16:\d+: label of one throws Error: no tier/),
    }),
  );
});

describe("an episode that answers wrong is told as that, by the laws of `turnwise env check`", () => {
  const broken = async (source: string): Promise<readonly BrokenLaw[]> => {
    const { world, splits } = await opened(source).open();
    const options = { clock: systemClock, signal: new AbortController().signal, seed: 1 };
    return (await checkWorld(world, splits.train.slice(0, 1), options)).broken;
  };
  const GRADE = "grade: async () => ({ reward: 0.5, passed: false, parts: {} })";
  const ACT = 'act: async (calls: readonly unknown[]) => calls.map(() => ({ text: "ok", isError: false }))';

  test("and one that answers right breaks none", async () => {
    expect(await broken(MODULE)).toEqual([]);
  });

  test("and what it opens with reaches the agent; calls after the last one of the episode need no answer", async () => {
    const source = spoilt("close: async", 'opening: "look around", close: async').replace(
      ACT,
      'act: async () => [{ text: "over", isError: false, isLast: true as const }]',
    );
    const { world, splits } = await opened(source).open();
    const signal = new AbortController().signal;
    const episode = await world.open(present(splits.train[0]), { seed: "s", signal, snapshot: null });
    expect(episode.opening).toBe("look around");
    const calls = [1, 2].map(() => ({ name: "look", argumentsJson: "{}" }));
    expect(await episode.act(calls, signal)).toEqual([{ text: "over", isError: false, isLast: true }]);
    await episode.close();
  });

  test("what stands beside an observation's text is nobody's, be it a bigint", async () => {
    expect(await broken(spoilt('text: "ok"', 'text: "ok", extra: 1n'))).toEqual([]);
  });

  test.each<[what: string, source: string, law: BrokenLaw["law"], message: string | RegExp]>([
    ["a reward beyond 1", spoilt("reward: 0.5", "reward: 1.5"), "grades", "grades one with a reward of 1.5, which is not from 0 to 1"],
    ["a reward that is no number", spoilt("reward: 0.5", "reward: Number.NaN"), "grades", "grades one with a reward of NaN"],
    ["no passed", spoilt("passed: false, ", ""), "grades", "grades one with undefined for passed, wanted true or false"],
    [
      "a part that is no number",
      spoilt("parts: {}", 'parts: { why: "no" }'),
      "grades",
      "grades one with parts that are no numbers by name (why: no)",
    ],
    [
      "a grade that throws",
      spoilt(GRADE, "grade: async () => { throw new Error('bug'); }"),
      "grades",
      /mine\.ts:8:30: grade of one throws Error: bug/,
    ],
    [
      "fewer observations than calls",
      spoilt('calls.map(() => ({ text: "ok", isError: false }))', "[]"),
      "answers",
      "answers 1 calls with a list of 0",
    ],
    [
      "an observation that is none",
      spoilt('{ text: "ok", isError: false }', '"ok"'),
      "answers",
      'answers a call with "ok", which is no { text, isError }',
    ],
    ["no observation", spoilt('({ text: "ok", isError: false })', "undefined"), "answers", "answers a call with undefined, which is no"],
    [
      "an observation with half of a character",
      spoilt('text: "ok"', 'text: "\\ud800"'),
      "answers",
      "answers a call with half of a character",
    ],
    [
      "an ending that is neither there nor not",
      spoilt('text: "ok"', 'isLast: 1, text: "ok"'),
      "answers",
      "answers a call with a number (1) for isLast, wanted true or nothing",
    ],
    [
      "a grade that throws when it is looked at",
      spoilt("reward: 0.5", "get reward(): number { throw new Error('shy'); }"),
      "grades",
      /mine\.ts:8:\d+: grade of one throws Error: shy/,
    ],
    ["a detail that is no text", spoilt("parts: {}", "parts: {}, detail: 7"), "grades", "grades one with a number (7) for detail"],
    [
      "a throw at malformed arguments",
      spoilt(
        ACT,
        "act: async (calls: readonly any[]) => calls.map(({ argumentsJson }) => ({ text: JSON.stringify(JSON.parse(argumentsJson)), isError: false }))",
      ),
      "answers",
      /mine\.ts:6:\d+: act of one throws SyntaxError/,
    ],
    [
      "an open that throws",
      spoilt("open: async () => episode()", "open: async () => { throw new Error('full'); }"),
      "closes",
      /mine\.ts:11:\d+: open of one throws Error: full/,
    ],
    [
      "an opening that is no text",
      spoilt("close: async", "opening: 5, close: async"),
      "closes",
      "opens one with a number (5) as its opening",
    ],
    [
      "an episode without close",
      spoilt("  close: async () => {},\n", ""),
      "closes",
      "opens an episode without close(), wanted act, fingerprint, grade, close",
    ],
    [
      "a close that throws",
      spoilt("close: async () => {}", "close: async () => { throw new Error('open file'); }"),
      "closes",
      /close throws: .*mine\.ts:9:\d+: close of one throws Error: open file/,
    ],
    [
      "no fingerprint to compare",
      spoilt('fingerprint: async () => "same"', "fingerprint: async () => null"),
      "answers",
      "says resume: re-execute and has no fingerprint",
    ],
    [
      "chance",
      spoilt(ACT, ACT.replace('"ok"', "String(count++)")),
      "goes-on",
      /played again, the answers to message 0 is .*, before it was/,
    ],
    [
      "episodes that share",
      spoilt(ACT, `${ACT.replace('"ok"', "String(count++)")}`)
        .replace('fingerprint: async () => "same"', 'fingerprint: async () => "same"')
        .replace("const episode = () => ({", "const episode = () => (count = 0, {"),
      "shares-nothing",
      /beside another one, the answers to message \d is/,
    ],
  ])("%s", async (_, source, law, message) => {
    const found = await broken(source);
    expect(found).toContainEqual({
      law,
      taskId: "one",
      what: typeof message === "string" ? expect.stringContaining(message) : expect.stringMatching(message),
    });
  });
});
