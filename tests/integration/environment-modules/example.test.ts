// The example of docs/extending/environment.md: the page's code is the file's, its episodes keep the laws, and a person in another folder can do what the page says.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { environmentResources } from "#adapters/environment-resources/environment-resources.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import type { Turn } from "#contracts/trajectory.ts";
import { EPISODE_SECONDS } from "#core/environment/guarded-episode.ts";
import { MODULE_SECONDS } from "#environments/module/loaded-module.ts";
import { moduleEnvironment } from "#environments/module/plugin.ts";
import { present } from "../../fixtures/present.ts";
import { longTemporaryFolder, temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { episodeLaws } from "../../laws/episodes.ts";
import { say } from "../../unit/core/rollout/parties.ts";

const EXAMPLE = "examples/environments/calculator.ts";
const text = (path: string) => readFileSync(join(REPOSITORY, path), "utf8");
const page = text("docs/extending/environment.md");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map((match) => present(match[1]));

const taskSet = await moduleEnvironment.openTaskSet(
  moduleEnvironment.configSchema.parse({ type: "module", path: EXAMPLE }),
  environmentResources(null),
);
const sum = (id: string) =>
  present(
    Object.values(taskSet.splits)
      .flat()
      .find((task) => task.id === id),
  );
const step = (left: number, operator: string, right: number) => ({
  ...say(""),
  content: null,
  toolCalls: [{ id: `${left}${operator}`, name: "calculate", argumentsJson: JSON.stringify({ left, operator, right }) }],
  finishReason: "tool_calls" as const,
});

episodeLaws("the calculator", () => ({
  world: taskSet.world,
  task: sum("sum-3-4-5"),
  script: [step(3, "+", 4), step(7, "*", 5), say("35")],
  simulator: { id: "nobody", hash: "n", reply: () => Promise.reject(new Error("nobody is asked")) },
}));

describe("the page", () => {
  test("shows every line of the example, in order, and the example has at most 80", () => {
    const lines = (source: string) => source.split("\n").filter((line) => line.trim() !== "");
    expect(lines(blocks("ts").join("\n"))).toEqual(lines(text(EXAMPLE)));
    expect(text(EXAMPLE).trimEnd().split("\n").length).toBeLessThanOrEqual(80);
  });

  test("tells the deadlines as they are", () => {
    const { open, act, fingerprint, close, snapshot, grade } = EPISODE_SECONDS;
    expect([act, close]).toEqual([open, fingerprint]);
    const told = `loading has ${MODULE_SECONDS.load} s, \`openTaskSet\` ${MODULE_SECONDS.openTaskSet} s, \`open\` and \`act\` ${open} s`;
    expect(page).toContain(`${told}, \`fingerprint\` and \`close\` ${close} s, \`snapshot\` ${snapshot} s, \`grade\` ${grade} s.`);
  });
});

describe("the calculator's reward", () => {
  const gradeOf = async (content: string | null) => {
    const signal = new AbortController().signal;
    const episode = await taskSet.world.open(sum("sum-3-4-5"), { seed: "s", signal, snapshot: null });
    const turn: Turn = { index: 0, content, toolCalls: [], userReply: null, finishReason: "stop", stateHash: null };
    return await episode.grade({ firstUserMessage: "", turns: [turn], stopReason: "agent-stop" }, signal);
  };

  test("is 1 for the answer, more the nearer a number is, and 0 for none", async () => {
    expect(await gradeOf("(3 + 4) * 5 is 35")).toMatchObject({ reward: 1, passed: true });
    const [near, far, none] = await Promise.all([gradeOf("34"), gradeOf("-900"), gradeOf("no idea")]);
    expect([near.passed, far.passed, none.reward]).toEqual([false, false, 0]);
    expect(near.reward).toBeLessThan(0.5 + 1e-9);
    expect(near.reward).toBeGreaterThan(far.reward);
    expect(far.reward).toBeGreaterThan(0);
  });
});

describe("a campaign file", () => {
  test("names a module from its own folder with ./, from the repository without, and what is stored is the same", async () => {
    const near = (await loadCampaignFile(join(REPOSITORY, "examples/environments/calculator.yaml"))).environment;
    const far = (await loadCampaignFile(join(REPOSITORY, "examples/environments/calculator.yaml"), [`environment.path=${EXAMPLE}`]))
      .environment;
    expect(near).toEqual({ type: "module", path: EXAMPLE, largest: 9 });
    expect(far).toEqual(near);
    const folder = temporaryFolder();
    copyFileSync(join(REPOSITORY, "examples/environments/calculator.yaml"), join(folder, "mine.yaml"));
    expect((await loadCampaignFile(join(folder, "mine.yaml"))).environment).toMatchObject({ path: join(folder, "calculator.ts") });
  });

  test("that has begun goes on with the very module that it began with", async () => {
    const path = join(temporaryFolder(), "calculator.ts");
    copyFileSync(join(REPOSITORY, EXAMPLE), path);
    const settings = { home: temporaryFolder(), tauBench: null };
    const config = { type: "module", path };
    const { dataSha256 } = await openTaskSet(config, settings);
    expect((await openTaskSet({ ...config }, settings, dataSha256)).dataSha256).toBe(dataSha256);
    writeFileSync(path, text(EXAMPLE).replace("0.5 / (1 +", "0.6 / (1 +"));
    const again = openTaskSet({ ...config, largest: 9 }, settings, dataSha256); // another worker: this one has opened it already
    await expect(again).rejects.toMatchObject({
      code: "environment.data-changed",
      next: expect.stringContaining("start another campaign"),
    });
  });
});

describe("a person in another folder", () => {
  const folder = longTemporaryFolder();
  const turnwise = (...args: string[]) =>
    execa(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), ...args], { cwd: folder, reject: false, env: { NO_COLOR: "1" } });

  test("has the types with the tsconfig of the page", { timeout: 300_000 }, async () => {
    copyFileSync(join(REPOSITORY, EXAMPLE), join(folder, "mine.ts"));
    writeFileSync(join(folder, "tsconfig.json"), present(blocks("json")[0]).replace("/path/to/turnwise", REPOSITORY));
    writeFileSync(join(folder, "wrong.ts"), text(EXAMPLE).replace("passed, parts: { distance }", "parts: { distance }"));
    const { stdout } = await execa(process.execPath, [join(REPOSITORY, "node_modules/typescript/bin/tsc"), "-p", folder], {
      reject: false,
    });
    expect(stdout).toMatch(/^\S*\/wrong\.ts\(\d+,\d+\): error TS\d+: Property 'passed' is missing.*$/);
  });

  test("tries a module from the command line: what holds, and with file and line what does not", { timeout: 300_000 }, async () => {
    copyFileSync(join(REPOSITORY, EXAMPLE), join(folder, "mine.ts"));
    const whole = await turnwise("env", "check", "mine.ts", "--set", "largest=3", "--tasks", "5");
    expect(whole).toMatchObject({ exitCode: 0, stderr: "" });
    expect(whole.stdout).toMatch(/^settings +\{"largest":3\}$/m);
    expect(whole.stdout).toMatch(/^tasks +\d+ train, \d+ selection, \d+ test$/m);
    expect(whole.stdout.match(/ yes$/gm)).toHaveLength(6);

    writeFileSync(
      join(folder, "broken.ts"),
      text(EXAMPLE)
        .replace("Step.parse(JSON.parse(argumentsJson));\n", "Step.parse(JSON.parse(argumentsJson));\n  } finally {\n")
        .replace(/ {2}\} catch \(error\) \{\n.*\n/, ""),
    );
    const broken = await turnwise("env", "check", "broken.ts", "--json");
    expect(broken.exitCode).not.toBe(0);
    expect(broken.stderr + broken.stdout).toMatch(/broken\.ts:\d+/);

    const ofCampaign = await turnwise(
      "env",
      "check",
      join(REPOSITORY, "configs/campaigns/quickstart.yaml"),
      "--set",
      "environment.seed=3",
      "--tasks",
      "3",
    );
    expect(ofCampaign).toMatchObject({ exitCode: 0, stderr: "" });
    expect(ofCampaign.stdout).toMatch(/^environment +synthetic-airline\nsettings +\{"seed":3,/);
    expect(ofCampaign.stdout.match(/ yes$/gm)).toHaveLength(6);

    const both = await turnwise("env", "check", "mine.ts", "--task-set", "synthetic-airline");
    expect(both).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("config.invalid --task-set is of the task sets that are here"),
    });
    const refused = await turnwise("env", "check", "mine.ts", "--set", "largest=many");
    expect(refused).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/config\.invalid .*mine\.ts refuses its settings: environment\.largest: /),
    });
  });
});
