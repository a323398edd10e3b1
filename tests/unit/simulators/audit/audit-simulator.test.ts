import { describe, expect, test } from "vitest";
import { SimulatorAudit } from "#contracts/simulator-audit.ts";
import type { GoldenTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { CampaignError } from "#core/errors.ts";
import type { UserSimulator } from "#core/ports.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { SimulatorFailure } from "#core/rollout/simulator-failure.ts";
import { scriptOfGoldenActions, scriptOfTrajectory } from "#simulators/audit/agent-script.ts";
import { type AuditInput, auditSimulator } from "#simulators/audit/audit-simulator.ts";
import { replayScript } from "#simulators/audit/replay-script.ts";
import { add, counter, memoryJournal, say, scriptedPolicy, TASK, user } from "../../core/rollout/parties.ts";

const NEVER = new AbortController().signal;
const task: GoldenTask = { ...TASK, goldenActions: [{ name: "add", argumentsJson: '{"by": 2}' }] };
const usage = { promptTokens: 1, completionTokens: 1, calls: 1 };

/** Says "go on" `patience(seed)` times, then stops. */
const leaver = (patience: (seed: string) => number): UserSimulator => ({
  id: "leaver/1",
  hash: "l",
  reply: async (_task, { exchanges }, { seed }) => ({ content: exchanges.length > patience(seed) ? "bye ###STOP###" : "go on", usage }),
});
async function recorded(script: Parameters<typeof scriptedPolicy>[0]): Promise<Trajectory> {
  const { trajectory } = await runTrajectory({
    task,
    trial: 0,
    environment: counter,
    policy: scriptedPolicy(script),
    simulator: user,
    journal: memoryJournal(),
    seed: "s",
    limits: { maxTurns: 8 },
    signal: NEVER,
  });
  return trajectory;
}
const replay = async (trajectory: Trajectory, simulator: UserSimulator) =>
  replayScript({ script: scriptOfTrajectory(task, trajectory), environment: counter, simulator, seed: "r", signal: NEVER });

describe("a replay", () => {
  const SCRIPT = [say("what is it?"), add(1), say("and how?"), add(1), say("it is done")];

  test("with the user of the recording ends as recorded", async () => {
    const trajectory = await recorded(SCRIPT);
    const { reward, end, turns } = await replay(trajectory, user);
    expect({ reward, end }).toEqual({ reward: 1, end: "last-stop" });
    expect(turns.map(({ toolCalls }) => toolCalls[0]?.result ?? null)).toEqual([null, "1", null, "2", null]);
  });

  test("ends where the user stops, and is graded as it stands", async () => {
    const { reward, end, turns } = await replay(
      await recorded(SCRIPT),
      leaver(() => 1),
    );
    expect({ reward, end }).toEqual({ reward: 0, end: "early-stop" });
    expect(turns).toHaveLength(3);
  });

  test("that the user never stops is graded all the same", async () => {
    expect(
      await replay(
        await recorded(SCRIPT),
        leaver(() => 99),
      ),
    ).toMatchObject({ reward: 1, end: "open" });
  });

  test("says nothing of the agent's reasoning, and nothing that stood beside a call", async () => {
    const trajectory = await recorded([say("<think>SECRET</think>what?"), { ...add(2), content: "SECRET" }, say("done <think>SECRET")]);
    expect(JSON.stringify(scriptOfTrajectory(task, trajectory).actions)).not.toContain("SECRET");
  });

  test("without a user has no outcome, and says what it cost", async () => {
    const gone: UserSimulator = {
      ...user,
      reply: async () => {
        throw new SimulatorFailure("simulator.timeout", "gone", { usage, troubles: { "provider.timeout": 3 } });
      },
    };
    expect(await replay(await recorded(SCRIPT), gone)).toMatchObject({
      reward: null,
      end: "error",
      usage,
      troubles: { "provider.timeout": 3 },
    });
  });

  test("that no other replay could do better ends the audit", async () => {
    const refused: UserSimulator = {
      ...user,
      reply: async () => {
        throw new CampaignError("provider.unauthorized", "no key");
      },
    };
    await expect(replay(await recorded(SCRIPT), refused)).rejects.toMatchObject({ code: "provider.unauthorized" });
  });
});

test("the agent of golden actions asks before every write, does what is golden and says what is asked for", async () => {
  const script = scriptOfGoldenActions(task, counter);
  expect(script.actions.map(({ type }) => type)).toEqual(["message", "message", "call", "message"]);
  const { reward } = await replayScript({ script, environment: counter, simulator: leaver(() => 99), seed: "r", signal: NEVER });
  expect(reward).toBe(1);
});

describe("an audit", () => {
  const tasks = ["t2", "t10", "t1"].map((id) => ({ ...task, id }));
  const auditOf = (simulator: UserSimulator, more: Partial<AuditInput> = {}) =>
    auditSimulator({
      taskSet: "counting",
      environment: counter,
      simulator,
      isDeterministic: false,
      source: { type: "golden-actions", tasks },
      trials: 6,
      seed: "a",
      confidence: 0.95,
      resamples: 200,
      concurrency: 4,
      priceUsdPerMillionTokens: { input: 1, output: 2 },
      signal: NEVER,
      ...more,
    });
  /** Leaves before the write in about half of all replays. */
  const coin = leaver((seed) => (Number.parseInt(seed.slice(0, 2), 16) % 2 === 0 ? 0 : 99));

  test("finds noise where there is some, and fits its contract", async () => {
    const report = SimulatorAudit.parse({ ...(await auditOf(coin)), notes: [] });
    expect(report.tasks.map(({ taskId }) => taskId)).toEqual(["t1", "t2", "t10"]);
    expect(report.overall.disagreement?.value).toBeGreaterThan(0);
    expect(report.overall.passRateDeviation).toBeGreaterThan(0);
    expect(report.usage.simulatorCalls).toBeGreaterThan(0);
    expect(report.estimatedUsd).toBeCloseTo((3 * report.usage.simulatorCalls) / 1e6, 12);
  });

  test("finds exactly none where the user repeats itself", async () => {
    const report = await auditOf(
      leaver(() => 99),
      { isDeterministic: true },
    );
    expect(report.overall.disagreement).toEqual({ value: 0, low: 0, high: 0 });
    expect(report.tasks.every(({ numPasses }) => numPasses === 6)).toBe(true);
  });

  test("is the same however many replays run at once", async () => {
    expect(await auditOf(coin, { concurrency: 1 })).toEqual(await auditOf(coin, { concurrency: 16 }));
  });

  test("of recorded trajectories counts how often the recorded outcome comes again", async () => {
    const trajectory = await recorded([add(2), say("it is done")]);
    const report = await auditOf(user, { source: { type: "trajectories", rollouts: [{ task, trajectory }] } });
    expect(report.tasks[0]).toMatchObject({ numScripts: 1, numReplays: 6, numPasses: 6, numReproduced: 6 });
    expect(report.recorded?.conversations).toBe(1);
  });

  test("ends at once, with the reason, when its caller aborts", async () => {
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    await expect(auditOf(coin, { signal: controller.signal })).rejects.toThrow("enough");
  });
});
