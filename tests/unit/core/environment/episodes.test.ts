import { describe, expect, test } from "vitest";
import type { Episode, Resume, World } from "#core/environment/episode.ts";
import { EPISODE_SECONDS, openGuarded } from "#core/environment/guarded-episode.ts";
import { executedCalls, type Protocol } from "#core/environment/protocol.ts";
import { pureWorld } from "#core/environment/pure-episode.ts";
import type { UserSimulator } from "#core/ports.ts";
import { chatMessages } from "#core/prompt-format/native.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { simulatorMessages } from "#simulators/llm/prompts.ts";
import { ENDLESS, episodeLaws } from "../../../laws/episodes.ts";
import { add, counter, memoryJournal, say, scriptedPolicy, TASK, user } from "../rollout/parties.ts";

const SCRIPT = [say("hello"), add(1), add(0.5), say("done")];

/** Nobody is here to be asked. */
const nobody: UserSimulator = { id: "mute", hash: "m", reply: () => Promise.reject(new Error("asked")) };

const CALCULATOR: Protocol = {
  opens: "task",
  stopTokens: [],
  terminalTools: ["answer", "give_up"],
  handOverTools: ["give_up"],
  callsPerMessage: "all",
  limits: { maxTurns: null, maxErrors: 2 },
};

/** Adds up; the nearer to 2, the higher the reward, and half of it is a pass. No user, no golden actions. */
function calculator(resume: Resume, protocol: Protocol = CALCULATOR): World {
  const episodeAt = (start: number): Episode => {
    let sum = start;
    return {
      act: async (calls) =>
        calls.map(({ name, argumentsJson }) => {
          if (name === "fail") return { text: "Error: failed", isError: true };
          if (name === "add") sum += (JSON.parse(argumentsJson) as { by: number }).by;
          return { text: `${name} ${sum}`, isError: false };
        }),
      fingerprint: async () => (resume === "restart" ? null : `sum ${sum}`),
      grade: async () => ({ reward: Math.max(0, Math.min(1, sum / 2)), passed: sum >= 1, parts: { sum } }),
      close: async () => {},
      ...(resume === "restore" ? { snapshot: async () => String(sum) } : {}),
    };
  };
  return {
    id: "calculator",
    tools: [],
    systemPrompt: "Add.",
    protocol,
    resume,
    open: async (_task, { snapshot }) => episodeAt(snapshot === null ? 0 : Number(snapshot)),
  };
}

/** A pure world whose agent speaks first. */
const greeting = (): World => {
  const world = pureWorld(counter);
  return { ...world, protocol: { ...world.protocol, opens: "agent", greeting: "Hello, what can I do?" } };
};

const WORK = [add(0.5, 0.5), add(0.25), say("it is 1.25")];
const call = (name: string) => ({ id: name, name, argumentsJson: "{}" });

episodeLaws("a pure environment", () => ({ world: pureWorld(counter), task: TASK, script: SCRIPT, simulator: user }));
for (const resume of ["re-execute", "restore", "restart"] as const)
  episodeLaws(`a world that ${resume}s`, () => ({ world: calculator(resume), task: TASK, script: WORK, simulator: nobody }));

episodeLaws("a world whose agent opens", () => ({ world: greeting(), task: TASK, script: SCRIPT, simulator: user }));

const rollOut = async (world: World, script: Parameters<typeof scriptedPolicy>[0], journal = memoryJournal()) =>
  (
    await runTrajectory({
      task: TASK,
      trial: 0,
      environment: world,
      policy: scriptedPolicy(script),
      simulator: nobody,
      journal,
      clock: ENDLESS,
      seed: "s",
      limits: { maxTurns: 5 },
      signal: new AbortController().signal,
    })
  ).trajectory;

describe("the protocol of a task set", () => {
  const world = calculator("re-execute");

  test("the task opens and nobody answers: the agent's words end it, with a graded reward that is a pass", async () => {
    const trajectory = await rollOut(world, WORK);
    expect(trajectory).toMatchObject({ firstUserMessage: TASK.instruction, simulator: { id: "none" }, usage: { simulatorCalls: 0 } });
    expect(trajectory.outcome).toMatchObject({ type: "ok", reward: 0.625, passed: true, parts: { sum: 1.25 }, stopReason: "agent-stop" });
    expect(trajectory.outcome.isDatabaseMatch).toBeNull();
  });

  test("an agent that opens says its greeting, which user and policy hear, and nobody is trained on", async () => {
    const heard: (string | undefined)[] = [];
    const shown: unknown[] = [];
    const script = scriptedPolicy(SCRIPT);
    const { trajectory } = await runTrajectory({
      task: TASK,
      trial: 0,
      environment: greeting(),
      policy: {
        ...script,
        respond: (conversation, options) => {
          shown.push(chatMessages(conversation)[1]);
          return script.respond(conversation, options);
        },
      },
      simulator: {
        ...user,
        reply: (task, view, options) => {
          heard.push(view.greeting);
          expect(simulatorMessages("You are a customer.", view)[1]).toEqual({ role: "user", content: "Hello, what can I do?" });
          return user.reply(task, view, options);
        },
      },
      journal: memoryJournal(),
      seed: "s",
      limits: { maxTurns: 9 },
      signal: new AbortController().signal,
    });
    expect(trajectory).toMatchObject({ greeting: "Hello, what can I do?", simulator: { id: user.id } });
    expect(trajectory.firstUserMessage).not.toBe("");
    expect(new Set(heard)).toEqual(new Set(["Hello, what can I do?"]));
    expect(shown.every((message) => JSON.stringify(message) === '{"role":"assistant","content":"Hello, what can I do?"}')).toBe(true);
    const { greeting: _, ...rest } = trajectory;
    const { trajectory: byUser } = await runTrajectory({
      ...{
        task: TASK,
        trial: 0,
        environment: counter,
        policy: scriptedPolicy(SCRIPT),
        simulator: user,
        journal: memoryJournal(),
        seed: "s",
      },
      ...{ limits: { maxTurns: 9 }, signal: new AbortController().signal },
    });
    expect(rest).toEqual(byUser);
  });

  test("all calls of a message are executed together, and none after a final tool", async () => {
    const { turns, outcome } = await rollOut(world, [{ ...add(1), toolCalls: [call("noop"), call("answer"), call("noop")] }]);
    expect(turns[0]?.toolCalls.map(({ isExecuted, result }) => [isExecuted, result])).toEqual([
      [true, "noop 0"],
      [true, "answer 0"],
      [false, null],
    ]);
    expect(outcome.stopReason).toBe("agent-stop");
  });

  test("a tool that hands over ends it as a transfer; a tool that is never reached ends nothing", async () => {
    expect((await rollOut(world, [{ ...add(1), toolCalls: [call("give_up")] }])).outcome.stopReason).toBe("transfer");
    const first: Protocol = { ...CALCULATOR, callsPerMessage: "first" };
    const played = await rollOut(calculator("re-execute", first), [{ ...add(1), toolCalls: [call("noop"), call("answer")] }, say("2")]);
    expect(played.turns).toHaveLength(2);
    expect(executedCalls(first, [{ name: "noop" }, { name: "answer" }])).toEqual([{ name: "noop" }]);
  });

  test.each([
    ["error-cap", [...Array(3)].map(() => ({ ...add(1), toolCalls: [call("fail")] })), 2],
    ["turn-cap", [...Array(5)].map(() => add(1)), 5],
  ])("%s cuts it: no reward, whatever was reached", async (stopReason, script, numTurns) => {
    const { outcome, turns } = await rollOut(world, script);
    expect([outcome.stopReason, outcome.reward, outcome.passed, turns.length]).toEqual([stopReason, 0, false, numTurns]);
  });

  test("the task set's own limit of turns holds beside the campaign's", async () => {
    const short = calculator("re-execute", { ...CALCULATOR, limits: { maxTurns: 2, maxErrors: null } });
    expect((await rollOut(short, [add(1), add(1), add(1)])).turns).toHaveLength(2);
  });
});

describe("a world that says more than its task", () => {
  /** Opens with a number of its own and is over when the sum is 2. */
  const game = (first: string): World => {
    const world = calculator("re-execute");
    const open: World["open"] = async (task, options) => {
      const episode = await world.open(task, options);
      const act: Episode["act"] = async (calls, signal) => {
        const seen = await episode.act(calls, signal);
        const end = seen.findIndex(({ text }) => text === "add 2");
        return end === -1 ? seen : [...seen.slice(0, end), { text: "add 2", isError: false, isLast: true }];
      };
      return { ...episode, act, opening: `${task.instruction} ${first}` };
    };
    return { ...world, open };
  };
  episodeLaws("a world that ends its episodes", () => ({
    world: game("now"),
    task: TASK,
    script: [add(0.5, 0.5), add(1, 5), say("never said")],
    simulator: nobody,
  }));

  test("its opening is the first message, and nothing is executed or said after its last answer", async () => {
    const { firstUserMessage, turns, outcome } = await rollOut(game("now"), [add(1, 1, 5), say("never said")]);
    expect(firstUserMessage).toBe("make it 2 now");
    expect(turns.map(({ toolCalls }) => toolCalls.map(({ isExecuted, result }) => [isExecuted, result]))).toEqual([
      [
        [true, "add 1"],
        [true, "add 2"],
        [false, null],
      ],
    ]);
    expect(outcome).toMatchObject({ type: "ok", reward: 1, stopReason: "agent-stop" });
  });

  test("a rollout does not go on in a world that opens differently", async () => {
    const journal = memoryJournal([
      { type: "opening", firstUserMessage: "make it 2 now", simulatorUsage: { promptTokens: 0, completionTokens: 0, calls: 0 } },
    ]);
    const again = rollOut(game("later"), [add(2)], journal);
    await expect(again).rejects.toMatchObject({ code: "environment.replay-mismatch", message: expect.stringContaining("the opening") });
  });
});

describe("guarded episodes", () => {
  const lateWorld = (open: World["open"]): World => ({ ...calculator("restart"), open });

  test("an episode that is opened after its deadline is closed when it comes", async () => {
    let numCloses = 0;
    const { promise, resolve } = Promise.withResolvers<Episode>();
    const clock = {
      ...ENDLESS,
      sleep: (ms: number) => (ms === EPISODE_SECONDS.open * 1000 ? Promise.resolve() : new Promise<void>(() => {})),
    };
    const guard = { clock, signal: new AbortController().signal, onTrouble: () => {} };
    const opening = openGuarded(
      lateWorld(() => promise),
      TASK,
      { seed: "s", snapshot: null },
      guard,
    );
    await expect(opening).rejects.toMatchObject({ code: "environment.timeout", retryable: true });
    const whole = await calculator("restart").open(TASK, { seed: "s", signal: guard.signal, snapshot: null });
    resolve({
      ...whole,
      close: async () => {
        numCloses += 1;
      },
    });
    await new Promise((done) => setTimeout(done, 0));
    expect(numCloses).toBe(1);
  });

  test("observations that are fewer than the calls are the world's bug, told as one", async () => {
    const short = lateWorld(async (task, options) => ({ ...(await calculator("restart").open(task, options)), act: async () => [] }));
    expect((await rollOut(short, WORK)).outcome).toMatchObject({
      type: "env_error",
      detail: expect.stringContaining("2 calls have 0 observations"),
    });
  });

  test.each([-1, 1.5, Number.NaN])("a grade of %s is the world's bug, and no reward", async (reward) => {
    const odd = lateWorld(async (task, options) => ({
      ...(await calculator("restart").open(task, options)),
      grade: async () => ({ reward, passed: true, parts: {} }),
    }));
    expect((await rollOut(odd, WORK)).outcome).toMatchObject({ type: "env_error", reward: null });
  });
});
