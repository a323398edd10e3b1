import { describe, expect, test } from "vitest";
import { Trajectory } from "#contracts/trajectory.ts";
import { CampaignError } from "#core/errors.ts";
import type { AgentTurn, Policy, UserSimulator } from "#core/ports.ts";
import { runTrajectory, type TrajectoryInput } from "#core/rollout/run-trajectory.ts";
import { add, counter, memoryJournal, say, scriptedPolicy, TASK, user } from "./parties.ts";

const GOOD = [say("hello"), add(1), say("half"), add(1), say("done")];

const input = (overrides: Partial<TrajectoryInput<number>> = {}): TrajectoryInput<number> => ({
  task: TASK,
  trial: 0,
  environment: counter,
  policy: scriptedPolicy(GOOD),
  simulator: user,
  journal: memoryJournal(),
  seed: "s",
  limits: { maxTurns: 30 },
  signal: new AbortController().signal,
  ...overrides,
});
const outcomeOf = async (script: Partial<AgentTurn>[], maxTurns = 30) =>
  (await runTrajectory(input({ policy: scriptedPolicy(script), limits: { maxTurns } }))).trajectory.outcome;
const failing = (error: unknown): Policy & UserSimulator => ({
  ...scriptedPolicy([]),
  id: "failing",
  hash: "f",
  respond: () => Promise.reject(error),
  reply: () => Promise.reject(error),
});

describe("a rollout", () => {
  test("that reaches the golden state and says the outputs is ok with reward 1", async () => {
    const { trajectory, numResumedTurns } = await runTrajectory(input());
    expect(Trajectory.parse(trajectory)).toEqual(trajectory);
    expect(trajectory.outcome).toEqual({
      type: "ok",
      reward: 1,
      passed: true,
      parts: { database: 1, outputs: 1 },
      stopReason: "user-stop",
      isDatabaseMatch: true,
      detail: null,
    });
    expect(trajectory.turns.map((turn) => turn.toolCalls[0]?.result ?? turn.userReply?.split(" ")[0])).toEqual([
      "heard",
      "1",
      "heard",
      "2",
      "###STOP###",
    ]);
    expect(trajectory.rows).toHaveLength(1);
    expect(trajectory.usage).toMatchObject({ modelCalls: 5, simulatorCalls: 4, completionTokens: 10 });
    expect(numResumedTurns).toBe(0);
  });

  test("executes only the first tool call of a message and records the others", async () => {
    const { trajectory } = await runTrajectory(input({ policy: scriptedPolicy([add(2, 5), say("done")]) }));
    expect(trajectory.turns[0]?.toolCalls.map((call) => [call.isExecuted, call.result])).toEqual([
      [true, "2"],
      [false, null],
    ]);
    expect(trajectory.outcome.reward).toBe(1);
  });

  test("that ends in the wrong state fails its task, and says why", async () => {
    expect(await outcomeOf([say("done")])).toMatchObject({
      type: "task_failed",
      reward: 0,
      detail: "the final database is not the golden one",
    });
  });

  test("that keeps a required output from the user fails its task: text beside a tool call is not a reply", async () => {
    const giveUp = { id: "x", name: "give_up", argumentsJson: "{}" };
    const outcome = await outcomeOf([add(2), { content: "done", toolCalls: [giveUp] }]);
    expect(outcome).toMatchObject({
      type: "task_failed",
      reward: 0,
      stopReason: "transfer",
      isDatabaseMatch: true,
      detail: 'the replies lack "done"',
    });
  });

  test.each([
    ["turn-cap", [say("done?".slice(0, 3)), add(2)], 2],
    ["token-cap", [add(2), { content: "done", finishReason: "length" as const }], 30],
  ])("cut short by %s has reward 0 with the database comparison beside it", async (stopReason, script, maxTurns) => {
    expect(await outcomeOf(script, maxTurns)).toMatchObject({ type: "task_failed", reward: 0, stopReason, isDatabaseMatch: true });
  });

  test("whose context is full ends as task_failed with context-cap", async () => {
    const full = new CampaignError("provider.context-overflow", "too long");
    expect((await runTrajectory(input({ policy: failing(full) }))).trajectory.outcome).toMatchObject({
      type: "task_failed",
      reward: 0,
      stopReason: "context-cap",
    });
  });

  test("with unparsable output is an agent error with reward 0, and the output is not executed", async () => {
    const outcome = await outcomeOf([{ ...add(2), parseError: "no such tool" }]);
    expect(outcome).toEqual({
      type: "agent_error",
      reward: 0,
      passed: false,
      parts: { database: 0, outputs: 0 },
      stopReason: "unparsable",
      isDatabaseMatch: false,
      detail: "no such tool",
    });
  });

  test("with an empty message is an agent error", async () => {
    expect(await outcomeOf([{ content: "  " }])).toMatchObject({ type: "agent_error", stopReason: "unparsable" });
  });

  test("keeps the tokens of an unparsable turn, since they are trained", async () => {
    const { trajectory } = await runTrajectory(input({ policy: scriptedPolicy([{ content: "x", parseError: "odd" }]) }));
    expect(trajectory.rows[0]?.spans).toEqual([{ turn: 0, start: 2, end: 4 }]);
  });
});

describe("a failure of a party", () => {
  test("of the provider that no retry can help is infra_error without a reward", async () => {
    const { trajectory, error } = await runTrajectory(input({ policy: failing(new CampaignError("provider.rejected", "no")) }));
    expect(trajectory.outcome).toEqual({
      type: "infra_error",
      reward: null,
      passed: null,
      parts: {},
      stopReason: "error",
      isDatabaseMatch: null,
      detail: "provider.rejected: no",
    });
    expect(error).toMatchObject({ code: "provider.rejected" });
  });

  test("of the provider that a retry may help is thrown", async () => {
    const gone = new CampaignError("provider.unavailable", "refused");
    await expect(runTrajectory(input({ policy: failing(gone) }))).rejects.toBe(gone);
    await expect(runTrajectory(input({ simulator: failing(gone) }))).rejects.toBe(gone);
  });

  test.each(["simulator.refusal", "provider.rejected"] as const)("of the simulator (%s) is sim_error without a reward", async (code) => {
    const { trajectory } = await runTrajectory(input({ simulator: failing(new CampaignError(code, "no")) }));
    expect(trajectory.outcome).toMatchObject({ type: "sim_error", reward: null });
  });

  test("of a user who stops before speaking is sim_error", async () => {
    const mute: UserSimulator = {
      ...user,
      reply: async () => ({ content: "###STOP###", usage: { promptTokens: 0, completionTokens: 0, calls: 1 } }),
    };
    expect((await runTrajectory(input({ simulator: mute }))).trajectory.outcome.type).toBe("sim_error");
  });

  test("of the environment is env_error without a reward", async () => {
    const broken = {
      ...counter,
      step: () => {
        throw new TypeError("bug");
      },
    };
    const { trajectory } = await runTrajectory(input({ environment: broken }));
    expect(trajectory.outcome).toMatchObject({
      type: "env_error",
      reward: null,
      detail: "environment.failed: the environment failed with a bug: TypeError: bug",
    });
  });

  test("of our own code in the policy is thrown", async () => {
    await expect(runTrajectory(input({ policy: failing(new TypeError("bug")) }))).rejects.toThrow("bug");
  });
});

describe("the journal", () => {
  const scripts = {
    good: GOOD,
    unparsable: [add(1), { content: "x", parseError: "odd" }],
    cut: [add(1), { content: "x", finishReason: "length" as const }],
  };

  test.each(Object.entries(scripts))(
    "a rollout (%s) killed after any entry and resumed gives the identical trajectory",
    async (_name, script) => {
      const whole = await runTrajectory(input({ policy: scriptedPolicy(script) }));
      const numEntries = whole.trajectory.turns.length + 1;
      for (let survived = 0; survived <= numEntries; survived++) {
        const journal = memoryJournal([], survived);
        const first = runTrajectory(input({ policy: scriptedPolicy(script), journal }));
        await (survived < numEntries ? expect(first).rejects.toThrow("killed") : first);
        const policy = scriptedPolicy(script);
        const resumed = await runTrajectory(input({ policy, journal: memoryJournal(journal.entries) }));
        expect(resumed.trajectory).toEqual(whole.trajectory);
        expect(resumed.numResumedTurns).toBe(Math.max(0, survived - 1));
        expect(policy.calls).toBe(whole.trajectory.turns.length - resumed.numResumedTurns);
      }
    },
  );

  test("is written before the next turn begins", async () => {
    const journal = memoryJournal();
    const lengths: number[] = [];
    const policy = scriptedPolicy(GOOD);
    const watching: Policy = {
      ...policy,
      respond: (...args) => {
        lengths.push(journal.entries.length);
        return policy.respond(...args);
      },
    };
    await runTrajectory(input({ policy: watching, journal }));
    expect(lengths).toEqual([1, 2, 3, 4, 5]);
  });

  test("of another environment is refused", async () => {
    const journal = memoryJournal();
    await runTrajectory(input({ journal }));
    const other = { ...counter, stateHash: (state: number) => `other ${state}` };
    await expect(runTrajectory(input({ journal, environment: other }))).rejects.toMatchObject({ code: "environment.replay-mismatch" });
    const liar = { ...counter, step: (state: number) => ({ state, observation: "?", isError: false }) };
    await expect(runTrajectory(input({ journal, environment: liar }))).rejects.toMatchObject({ code: "environment.replay-mismatch" });
  });
});

test("different seeds give different turn seeds, equal seeds equal ones", async () => {
  const tokens = async (seed: string) => (await runTrajectory(input({ seed }))).trajectory.rows;
  expect(await tokens("a")).toEqual(await tokens("a"));
  expect(await tokens("a")).not.toEqual(await tokens("b"));
});
