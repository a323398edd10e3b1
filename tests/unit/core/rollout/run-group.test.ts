import { describe, expect, test } from "vitest";
import { CampaignError } from "#core/errors.ts";
import type { AgentTurn, JournalEntry, Policy, UserSimulator } from "#core/ports.ts";
import { type GroupInput, runGroup } from "#core/rollout/run-group.ts";
import { add, counter, memoryJournal, say, scriptedPolicy, TASK, testClock, user } from "./parties.ts";

const GOOD = [add(1), say("half"), add(1), say("done")];

function input(overrides: Partial<GroupInput<number>> = {}): GroupInput<number> {
  const journals = new Map<string, JournalEntry[]>();
  const journal = (trial: number, attempt: number) => {
    const key = `${trial}/${attempt}`;
    journals.set(key, journals.get(key) ?? []);
    return memoryJournal(journals.get(key));
  };
  return {
    task: TASK,
    groupSize: 4,
    environment: counter,
    policy: scriptedPolicy(GOOD),
    simulator: user,
    seed: "g",
    journal,
    limits: { maxTurns: 30, maxAttempts: 3, maxWaitSeconds: 60 },
    ensurePolicy: async () => {},
    clock: testClock(),
    signal: new AbortController().signal,
    ...overrides,
  };
}

/** Fails the calls that `when` picks, by running number. */
function sometimes(error: unknown, when: (call: number) => boolean): Policy {
  const policy = scriptedPolicy(GOOD);
  let calls = 0;
  return { ...policy, respond: (...args): Promise<AgentTurn> => (when(calls++) ? Promise.reject(error) : policy.respond(...args)) };
}

describe("a group", () => {
  test("is complete and in order of trial", async () => {
    const group = await runGroup(input());
    expect(group.trajectories.map((trajectory) => trajectory.trial)).toEqual([0, 1, 2, 3]);
    expect(new Set(group.trajectories.map((trajectory) => trajectory.seed)).size).toBe(4);
    expect(group).toMatchObject({ numRetriedRollouts: 0, numResumedTurns: 0, usage: { modelCalls: 16 } });
  });

  test("is the same whatever failed on the way, as long as it was the provider", async () => {
    const undisturbed = await runGroup(input());
    const gone = new CampaignError("provider.unavailable", "refused");
    const disturbed = await runGroup(input({ policy: sometimes(gone, (call) => call % 3 === 0) }));
    expect(disturbed.trajectories).toEqual(undisturbed.trajectories);
    expect(disturbed.numRetriedRollouts).toBe(0);
  });

  test("makes a rollout again from a new seed and an empty journal when its simulator failed", async () => {
    let numFailures = 0;
    const moody: UserSimulator = {
      ...user,
      reply: (task, view, options) =>
        view.exchanges.length === 1 && numFailures++ < 2
          ? Promise.reject(new CampaignError("simulator.refusal", "no"))
          : user.reply(task, view, options),
    };
    const group = await runGroup(input({ simulator: moody }));
    expect(group.numRetriedRollouts).toBe(2);
    expect(group.retriedByOutcome).toEqual({ sim_error: 2 });
    expect(group.trajectories).toHaveLength(4);
    expect(group.trajectories.every((trajectory) => trajectory.outcome.type === "ok")).toBe(true);
    // Two failed attempts had made a turn and a message that nobody answered: paid for, and counted.
    expect(group.usage).toMatchObject({ modelCalls: 16 + 2 * 2, completionTokens: 2 * (16 + 2 * 2) });
    const seeds = new Set((await runGroup(input())).trajectories.map((trajectory) => trajectory.seed));
    expect(group.trajectories.filter((trajectory) => !seeds.has(trajectory.seed))).toHaveLength(2);
  });

  test("that cannot be completed is an error with its cause, never a smaller group", async () => {
    const refusal = new CampaignError("simulator.refusal", "never");
    const mute: UserSimulator = { ...user, reply: () => Promise.reject(refusal) };
    await expect(runGroup(input({ simulator: mute }))).rejects.toMatchObject({ code: "rollout.incomplete-group", cause: refusal });
  });

  test("stops at once when no attempt can help", async () => {
    const denied = new CampaignError("provider.unauthorized", "bad key");
    await expect(runGroup(input({ policy: sometimes(denied, () => true) }))).rejects.toBe(denied);
  });

  test("called again on its journals goes on where it was", async () => {
    const first = input();
    const dying = { ...first, policy: sometimes(new TypeError("killed"), (call) => call === 9) };
    await expect(runGroup(dying)).rejects.toThrow("killed");
    const resumed = await runGroup(first);
    expect(resumed.numResumedTurns).toBeGreaterThan(0);
    expect(resumed.trajectories).toEqual((await runGroup(input())).trajectories);
  });
});

describe("a model that does not answer", () => {
  const missing = new CampaignError("provider.model-missing", "404");

  test("is brought back once for all rollouts that wait for it", async () => {
    let isThere = false;
    let numRescues = 0;
    const policy = scriptedPolicy(GOOD);
    const forgetful: Policy = { ...policy, respond: (...args) => (isThere ? policy.respond(...args) : Promise.reject(missing)) };
    const ensurePolicy = async () => {
      numRescues += 1;
      await Promise.resolve();
      isThere = true;
    };
    expect((await runGroup(input({ policy: forgetful, ensurePolicy }))).trajectories).toHaveLength(4);
    expect(numRescues).toBe(1);
  });

  test("is waited for with growing pauses, until the deadline", async () => {
    const clock = testClock();
    const hopeless = runGroup(input({ groupSize: 1, clock, policy: sometimes(missing, () => true) }));
    await expect(hopeless).rejects.toBe(missing);
    expect(clock.slept.slice(0, 6)).toEqual([250, 500, 1000, 2000, 4000, 8000]);
    expect(Math.max(...clock.slept)).toBe(10_000);
    expect(clock.now()).toBeGreaterThan(60_000);
  });

  test("is waited for even while bringing it back fails", async () => {
    let numFailures = 3;
    const policy = sometimes(missing, (call) => call === 0);
    const ensurePolicy = async () => {
      if (numFailures-- > 0) throw new CampaignError("provider.unavailable", "not up yet");
    };
    expect((await runGroup(input({ groupSize: 1, policy, ensurePolicy }))).trajectories).toHaveLength(1);
  });

  test("is left alone for as long as it asks", async () => {
    const clock = testClock();
    const limited = new CampaignError("provider.rate-limited", "slow down", { retryAfterSeconds: 7 });
    await runGroup(input({ groupSize: 1, clock, policy: sometimes(limited, (call) => call === 0) }));
    expect(clock.slept).toEqual([7000]);
  });

  test("is told of in its own words before every wait, the policy's server as well as the user's", async () => {
    const away = new CampaignError("provider.unavailable", "HTTP 502: away");
    const waiting: UserSimulator = {
      ...user,
      reply: (task, view, options) => {
        if (view.firstUserMessage === null) options.onTrouble?.(new CampaignError("provider.rate-limited", "HTTP 429: slow down"));
        return user.reply(task, view, options);
      },
    };
    const told: unknown[] = [];
    const onTrouble = (trial: number, trouble: unknown) => told.push([trial, (trouble as Error).message]);
    await runGroup(input({ groupSize: 1, simulator: waiting, policy: sometimes(away, (call) => call === 0), onTrouble }));
    expect(told).toEqual([
      [0, "HTTP 429: slow down"],
      [0, "HTTP 502: away"],
    ]);
  });

  test("that answers nonsense is asked again a few times, then in a new rollout", async () => {
    const nonsense = new CampaignError("provider.invalid-response", "not JSON");
    const group = await runGroup(input({ groupSize: 1, policy: sometimes(nonsense, (call) => call > 0 && call < 5) }));
    expect(group).toMatchObject({ numRetriedRollouts: 1, retriedByOutcome: { infra_error: 1 } });
    // The turn before the nonsense was paid for as well.
    expect(group.usage).toMatchObject({ modelCalls: 1 + 4, simulatorCalls: 1 + 3 });
  });
});

test("an aborted group rejects with the reason", async () => {
  const controller = new AbortController();
  const slow: Policy = {
    ...scriptedPolicy(GOOD),
    respond: (_conversation, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  };
  const group = runGroup(input({ policy: slow, signal: controller.signal }));
  const reason = new Error("cancelled");
  setTimeout(() => controller.abort(reason), 5);
  await expect(group).rejects.toBe(reason);
});
