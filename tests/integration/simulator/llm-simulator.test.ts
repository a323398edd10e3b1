import { afterEach, describe, expect, test } from "vitest";
import { createInferenceClient } from "#adapters/inference/client.ts";
import { createLlmSimulator, type LlmSimulatorOptions } from "#adapters/simulator/llm.ts";
import { systemClock } from "#adapters/system-clock.ts";
import type { SimulatorView, UserSimulator } from "#core/ports.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { numFlaggedStops, type UserHelp } from "#core/rollout/user-help.ts";
import type { StrategyName } from "#simulators/llm/strategies.ts";
import { add, counter, memoryJournal, say, scriptedPolicy, TASK, testClock } from "../../unit/core/rollout/parties.ts";
import { sendJson } from "../inference/failing-server.ts";
import { fails, hangs, type Step, says, startUserModel, type UserModelServer } from "./user-model.ts";

const NEVER = new AbortController().signal;
const OPENING: SimulatorView = { firstUserMessage: null, exchanges: [] };
const asking = (agent: string): SimulatorView => ({ firstUserMessage: "hi", exchanges: [{ agent, user: null }] });

let server: UserModelServer;
afterEach(() => server?.close());

type More = Partial<Omit<LlmSimulatorOptions, "client">>;
async function simulatorAt(
  steps: readonly [Step, ...Step[]],
  more: More = {},
): Promise<UserSimulator & { clock: ReturnType<typeof testClock> }> {
  server = await startUserModel(...steps);
  const clock = testClock();
  const client = createInferenceClient({ baseUrl: server.baseUrl, environment: {} });
  const simulator = createLlmSimulator({ client, model: "m", temperature: 0.7, maxTokens: 64, clock, ...more });
  return { ...simulator, clock };
}
const ask = (simulator: UserSimulator, view = OPENING, numPendingWrites = 0) =>
  simulator.reply(TASK, view, { seed: "0000002a", signal: NEVER, countPendingWrites: () => numPendingWrites });

describe("an endpoint in trouble is waited for", () => {
  test("as long as Retry-After says, and the reply is metered with every call", async () => {
    const simulator = await simulatorAt([fails(429, { "retry-after": "7" }), "I want a seat."]);
    const reply = await ask(simulator);
    expect(reply).toMatchObject({ content: "I want a seat.", usage: { promptTokens: 10, completionTokens: 2, calls: 2 } });
    expect(reply.troubles).toEqual({ "provider.rate-limited": 1 });
    expect(simulator.clock.slept).toEqual([7000]);
  });

  test("and says why before it waits, in the server's words", async () => {
    const simulator = await simulatorAt([fails(503, {}, "upstream is away"), says("  "), "I want a seat."]);
    const told: string[] = [];
    await simulator.reply(TASK, OPENING, { seed: "0000002a", signal: NEVER, onTrouble: ({ message }) => told.push(message) });
    expect(told).toEqual(["user simulator m: HTTP 503: upstream is away", "the simulated user said nothing: the answer is empty"]);
  });

  test("longer every time when it does not say, spread by the seed", async () => {
    const simulator = await simulatorAt([fails(503), fails(500), (response) => response.destroy(), "ok"]);
    expect((await ask(simulator)).content).toBe("ok");
    const bounds = [500, 1000, 2000];
    expect(simulator.clock.slept).toHaveLength(3);
    simulator.clock.slept.forEach((wait, i) => {
      expect(wait).toBeGreaterThanOrEqual(0.5 * (bounds[i] as number));
      expect(wait).toBeLessThanOrEqual(1.5 * (bounds[i] as number));
    });
  });

  test("at most until the deadline", async () => {
    const simulator = await simulatorAt([fails(429)], { limits: { deadlineSeconds: 60 } });
    const failure = await ask(simulator).catch((error) => error);
    expect(failure).toMatchObject({ code: "simulator.rate-limited", usage: { calls: server.requests.length } });
    expect(failure.troubles).toEqual({ "provider.rate-limited": server.requests.length });
    expect(simulator.clock.now()).toBeLessThanOrEqual(60_000);
  });

  test("not at all when it asks for more time than there is", async () => {
    const simulator = await simulatorAt([fails(429, { "retry-after": "3600" })], { limits: { deadlineSeconds: 60 } });
    await expect(ask(simulator)).rejects.toMatchObject({ code: "simulator.rate-limited" });
    expect(simulator.clock.slept).toEqual([]);
  });

  test("when it hangs, call by call", async () => {
    const simulator = await simulatorAt([hangs, "here I am"], { limits: { timeoutSeconds: 0.2 } });
    expect(await ask(simulator)).toMatchObject({ content: "here I am", troubles: { "provider.timeout": 1 }, usage: { calls: 2 } });
  });

  test("and given up as a timeout when it always hangs", async () => {
    const simulator = await simulatorAt([hangs], { limits: { timeoutSeconds: 0.1, deadlineSeconds: 1.5 } });
    await expect(ask(simulator)).rejects.toMatchObject({ code: "simulator.timeout" });
    expect(server.requests.length).toBeGreaterThan(1);
  });

  test("not when waiting cannot help", async () => {
    const simulator = await simulatorAt([fails(401)]);
    await expect(ask(simulator)).rejects.toMatchObject({ code: "provider.unauthorized", usage: { calls: 1 } });
    expect(server.requests).toHaveLength(1);
  });

  test("and left at once when the caller aborts", async () => {
    const controller = new AbortController();
    const simulator = await simulatorAt([() => controller.abort(new Error("cancelled"))]);
    await expect(simulator.reply(TASK, OPENING, { seed: "1", signal: controller.signal })).rejects.toThrow("cancelled");
  });
});

test("a wait ends at once when the caller aborts, with the caller's reason", async () => {
  const controller = new AbortController();
  const simulator = await simulatorAt(
    [
      (response) => {
        fails(429, { "retry-after": "60" })(response);
        setTimeout(() => controller.abort(new Error("cancelled")), 50);
      },
    ],
    { clock: systemClock },
  );
  await expect(simulator.reply(TASK, OPENING, { seed: "1", signal: controller.signal })).rejects.toThrow("cancelled");
});

describe("a reply that no user would give is asked for again:", () => {
  test.each([
    ["an empty one", says("  "), "simulator.empty-reply"],
    ["null", says(null), "simulator.empty-reply"],
    ["a refusal", says(null, { refusal: "I won't" }), "simulator.refusal"],
    ["a refusal in words", "I'm sorry, but I can't help with that.", "simulator.refusal"],
    ["the agent's part", "Thank you for contacting us! How can I help you today?", "simulator.role-confusion"],
    ["the end before the beginning", "###STOP###", "simulator.premature-stop"],
    ["another shape", ((response) => response.writeHead(200).end("{}")) as Step, "provider.invalid-response"],
  ] as const)("%s", async (_, bad, code) => {
    const simulator = await simulatorAt([bad, "I want a seat."]);
    expect(await ask(simulator)).toMatchObject({ content: "I want a seat.", troubles: { [code]: 1 }, usage: { calls: 2 } });
    const [first, second] = server.bodies();
    expect(second?.messages).toEqual(first?.messages);
    expect(first?.seed).toBe(42);
    expect(second?.seed).not.toBe(42);
    expect(simulator.clock.slept).toEqual([]);
  });

  test("three times, then it is given up, with all that it cost", async () => {
    const simulator = await simulatorAt(["How can I help you?"]);
    await expect(ask(simulator)).rejects.toMatchObject({
      code: "simulator.role-confusion",
      usage: { promptTokens: 30, completionTokens: 6, calls: 3 },
      troubles: { "simulator.role-confusion": 3 },
    });
    expect(server.requests).toHaveLength(3);
  });
});

describe("a stop before the last write", () => {
  const view = asking("That costs 50 dollars. Shall I proceed?");

  test("is asked for once more", async () => {
    const simulator = await simulatorAt(["Yes. ###STOP###", "Yes, please."]);
    expect(await ask(simulator, view, 1)).toMatchObject({ content: "Yes, please.", troubles: { "simulator.premature-stop": 1 } });
  });

  test("is kept and counted when the user stops again", async () => {
    const simulator = await simulatorAt(["Yes. ###STOP###"], { limits: { maxBadReplies: 1 } });
    expect(await ask(simulator, view, 1)).toMatchObject({ content: "Yes. ###STOP###", troubles: { "simulator.premature-stop": 2 } });
    expect(server.requests).toHaveLength(2);
  });

  test("is an error then, where that is asked for", async () => {
    const simulator = await simulatorAt(["Yes. ###STOP###"], { prematureStop: "error" });
    await expect(ask(simulator, view, 1)).rejects.toMatchObject({ code: "simulator.premature-stop", usage: { calls: 2 } });
  });

  test("is a stop like any other where it is not judged, or when nothing is pending", async () => {
    const simulator = await simulatorAt(["Yes. ###STOP###"], { prematureStop: "ignore" });
    expect(await ask(simulator, view, 1)).not.toHaveProperty("troubles");
    const judging = await simulatorAt(["Yes. ###STOP###"]);
    expect(await ask(judging, view, 0)).not.toHaveProperty("troubles");
  });

  test("changes no prompt by being pending", async () => {
    const simulator = await simulatorAt(["Which one?"]);
    await ask(simulator, view, 0);
    await ask(simulator, view, 3);
    expect(server.bodies()[1]).toEqual(server.bodies()[0]);
  });
});

describe("what goes over the wire", () => {
  test("is model, temperature, limit and seed as they were set", async () => {
    await ask(await simulatorAt(["ok"], { temperature: 0.3, maxTokens: 17 }));
    expect(server.bodies()[0]).toMatchObject({ model: "m", temperature: 0.3, max_tokens: 17, seed: 42 });
  });

  test("has temperature 0 when that is set", async () => {
    await ask(await simulatorAt(["ok"], { temperature: 0 }));
    expect(server.bodies()[0]).toMatchObject({ temperature: 0 });
  });

  test("has no seed for an endpoint that refuses it", async () => {
    await ask(await simulatorAt(["ok"], { hasSeed: false }));
    expect(server.bodies()[0]).not.toHaveProperty("seed");
  });

  test("has the fields of the campaign, and the limit under the name that the endpoint knows", async () => {
    const requestFields = { reasoning_effort: "low", chat_template_kwargs: { enable_thinking: false } };
    await ask(await simulatorAt(["ok"], { requestFields, tokenLimitField: "max_completion_tokens", maxTokens: 17 }));
    expect(server.bodies()[0]).toMatchObject({ ...requestFields, max_completion_tokens: 17 });
    expect(server.bodies()[0]).not.toHaveProperty("max_tokens");
  });

  test("is another user when the fields are others, and the same one without any", async () => {
    const [plain, none, low, high] = await Promise.all(
      [{}, { requestFields: {} }, { requestFields: { reasoning_effort: "low" } }, { requestFields: { reasoning_effort: "high" } }].map(
        async (more) => (await simulatorAt(["ok"], more)).hash,
      ),
    );
    expect(none).toBe(plain);
    expect(new Set([plain, low, high]).size).toBe(3);
  });

  test("that the endpoint's content filter refuses is a refusal of this one reply", async () => {
    const filtered: Step = (response) => sendJson(response, 400, { error: { message: "filtered", code: "content_filter" } });
    const reply = await ask(await simulatorAt([filtered, "I want a seat."]));
    expect(reply).toMatchObject({ content: "I want a seat.", troubles: { "simulator.refusal": 1 } });
  });

  test("is seeded apart for every call of a reply", async () => {
    await ask(await simulatorAt(["a", "false", "b", "false", "c", "true"], { strategy: "verify" }));
    expect(new Set(server.bodies().map(({ seed }) => seed)).size).toBe(6);
  });
});

describe("every call of a strategy is metered", () => {
  const REWRITE = "Reflection: x\nResponse: y";
  test.each<[StrategyName, [Step, ...Step[]], string, number]>([
    ["llm", ["a"], "a", 1],
    ["react", ["Thought: t\nUser Response: a"], "a", 1],
    ["react", ["no form", "Thought: t\nUser Response: a"], "a", 2],
    ["verify", ["a", "true"], "a", 2],
    ["verify", ["a", "false", "b", "true"], "b", 4],
    ["verify", ["a", "false", "b", "false", "c", "false"], "c", 6],
    ["reflection", ["a", "true"], "a", 2],
    ["reflection", ["a", "false", REWRITE, "b", "true"], "b", 5],
    ["reflection", ["a", "false", REWRITE, "b", "false"], "a", 5],
    ["reflection", ["a", "false", "no form", "a", "true"], "a", 5],
  ])("%s %j", async (strategy, steps, content, calls) => {
    const reply = await ask(await simulatorAt(steps, { strategy }));
    expect(reply).toMatchObject({ content, usage: { calls, promptTokens: 10 * calls, completionTokens: 2 * calls } });
    expect(server.requests).toHaveLength(calls);
  });
});

describe("in a rollout", () => {
  const play = (
    simulator: UserSimulator,
    script: Parameters<typeof scriptedPolicy>[0],
    journal = memoryJournal(),
    userHelp: UserHelp = "judge",
  ) =>
    runTrajectory({
      task: { ...TASK, goldenActions: [{ name: "add", argumentsJson: '{"by": 2}' }] },
      trial: 0,
      environment: counter,
      policy: scriptedPolicy(script),
      simulator,
      journal,
      seed: "seed",
      limits: { maxTurns: 8 },
      userHelp,
      signal: NEVER,
    });

  test.each<StrategyName>(["llm", "react", "verify", "reflection"])(
    "no prompt of %s ever holds the agent's reasoning",
    async (strategy) => {
      const reply = "Thought: t\nUser Response: go on";
      const simulator = await simulatorAt([reply, "true", reply, "true", reply, "true", reply], { strategy });
      await play(simulator, [
        say("<think>SECRET one</think>What is it?"),
        say("SECRET two</think>And how?"),
        { ...add(2), content: "SECRET beside a call" },
        say("Like this. <thinking>SECRET three"),
        say("<think>SECRET four"),
      ]);
      expect(server.requests.length).toBeGreaterThanOrEqual(4);
      const prompts = JSON.stringify(server.bodies());
      expect(prompts).toContain("What is it?");
      expect(prompts).toContain("Like this.");
      expect(prompts).not.toContain("SECRET");
    },
  );

  test("a message of mere reasoning ends the rollout as the agent's error", async () => {
    const simulator = await simulatorAt(["go on"]);
    const { trajectory } = await play(simulator, [say("<think>SECRET done</think>")]);
    expect(trajectory.outcome).toMatchObject({ type: "agent_error", reward: 0 });
    expect(server.requests).toHaveLength(1);
  });

  test("reasoning counts for nothing when it is graded", async () => {
    const simulator = await simulatorAt(["go on", "###STOP###"], { prematureStop: "ignore" });
    const { trajectory } = await play(simulator, [add(2), say("<think>done</think>bye")]);
    expect(trajectory.outcome).toMatchObject({ type: "task_failed", detail: 'the replies lack "done"' });
  });

  test("react remembers its thoughts, the agent never hears them, and both outlive a crash", async () => {
    const steps: [Step, ...Step[]] = ["Thought: MINE\nUser Response: hello", "Thought: END\nUser Response: bye ###STOP###"];
    const whole = memoryJournal();
    const { trajectory } = await play(await simulatorAt(steps, { strategy: "react" }), [say("done?"), say("x")], whole);
    const live = server.bodies();
    expect(trajectory.firstUserMessage).toBe("hello");
    expect(JSON.stringify(trajectory)).not.toContain("MINE");
    expect(live[1]?.messages.at(-2)).toEqual({ role: "assistant", content: "Thought: MINE\nUser Response: hello" });

    const resumed = await simulatorAt([steps[1] as Step], { strategy: "react" });
    const again = await play(resumed, [say("done?"), say("x")], memoryJournal(whole.entries.slice(0, 1)));
    expect(server.bodies()[0]).toEqual(live[1]);
    expect(again.trajectory).toEqual(trajectory);
  });

  test("a user that cannot be had is a sim_error without a reward, with what it cost and why", async () => {
    const simulator = await simulatorAt(["hello", "How can I help you?"]);
    const { trajectory } = await play(simulator, [say("tell me")]);
    expect(trajectory.outcome).toMatchObject({ type: "sim_error", reward: null, detail: expect.stringContaining("role-confusion") });
    expect(trajectory.usage).toMatchObject({ simulatorCalls: 4, simulatorPromptTokens: 40 });
    expect(trajectory.simulatorTroubles).toEqual({ "simulator.role-confusion": 3 });
  });

  test("a stop before the last write is counted in the trajectory, and a rollout without troubles has no count", async () => {
    const { trajectory } = await play(await simulatorAt(["hello", "Yes. ###STOP###"]), [say("Shall I add 2?")]);
    expect(trajectory.simulatorTroubles).toEqual({ "simulator.premature-stop": 2 });
    const calm = await play(await simulatorAt(["hello", "###STOP###"]), [add(2), say("It is done.")]);
    expect(calm.trajectory).not.toHaveProperty("simulatorTroubles");
    expect(calm.trajectory.outcome.reward).toBe(1);
  });

  test.each(["flag", "error", "ignore"] as const)(
    "that measures, a stop before the last write stands, costs no second call and is counted (prematureStop: %s)",
    async (prematureStop) => {
      const steps: [Step, ...Step[]] = ["hello", "Yes. ###STOP###", "go on"];
      const simulator = await simulatorAt(steps, { prematureStop });
      const { trajectory } = await play(simulator, [say("Shall I add 2?"), add(2), say("done")], memoryJournal(), "count");
      expect(server.requests).toHaveLength(2);
      expect(trajectory).toMatchObject({
        outcome: { type: "task_failed", stopReason: "user-stop" },
        simulatorTroubles: { "simulator.premature-stop": 1 },
        usage: { simulatorCalls: 2 },
      });
      expect(numFlaggedStops([trajectory])).toBe(1);
    },
  );

  test("that measures, a user who stops when all is done is not flagged", async () => {
    const { trajectory } = await play(await simulatorAt(["hello", "###STOP###"]), [add(2), say("It is done.")], memoryJournal(), "count");
    expect(trajectory).not.toHaveProperty("simulatorTroubles");
    expect(numFlaggedStops([trajectory])).toBe(0);
  });
});
