// Episodes on real servers of the OpenEnv protocol: the laws, groups of rollouts, and what a server may do wrong.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openEnvServer, type ServerOptions } from "#adapters/openenv/server.ts";
import { systemClock } from "#adapters/system-clock.ts";
import type { Episode, World } from "#core/environment/episode.ts";
import type { CampaignError } from "#core/errors.ts";
import type { AgentTurn, Policy, UserSimulator } from "#core/ports.ts";
import { runGroup } from "#core/rollout/run-group.ts";
import { OpenEnvConfig, type ToldTask } from "#environments/openenv/config.ts";
import { servedWorld } from "#environments/openenv/served-world.ts";
import { openTools } from "#environments/openenv/tools.ts";
import { type RunningServer, STARTING, startLedger, startPuppet } from "../../fixtures/openenv-server.ts";
import { episodeLaws } from "../../laws/episodes.ts";
import { startMuteServer } from "../../support/mute-server.ts";
import { memoryJournal, scriptedPolicy, TASK } from "../../unit/core/rollout/parties.ts";

const signal = new AbortController().signal;
const LOCAL: ServerOptions = { allowedHosts: [], environment: {} };
const nobody: UserSimulator = { id: "mute", hash: "m", reply: () => Promise.reject(new Error("asked")) };

let ledger: RunningServer;
let puppet: RunningServer;
beforeAll(async () => {
  [ledger, puppet] = await Promise.all([startLedger("--sessions", "6"), startPuppet()]);
}, STARTING);
afterAll(async () => {
  await Promise.all([ledger?.stop(), puppet?.stop()]);
});

const ONE = { id: "one", instruction: "", reset: {} } satisfies ToldTask;
const configOf = (given: object) =>
  OpenEnvConfig.parse({ type: "openenv", systemPrompt: "Do it.", url: puppet.url, tasks: { train: [ONE] }, ...given });

async function worldOf(given: object, tasks: readonly ToldTask[] = [ONE], options: ServerOptions = LOCAL): Promise<World> {
  const config = configOf(given);
  const server = openEnvServer(config, options);
  return servedWorld(config, server, await openTools(server, config.tools, signal), tasks);
}
const ledgerWorld = (given: object = {}) => worldOf({ url: ledger.url, ...given }, LEDGER_TASKS);
const ACT = { name: "act", description: "Does what it says." };
const puppetWorld = (given: object = {}, tasks?: readonly ToldTask[], options?: ServerOptions) =>
  worldOf({ tools: ACT, shows: ["text"], ...given }, tasks, options);

const LEDGER_TASKS: ToldTask[] = [
  { id: "two", instruction: "Keep the books.", reset: { accounts: 2 } },
  { id: "four", instruction: "", reset: { accounts: 4, seed: 11 } },
];
const taskNamed = (id: string) => ({ ...TASK, id, instruction: "" });
const open = (world: World, id = "one", seed = "s") => world.open(taskNamed(id), { seed, signal, snapshot: null });
const call = (name: string, argumentsJson = "{}", id = name) => ({ id, name, argumentsJson });
const move = (what: object) => call("act", JSON.stringify({ say: "seen", ...what }));
const CONVERSATION = { firstUserMessage: "", turns: [], stopReason: "agent-stop" } as const;

/** Opens an episode, makes the moves, and closes it whatever happens. */
async function played<Result>(world: World, use: (episode: Episode) => Promise<Result>): Promise<Result> {
  const episode = await open(world);
  try {
    return await use(episode);
  } finally {
    await episode.close();
  }
}

/** Environments that the puppet holds. */
async function numOpen(): Promise<number> {
  const state = (await (await fetch(`${puppet.url}/state`)).json()) as { step_count: number };
  return state.step_count;
}

describe("the laws, on the example's server", () => {
  let world: World;
  beforeAll(async () => {
    world = await ledgerWorld();
  });
  const message = (...toolCalls: AgentTurn["toolCalls"]): Partial<AgentTurn> => ({ toolCalls, finishReason: "tool_calls" });
  episodeLaws("an OpenEnv server", () => ({
    world,
    task: taskNamed("two"),
    script: [
      message(call("balances"), call("transfer", '{"source": "rent", "target": "nowhere", "amount": 1}', "b")),
      message(call("submit")),
    ],
    simulator: nobody,
  }));
});

/** Reads the goal and the balances, and moves what is too much to where too little is; every other rollout submits at once. */
const BOOKKEEPER: Policy = {
  ...scriptedPolicy([]),
  async respond({ firstUserMessage, turns }, { seed }) {
    const result = turns[0]?.turn.toolCalls[0]?.result;
    const toolCalls =
      result == null
        ? [call("balances")]
        : [...(seed % 2 === 0 ? transfers(JSON.parse(result) as Record<string, number>, firstUserMessage) : []), call("submit")];
    return { content: null, toolCalls, tokens: null, finishReason: "tool_calls", parseError: null, usage: NO_USAGE };
  },
};
const NO_USAGE = { promptTokens: 1, completionTokens: 1, calls: 1 };

function transfers(balances: Readonly<Record<string, number>>, goal: string) {
  const wanted = [...goal.matchAll(/(\w+) (\d+)/g)].map(([, name = "", amount]) => [name, Number(amount) - (balances[name] ?? 0)] as const);
  const surplus = wanted.filter(([, missing]) => missing < 0).flatMap(([name, missing]) => Array<string>(-missing).fill(name));
  const places = wanted.filter(([, missing]) => missing > 0).flatMap(([name, missing]) => Array<string>(missing).fill(name));
  return surplus.map((source, index) => call("transfer", JSON.stringify({ source, target: places[index], amount: 1 }), `t${index}`));
}

test("a group of rollouts at once: alike beginnings, graded rewards, calls in order, nothing after the end", async () => {
  const { trajectories, numRetriedRollouts } = await runGroup({
    task: taskNamed("four"),
    groupSize: 6,
    environment: await ledgerWorld(),
    policy: BOOKKEEPER,
    simulator: nobody,
    seed: "group",
    journal: () => memoryJournal(),
    limits: { maxTurns: 5, maxAttempts: 1, maxWaitSeconds: 1 },
    ensurePolicy: async () => {},
    clock: systemClock,
    signal,
  });
  expect(numRetriedRollouts).toBe(0);
  expect(new Set(trajectories.map(({ firstUserMessage }) => firstUserMessage)).size).toBe(1);
  expect(trajectories[0]?.firstUserMessage).toMatch(/^Make the balances: rent \d+, food \d+, travel \d+, savings \d+\.$/);
  for (const { outcome, turns } of trajectories) {
    const isDiligent = (turns[1]?.toolCalls.length ?? 0) > 1;
    expect([outcome.passed, outcome.stopReason]).toEqual([isDiligent, "agent-stop"]);
    expect(outcome.reward).toBe(outcome.parts["server"]);
    expect(isDiligent ? outcome.reward === 1 : (outcome.reward ?? 1) < 1).toBe(true);
  }
  expect(new Set(trajectories.map(({ outcome }) => outcome.passed))).toEqual(new Set([true, false]));
});

describe("what an agent reads", () => {
  test("the tools as the server lists them; the results of calls; errors of its own as errors", async () => {
    const world = await ledgerWorld();
    expect(world.tools.map(({ function: tool }) => tool.name)).toEqual(["balances", "transfer", "submit"]);
    expect(world.tools[1]?.function.parameters).toMatchObject({ required: ["source", "target", "amount"] });
    const episode = await open(world, "two");
    const seen = await episode.act(
      [
        call("balances"),
        call("transfer", '{"source": "nobody", "target": "food", "amount": 1}'),
        call("transfer", '{"source": "rent"}'),
        call("fly"),
        call("balances", "[]"),
        call("balances", "{"),
        call("submit"),
        call("balances"),
      ],
      signal,
    );
    await episode.close();
    expect(episode.opening).toMatch(/^Keep the books\.\n\nMake the balances: /);
    expect(JSON.parse(seen[0]?.text ?? "")).toEqual({ rent: expect.any(Number), food: expect.any(Number) });
    expect(seen.map(({ isError, isLast = false }) => [isError, isLast])).toEqual([
      [false, false],
      [true, false],
      [true, false],
      [true, false],
      [true, false],
      [true, false],
      [false, true],
    ]);
    expect(seen.slice(1, 6).map(({ text }) => text)).toEqual([
      expect.stringContaining("there is no account nobody"),
      expect.stringContaining("Missing required argument"),
      expect.stringContaining("Unknown tool: 'fly'"),
      "Error: the arguments are no JSON object",
      "Error: the arguments are no JSON",
    ]);
  });

  test("an action of the server's own schema is a tool; numbers arrive as they were written; `shows` says which fields are read", async () => {
    const world = await puppetWorld();
    expect(world.tools).toEqual([{ type: "function", function: { ...ACT, parameters: expect.objectContaining({ required: ["say"] }) } }]);
    expect(world.tools[0]?.function.parameters["properties"]).not.toHaveProperty("metadata");
    const seen = await played(world, (episode) =>
      episode.act([call("act", '{"say": "a", "reward": 1.0}'), call("act", '{"say": 1}'), call("other", '{"say": "a"}')], signal),
    );
    expect(seen.map(({ text }) => text)).toEqual([
      "a",
      expect.stringMatching(/^Error: Invalid message; say: /),
      "Error: there is no tool other",
    ]);
    const whole = await played(await puppetWorld({ shows: undefined }), (episode) => episode.act([move({})], signal));
    expect(JSON.parse(whole[0]?.text ?? "")).toEqual({ text: "seen", note: "unseen" });
    const wrong = open(await puppetWorld({ shows: ["prompt"] }));
    await expect(wrong).rejects.toMatchObject({ code: "environment.failed", message: expect.stringContaining("it has text, note") });
  });

  test.each([
    ["task", (a: unknown, b: unknown) => a === b && Number.isInteger(a)],
    ["rollout", (a: unknown, b: unknown) => a !== b && Number.isInteger(a) && Number.isInteger(b)],
    ["none", (a: unknown, b: unknown) => a === null && b === null],
  ] as const)("seeds: %s; a task's own reset stands above it, and the server's log finds the rollout by its seed", async (seeds, holds) => {
    const world = await puppetWorld({ seeds }, [
      { ...ONE, reset: { level: 3 } },
      { id: "own", instruction: "", reset: { seed: 5 } },
    ]);
    const given = async (id: string, seed: string) => {
      const episode = await open(world, id, seed);
      await episode.close();
      return JSON.parse(episode.opening ?? "") as { seed: unknown };
    };
    const [first, second] = [await given("one", "aaaaaaaa"), await given("one", "bbbbbbbb")];
    expect(holds(first.seed, second.seed)).toBe(true);
    expect(first).toMatchObject({ level: 3, episode_id: "aaaaaaaa" });
    expect((await given("own", "cccccccc")).seed).toBe(5);
  });
});

describe("what an episode earns", () => {
  const gradeAfter = async (reward: object, moves: readonly object[]) =>
    played(await puppetWorld({ reward }), async (episode) => {
      await episode.act(moves.map(move), signal);
      return episode.grade(CONVERSATION, signal);
    });
  const STEPS = [{ reward: 0.25 }, {}, { reward: 0.5, done: true }];

  test.each([
    [{}, STEPS, { reward: 0.5, passed: false, parts: { server: 0.5, steps: 3 } }],
    [{ passAt: 0.5 }, STEPS, { reward: 0.5, passed: true, parts: { server: 0.5, steps: 3 } }],
    [{ from: "sum" }, STEPS, { reward: 0.75, passed: false, parts: { server: 0.75, steps: 3 } }],
    [{ range: [-1, 1] }, STEPS, { reward: 0.75, passed: false, parts: { server: 0.5, steps: 3 } }],
    [{ from: "sum", range: [-1, 1] }, [{}], { reward: 0, passed: false, parts: { server: -1, steps: 1 } }],
    [{ from: "sum" }, Array(10).fill({ reward: 0.1 }), { reward: expect.closeTo(1, 12), parts: { steps: 10 } }],
  ])("%j of %j", async (reward, moves, grade) => {
    expect(await gradeAfter(reward, moves)).toMatchObject(grade);
  });

  test.each([
    [{ reward: 3, done: true }, "the server's reward 3 is outside of environment.reward.range, 0 to 1"],
    [{ reward: -0.01 }, "the server's reward -0.01 is outside"],
    [{ done: true }, "none of its steps had a reward"],
  ])("%j is refused, never clipped and never a zero", async (last, words) => {
    await expect(gradeAfter({}, [last])).rejects.toMatchObject({ code: "environment.failed", message: expect.stringContaining(words) });
  });
});

describe("what a server does wrong", () => {
  const fails = (code: string, words: string) => ({ code, message: expect.stringContaining(words) });

  test("its own errors are told in its words, and the session is closed", async () => {
    const world = await puppetWorld({}, [
      ONE,
      { ...ONE, id: "bad", reset: { fail: "no such level" } },
      { ...ONE, id: "over", reset: { over: true } },
    ]);
    await expect(open(world, "bad")).rejects.toMatchObject(fails("environment.failed", "no such level"));
    await expect(open(world, "over")).rejects.toMatchObject(fails("environment.failed", "over as soon as it is reset"));
    const step = played(world, (episode) => episode.act([move({ fail: "the bridge is out" })], signal));
    await expect(step).rejects.toMatchObject(fails("environment.failed", "a call of act with EXECUTION_ERROR: the bridge is out"));
    expect(await numOpen()).toBe(0);
  });

  test(
    "a full server is asked again until a place is free; when none gets free, its limit is told",
    async () => {
      const small = await startPuppet("--sessions", "1");
      try {
        const world = await puppetWorld({ url: small.url });
        const first = await open(world);
        const second = open(world);
        const impatient = await puppetWorld({ url: small.url }, [ONE], { ...LOCAL, patienceSeconds: 0 });
        const refused = (await open(impatient).catch((error: unknown) => error)) as CampaignError;
        expect(refused).toMatchObject(fails("environment.unavailable", "is full: 1 of its 1 sessions are in use"));
        expect([refused.retryable, refused.next]).toEqual([true, expect.stringContaining("rollout.concurrentGroups x rollout.groupSize")]);
        await first.close();
        expect(await (await second).act([move({})], signal)).toEqual([{ text: "seen", isError: false }]);
        await (await second).close();
      } finally {
        await small.stop();
      }
    },
    STARTING,
  );

  test(
    "a server that dies takes its episodes with it, and is asked for again when it is gone",
    async () => {
      const mortal = await startPuppet();
      const world = await puppetWorld({ url: mortal.url }, [ONE], { ...LOCAL, patienceSeconds: 0 });
      const dying = played(world, (episode) => episode.act([move({ die: true })], signal));
      await expect(dying).rejects.toMatchObject({ ...fails("environment.unavailable", "broke (WebSocket code 1006)"), retryable: true });
      await mortal.stop();
      await expect(open(world)).rejects.toMatchObject(fails("environment.unavailable", `${mortal.url} does not answer`));
    },
    STARTING,
  );

  test("an aborted call ends its session: the late answer is nobody's", async () => {
    const stop = new AbortController();
    const episode = await open(await puppetWorld());
    const slow = episode.act([move({ seconds: 1 })], stop.signal);
    stop.abort(new Error("cancelled"));
    await expect(slow).rejects.toThrow("cancelled");
    await expect(episode.act([move({})], signal)).rejects.toThrow();
    await episode.close();
    await expect.poll(numOpen, { timeout: 30_000 }).toBe(0);
  });

  test("a server that takes connections and says nothing is given up, also by whoever has no deadline", async () => {
    const mute = await startMuteServer();
    try {
      const server = openEnvServer({ url: `http://127.0.0.1:${mute.port}` }, { ...LOCAL, patienceSeconds: 0, answerSeconds: 0.1 });
      await expect(server.open("{}", signal)).rejects.toMatchObject(fails("environment.unavailable", "no answer within 0.1 s"));
    } finally {
      mute.close();
    }
  });

  test("what is no OpenEnv server, or lists no tools, is told so", async () => {
    const impatient = { ...LOCAL, patienceSeconds: 0 };
    await expect(worldOf({ url: `${puppet.url}/nowhere` }, [ONE], impatient)).rejects.toMatchObject(
      fails("environment.failed", "HTTP 404"),
    );
    await expect(worldOf({}, [ONE], impatient)).rejects.toMatchObject(fails("environment.failed", "no tools to list"));
  });
});

describe("who is spoken to", () => {
  test.each(["http://gpu-1:8000", "http://10.0.0.7:8000"])("%s only where TURNWISE_ENVIRONMENT_HOSTS names it", (url) => {
    expect(() => openEnvServer({ url }, LOCAL)).toThrow(
      expect.objectContaining({ code: "config.invalid", message: expect.stringContaining("TURNWISE_ENVIRONMENT_HOSTS") }),
    );
    expect(() => openEnvServer({ url }, { ...LOCAL, allowedHosts: [new URL(url).hostname] })).not.toThrow();
  });

  test("nobody through a proxy, and never one with credentials in its address", () => {
    const behind = { allowedHosts: ["gpu-1"], environment: { http_proxy: "http://proxy:3128" } };
    expect(() => openEnvServer({ url: "http://gpu-1:8000" }, behind)).toThrow(/the proxy http:\/\/proxy:3128 of http_proxy/);
    expect(() => openEnvServer({ url: "http://127.0.0.1:8000" }, behind)).not.toThrow();
    expect(() => openEnvServer({ url: "http://me:secret@127.0.0.1:8000" }, LOCAL)).toThrow(/credentials/);
  });

  test(
    "a token is sent with everything; without it, or with another, the server's refusal is told",
    async () => {
      const guarded = await startPuppet("--token", "letmein");
      try {
        const given = { url: guarded.url, apiKeyEnv: "SERVER_TOKEN" };
        const seen = await played(await puppetWorld(given, [ONE], { ...LOCAL, environment: { SERVER_TOKEN: "letmein" } }), (episode) =>
          episode.act([move({})], signal),
        );
        expect(seen).toEqual([{ text: "seen", isError: false }]);
        const wrong = puppetWorld(given, [ONE], { ...LOCAL, environment: { SERVER_TOKEN: "wrong" } });
        await expect(wrong).rejects.toMatchObject({ code: "provider.unauthorized", message: expect.stringContaining("who are you?") });
        expect(() => openEnvServer(given, LOCAL)).toThrow(/SERVER_TOKEN is not set/);
      } finally {
        await guarded.stop();
      }
    },
    STARTING,
  );
});
