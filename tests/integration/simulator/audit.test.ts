import { afterEach, describe, expect, it } from "vitest";
import { SimulatorAudit } from "#contracts/simulator-audit.ts";
import { checkReply } from "#simulators/llm/judge-reply.ts";
import { registerSimulator } from "../../../src/cli/commands/simulator.ts";
import { exitCodeOf } from "../../../src/cli/failure.ts";
import { runCommand } from "../../fixtures/run-command.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPublicRollouts, importPublicRollouts, PUBLIC_ROLLOUTS, TAU_BENCH, WHY_SKIPPED } from "../../support/public-rollouts.ts";
import { sendJson } from "../inference/failing-server.ts";
import { type Answer, type ChatBody, fails, says, startUserModel, type UserModelServer } from "./user-model.ts";

let server: UserModelServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

const turnwise = (args: readonly string[], data = "") =>
  runCommand(registerSimulator, ["simulator", "audit", ...args], { TURNWISE_HOME: temporaryFolder(), TURNWISE_TAU_BENCH: data });
const auditOf = async (args: readonly string[], data = "") => SimulatorAudit.parse(JSON.parse(await turnwise([...args, "--json"], data)));

/** Refuses once, then opens every conversation, and stops at the agent's first question when the seed is even. */
async function startImpatientUser(): Promise<UserModelServer> {
  const user: UserModelServer = await startUserModel((response) => {
    const body = user.bodies().at(-1) ?? null;
    if (body === null) sendJson(response, 200, { data: [] });
    else if (user.requests.length === 2) fails(429, { "retry-after": "0" })(response);
    else if (body.messages.length === 2) says("Hi, I need help.")(response);
    else says((body.seed ?? 0) % 2 === 0 ? "###STOP###" : "Yes, please.")(response);
  });
  return user;
}

describe("turnwise simulator audit", () => {
  it("finds a noise floor of exactly 0 for the scripted simulator, without data, files or keys", async () => {
    const text = await turnwise(["--tasks", "12", "--trials", "3"]);
    expect(text).toContain("noise floor  0 exactly");
    expect(text).toMatch(/doing nothing passes \d+\.\d %/);
    const report = await auditOf(["--tasks", "12", "--trials", "3"]);
    expect(report.tasks).toHaveLength(12);
    expect(report.overall).toMatchObject({ disagreement: { value: 0, low: 0, high: 0 }, passRateDeviation: 0, passRate: { value: 1 } });
    expect(report.tasks.every(({ numReplays, numPasses }) => numReplays === 3 && numPasses === 3)).toBe(true);
  });

  it("measures a language model as the user: its noise, its cost, its troubles", async () => {
    server = await startImpatientUser();
    const args = ["--simulator", "llm", "--base-url", server.baseUrl, "--model", "m", "--tasks", "4", "--trials", "6"];
    const report = await auditOf([...args, "--concurrency", "1"]);
    expect(report.simulator).toMatchObject({ id: "llm/1:m", isDeterministic: false });
    expect(report.overall.disagreement?.value).toBeGreaterThan(0);
    expect(report.overall.passRateDeviation).toBeGreaterThan(0);
    expect(report.tasks.every(({ passRate }) => passRate !== null && passRate.high !== passRate.low)).toBe(true);
    expect(report.usage.simulatorCalls).toBe(server.requests.length - 1); // all but the look at the models
    expect(report.troubles["provider.rate-limited"]).toBe(1);
  });

  /** Answers the look at the models, and every question as told. */
  const startUser = async (answer: Answer) => {
    server = await startUserModel((response) =>
      server?.bodies().at(-1) === null ? sendJson(response, 200, { data: [] }) : answer(response),
    );
    return ["--simulator", "llm", "--base-url", server.baseUrl, "--model", "m"];
  };

  it("counts replays whose user cannot be had, says why, and takes none of them for a failure", async () => {
    const args = await startUser((response) => {
      if ((server?.requests.length ?? 0) < 5) return says("How can I help you today?")(response);
      says(server?.bodies().at(-1)?.messages.length === 2 ? "Hi, I need help." : "Yes, please.")(response);
    });
    const options = [...args, "--tasks", "1", "--trials", "3", "--concurrency", "1"];
    const report = await auditOf(options);
    expect(report).toMatchObject({
      tasks: [{ numReplays: 2, numSimulatorErrors: 1 }],
      failures: [{ code: "simulator.role-confusion", message: expect.stringContaining("How can I help you today?"), count: 1 }],
      troubles: { "simulator.role-confusion": 3 },
    });
  });

  it.each([
    ["an error inside a good answer", { error: { message: "The model is being moved", code: "moved" } }, 200, "The model is being moved"],
    ["a refused key inside a good answer", { error: { message: "Invalid API key", code: 401 } }, 200, "Invalid API key"],
    ["a refusal of the whole request", { detail: "no such deployment" }, 400, "no such deployment"],
    ["an answer in the agent's part", { choices: [{ message: { content: "How can I help you today?" } }] }, 200, "speaks as the agent"],
  ])("that measured nothing for %s says so in the server's words and exits 3", async (_, body, status, words) => {
    const args = await startUser((response) => sendJson(response, status, body));
    const failure = await auditOf([...args, "--tasks", "2", "--trials", "2"]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringContaining(words), next: expect.any(String) });
    expect(exitCodeOf(failure)).toBe(3);
  });

  it("counts answers that were cut at the limit of tokens, and says so", async () => {
    const args = await startUser((response) => {
      const content = server?.bodies().at(-1)?.messages.length === 2 ? "Hi, I need" : "Yes, please.";
      sendJson(response, 200, {
        choices: [{ message: { content }, finish_reason: content.startsWith("Hi") ? "length" : "stop" }],
        usage: {},
      });
    });
    const options = [...args, "--tasks", "1", "--trials", "3"];
    const { troubles } = await auditOf(options);
    expect(troubles).toMatchObject({ "simulator.cut-answer": 3 });
    expect(await turnwise(options)).toContain("3 answers of the user were cut at max_tokens");
  });

  it("audits the task that is named, and as many as a number says", async () => {
    const { tasks } = await auditOf(["--tasks", "3", "--trials", "2"]);
    const ids = tasks.map(({ taskId }) => taskId);
    expect((await auditOf(["--task-ids", ids.slice(1).join(","), "--trials", "2"])).tasks.map(({ taskId }) => taskId)).toEqual(
      ids.slice(1),
    );
  });

  it("gives up after the first replays when none has an outcome", async () => {
    const args = await startUser(says("How can I help you today?"));
    await expect(auditOf([...args, "--tasks", "40", "--trials", "8"])).rejects.toMatchObject({
      message: expect.stringMatching(/^nothing was measured: none of 8 replays has an outcome; 8 of them: .*speaks as the agent/),
    });
    expect(server?.requests.length).toBeLessThan(8 * 3 * 3);
  });

  it("tells in its report what the endpoint was sent otherwise than it was set", async () => {
    const args = await startUser((response) => {
      const body = server?.bodies().at(-1) as ChatBody;
      if (body.max_tokens !== undefined)
        fails(400, {}, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")(response);
      else if (body.seed !== undefined) fails(422, {}, "body.seed: Extra inputs are not permitted")(response);
      else says(body.messages.length === 2 ? "Hi, I need help." : "Yes, please.")(response);
    });
    const report = await auditOf([...args, "--tasks", "1", "--trials", "2"]);
    expect(report.notes).toEqual([expect.stringContaining("max_completion_tokens"), expect.stringContaining("seed")]);
    expect(report.troubles).toEqual({});
    expect(report.tasks[0]).toMatchObject({ numReplays: 2, numSimulatorErrors: 0 });
  });

  it("sends the limit under the name that is given, and no seed where none is wanted", async () => {
    const args = await startUser((response) =>
      says(server?.bodies().at(-1)?.messages.length === 2 ? "Hi, I need help." : "Yes, please.")(response),
    );
    await auditOf([
      ...args,
      "--tasks",
      "1",
      "--trials",
      "2",
      "--max-tokens",
      "77",
      "--token-limit-field",
      "max_completion_tokens",
      "--no-seed-field",
    ]);
    const asked = server?.bodies().filter((body) => body !== null) ?? [];
    expect(asked.length).toBeGreaterThan(1);
    for (const body of asked) {
      expect(body).toMatchObject({ max_completion_tokens: 77 });
      expect(Object.keys(body)).not.toContain("seed");
      expect(Object.keys(body)).not.toContain("max_tokens");
    }
  });

  it("asks a model at temperature 0 every time: a remembered answer would hide its noise", async () => {
    server = await startImpatientUser();
    const args = [
      "--simulator",
      "llm",
      "--base-url",
      server.baseUrl,
      "--model",
      "m",
      "--temperature",
      "0",
      "--tasks",
      "2",
      "--trials",
      "4",
    ];
    const report = await auditOf(args);
    expect(report.usage.simulatorCalls).toBeGreaterThanOrEqual(2 * 4 * 2);
  });

  it("takes the task set by either name", async () => {
    const one = await auditOf(["--task-set", "synthetic-airline", "--tasks", "2"]);
    expect(await auditOf(["--environment", "synthetic-airline", "--tasks", "2"])).toEqual(one);
  });

  it.each([
    [["--simulator", "oracle"], "unknown simulator oracle"],
    [["--simulator", "react"], "needs --base-url and --model"],
    [["--model", "m", "--no-seed-field"], "scripted takes no --model, --no-seed-field"],
    [["--simulator", "mine.yaml", "--max-tokens", "9"], "mine.yaml takes no --max-tokens: the file says it"],
    [["--tasks", "2", "--task-ids", "sft-0001"], "both choose tasks"],
    [["--simulator", "llm", "--base-url", "nonsense", "--model", "m"], "--base-url"],
    [["--simulator", "llm", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--temperature", "hot"], "--temperature"],
    [["--trials", "1"], "--trials"],
    [["--tasks", "no-such-task"], "there is no task no-such-task"],
    [["--tasks", "0"], "at least one task"],
    [["--task-set", "nowhere"], "unknown task set nowhere"],
    [["/nowhere.json", "--task-set", "synthetic-airline"], "cannot read /nowhere.json"],
    [["--simulator", "/nowhere.yaml"], "cannot read the campaign file"],
  ])("refuses %j with a next step", async (args, message) => {
    await expect(turnwise(args)).rejects.toMatchObject({ message: expect.stringContaining(message), next: expect.any(String) });
  });

  it("says that nobody answers before it replays anything", async () => {
    const args = ["--simulator", "llm", "--base-url", "http://127.0.0.1:9/v1", "--model", "m"];
    await expect(turnwise(args)).rejects.toMatchObject({ code: "config.unreachable" });
  });
});

describe.skipIf(!hasPublicRollouts)(`the public gpt-4o rollouts${WHY_SKIPPED}`, () => {
  it("show the flags that were read and found right, by conversation", async () => {
    const report = await auditOf([PUBLIC_ROLLOUTS, "--trials", "2"], TAU_BENCH);
    const conversations = (kind: string) => [
      ...new Set(report.flags.flatMap((flag) => (flag.kind === kind ? [`${flag.taskId}/${flag.trial}`] : []))),
    ];
    expect(conversations("early-stop")).toEqual("1/0 1/3 4/1 5/2 5/3 7/1 8/0 8/2 8/3 9/0 16/0 16/1 16/2 22/3 23/0 45/1".split(" "));
    expect(conversations("wrong-fact")).toEqual("9/3 22/3 23/3 24/0 27/3 32/1 32/2 32/3 36/3 46/3".split(" "));
    expect(conversations("gold-leak")).toEqual([]);
    expect(report.recorded).toEqual({ conversations: 200, wrongFact: 10, earlyStop: 16, goldLeak: 0 });
  });

  it("hold no message that would be taken for a refusal or for the agent's part", () => {
    const messages = importPublicRollouts().flatMap(({ trajectory: { firstUserMessage, turns } }) => [
      firstUserMessage,
      ...turns.flatMap(({ userReply }) => userReply ?? []),
    ]);
    expect(messages).toHaveLength(1490);
    for (const message of messages) expect(() => checkReply(message, { firstUserMessage: "hi" })).not.toThrow();
  });

  it("are not replayed in an environment that is not theirs", async () => {
    await expect(turnwise([PUBLIC_ROLLOUTS, "--task-set", "tau-bench-retail"], TAU_BENCH)).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringMatching(
        /236 of 1091 calls fit tau-bench-retail \(735 are of tools that are not there .*; tau-bench-airline fits 1044 of 1164 calls/,
      ),
    });
  });

  it("replay against the scripted simulator without noise, and mostly as recorded", async () => {
    const report = await auditOf([PUBLIC_ROLLOUTS, "--trials", "2"], TAU_BENCH);
    expect(report.overall.disagreement).toEqual({ value: 0, low: 0, high: 0 });
    expect(report.doNothingFloor).toBe(0.38);
    const reproduced = report.tasks.reduce((sum, { numReproduced }) => sum + (numReproduced ?? 0), 0);
    expect(reproduced / 400).toBeGreaterThan(0.85);
  });
});
