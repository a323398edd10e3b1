// GTPO as a campaign has it: an iteration's activities on code reasoning, with the real record and the real sandbox. Only the policy is scripted.
import { MockActivityEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { loadPriorTable } from "#adapters/campaign-file/load-reward-table.ts";
import { encodeBatch } from "#adapters/trainer-process/safetensors.ts";
import { checkCampaign } from "#application/campaign/create-campaign.ts";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { CodeTask } from "#contracts/code-task.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { RewardTable } from "#contracts/reward-table.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { tokenSimilarity } from "#core/advantage/shaping/token-similarity.ts";
import { CampaignError } from "#core/errors.ts";
import type { AgentTurn, Conversation, Policy } from "#core/ports.ts";
import type { TrainingBatch } from "#core/training/build-batch.ts";
import { generateTasks } from "#environments/code-reasoning/tasks/generate-tasks.ts";
import { CampaignFile } from "#environments/registry.ts";
import { createCalibrationActivities } from "../../../activities/calibration.ts";
import { createRolloutActivities } from "../../../activities/rollout.ts";
import { createTrainingActivities } from "../../../activities/training.ts";
import { createDependencies, type WorkerDependencies } from "../../../workers/dependencies.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";

const TASKS = { seed: 5, families: ["arithmetic", "programs"], difficulties: [1], train: 6, selection: 0, test: 0 } as const;
const GROUP = 4;
const [ALPHA, GAMMA] = [0.5, 0.9];

const configOf = (reward: object, advantage: object = {}): CampaignConfig =>
  CampaignFile.parse({
    schemaVersion: 2,
    name: "code",
    seed: 1,
    environment: { type: "code-reasoning", tasks: { source: "generated", ...TASKS, families: [...TASKS.families], difficulties: [1] } },
    policy: { type: "embedded", checkpoint: "none", temperature: 1 },
    rollout: { tasksPerIteration: TASKS.train, groupSize: GROUP, maxTurns: 5 },
    reward: { tiers: "code/1", ...reward },
    calibration: { bootstrapResamples: 100 },
    advantage: { type: "gtpo/1", gamma: GAMMA, terminal: "last", scope: "batch", ...advantage },
    training: { hyperparameters: { learningRate: 1e-3 } },
    selection: null,
    test: null,
    stop: { maxIterations: 1 },
  });

const POLICY: PolicyRef = { name: "scripted", hash: "p".repeat(8), manifest: null };
const questions = new Map<string, CodeTask>(
  generateTasks({ ...TASKS, families: [...TASKS.families], difficulties: [1] }).train.map((task) => [task.question, task]),
);

const run = (code: string): Partial<AgentTurn> => ({
  toolCalls: [{ id: "c", name: "python", argumentsJson: JSON.stringify({ code }) }],
  finishReason: "tool_calls",
});
const say = (content: string): Partial<AgentTurn> => ({ content });
const lastResult = ({ turns }: Conversation) => turns.at(-1)?.turn.toolCalls[0]?.result ?? "";

/** Four rollouts of every task, in order of their seeds: right; right after an error; nearly right; a guess without a call. */
const SCRIPTS: readonly ((question: CodeTask) => readonly ((conversation: Conversation) => Partial<AgentTurn>)[])[] = [
  ({ solution }) => [() => run(solution ?? ""), (seen) => say(`\\boxed{${lastResult(seen)}}`)],
  ({ solution }) => [() => run("1 / 0"), () => run(solution ?? ""), (seen) => say(`\\boxed{${lastResult(seen)}}`)],
  ({ solution }) => [() => run(`${solution}\nf = None`), () => say("\\boxed{0}")],
  () => [() => say("\\boxed{7}")],
];

/** Which script a rollout plays is said by whoever opens the policy: trials of a group begin in order. */
function scriptedPolicy(): Policy {
  const scriptOf = new Map<string, number>();
  let begun = 0;
  return {
    ref: POLICY,
    format: "test/1",
    async respond(conversation) {
      const question = questions.get(conversation.firstUserMessage);
      if (question === undefined) throw new Error(`unknown question ${conversation.firstUserMessage}`);
      const history = conversation.turns.map(({ tokens }) => tokens);
      const own = JSON.stringify(history[0]?.tokenIds ?? null);
      const script = history.length === 0 ? begun++ % GROUP : (scriptOf.get(own) ?? 0);
      const turn = SCRIPTS[script]?.(question)[conversation.turns.length]?.(conversation);
      if (turn === undefined) throw new Error("the script is over");
      const last = history.at(-1);
      const tokenIds = [10 + script, 100 + conversation.turns.length];
      if (history.length === 0) scriptOf.set(JSON.stringify(tokenIds), script);
      return {
        content: null,
        toolCalls: [],
        tokens: { promptTokenIds: last ? [...last.promptTokenIds, ...last.tokenIds, 7] : [1, 2], tokenIds, logprobs: [-0.1, -0.2] },
        finishReason: "stop",
        parseError: null,
        usage: { promptTokens: 3, completionTokens: 2, calls: 1 },
        ...turn,
      };
    },
  };
}

const log = { debug() {}, info() {}, warn() {}, error() {}, trace() {}, fatal() {} };
const startedAt = new Date(0).toISOString();

describe("an iteration of GTPO on code reasoning", { timeout: 300_000 }, () => {
  let deps: WorkerDependencies;
  let batches: TrainingBatch[] = [];

  beforeAll(async () => {
    vi.stubEnv("TURNWISE_HOME", longTemporaryFolder());
    const real = await createDependencies(log as never);
    const opened = { policy: scriptedPolicy(), ensureLoaded: () => Promise.resolve() };
    deps = {
      ...real,
      openPolicy: () => Promise.resolve(opened as never),
      policies: { ...real.policies, describe: () => Promise.resolve({ fileHashes: {} } as never) },
      encodeBatch: (batch) => {
        batches.push(batch);
        return encodeBatch(batch);
      },
    };
  });
  afterAll(() => vi.unstubAllEnvs());

  async function iterate(campaignId: string, config: CampaignConfig, parties: Partial<WorkerDependencies> = {}) {
    const own = { ...deps, ...parties };
    const { dataSha256, labeller, splits } = await own.openTaskSet(config.environment);
    const table = await own.record.putJson(RewardTable, await loadPriorTable(config.reward, labeller, "configs/rewards"), "RewardTable/2");
    await own.record.putCampaign({
      schemaVersion: 2,
      id: campaignId,
      config,
      configSha256: "c".repeat(64),
      dataSha256,
      codeVersion: "test",
      basePolicy: POLICY,
      priorTable: table,
      estimate: null,
      parent: null,
      createdAt: startedAt,
    });
    const activity = new MockActivityEnvironment();
    const at = { campaignId, iteration: 1 };
    for (const { id: taskId } of splits.train) {
      await activity.run(createRolloutActivities(own).rolloutGroup, { ...at, purpose: "train" as const, taskId, policy: POLICY });
    }
    const rollout = await activity.run(createCalibrationActivities(own).commitRollout, { ...at, policy: POLICY, canary: null, startedAt });
    const calibration = await activity.run(createCalibrationActivities(own).calibrate, { ...at, table, startedAt });
    batches = [];
    const built = await activity.run(createTrainingActivities(own).buildBatch, { ...at, policy: POLICY, table });
    return {
      rollout,
      calibration: calibration as { report: ArtifactRef },
      built: built as { credit: ArtifactRef; batch: ArtifactRef },
      splits,
    };
  }

  async function trajectoriesOf(campaignId: string, taskIds: readonly string[]): Promise<Trajectory[][]> {
    const manifests = await Promise.all(taskIds.map((taskId) => deps.record.readGroup(campaignId, 1, "train", taskId)));
    return await Promise.all(manifests.map((group) => deps.record.readTrajectories(group?.trajectories as ArtifactRef)));
  }
  /** Advantage of every turn by task, trial and turn, as it stands in the batch. */
  const inBatch = ({ header, turnIds_N, advantages_N, rowOffsets_R }: TrainingBatch) =>
    new Map<string, number>(
      header.rows.flatMap(({ taskId, trial }, r) =>
        Array.from(
          { length: Number((rowOffsets_R[r + 1] ?? 0n) - (rowOffsets_R[r] ?? 0n)) },
          (_, n) => n + Number(rowOffsets_R[r]),
        ).flatMap((n) => ((turnIds_N[n] ?? -1) < 0 ? [] : [[`${taskId} ${trial} ${turnIds_N[n]}`, advantages_N[n] ?? 0] as const])),
      ),
    );

  test("turn rewards by tier, failed outcomes by likeness, returns and batch z-scores reach the batch as the paper prints them", async () => {
    const config = configOf({ shaping: { alpha: ALPHA } });
    const { rollout, calibration, splits } = await iterate("code-shaped", config);
    expect(rollout).toMatchObject({ passRate: 0.5, truncationRate: 0 });
    const groups = await trajectoriesOf(
      "code-shaped",
      splits.train.map(({ id }) => id),
    );
    expect(groups.flat().every(({ outcome, simulator }) => outcome.reward !== null && simulator.id === "none")).toBe(true);

    // Eq. 5 to 7 and the shaping formula, written out here by themselves.
    const codeOf = ({ turns }: Trajectory) =>
      turns
        .flatMap(({ toolCalls }) => toolCalls.map(({ argumentsJson }) => (JSON.parse(argumentsJson) as { code: string }).code))
        .join("\n");
    const returns = groups.flatMap((group) => {
      const similarity = tokenSimilarity(group.map(codeOf));
      const passing = group.flatMap(({ outcome }, i) => (outcome.passed ? [i] : []));
      return group.flatMap(({ taskId, trial, turns, outcome }, i) => {
        const likeness = passing.reduce((sum, p) => sum + similarity(i, p), 0) / passing.length;
        const credit = outcome.passed ? 1 : ALPHA * likeness;
        const rewards: number[] = turns.map(({ toolCalls }, k) =>
          toolCalls[0]?.isError === true || (k === 0 && toolCalls.length === 0) ? -0.1 : 0,
        );
        return turns.map((_, k) => ({
          key: `${taskId} ${trial} ${k}`,
          value: rewards.slice(k).reduce((sum, reward, d) => sum + GAMMA ** d * reward, 0) + GAMMA ** (turns.length - 1 - k) * credit,
        }));
      });
    });
    const mean = returns.reduce((sum, { value }) => sum + value, 0) / returns.length;
    const deviation = Math.sqrt(returns.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / (returns.length - 1));
    const advantages = inBatch(batches[0] as TrainingBatch);
    expect(advantages.size).toBe(returns.length);
    for (const { key, value } of returns) expect(advantages.get(key), key).toBeCloseTo((value - mean) / (deviation + 1e-6), 4);
    // Rollouts that failed and came near are told apart from those that wrote no code: shaping reached them.
    const near = groups.flat().filter(({ outcome, turns }) => !outcome.passed && turns.length === 2);
    expect(near.length).toBe(TASKS.train);

    expect(batches[0]?.header.estimator).toMatch(/^gtpo\/1 .*terminal=last scope=batch.* shaping\.alpha=0\.5 shaping\.similarity=tokens$/);
    const report = await deps.record.readJson(CalibrationReport, calibration.report);
    expect(report.scheme).toMatchObject({ id: "code/1" });
    const counted = Object.fromEntries(report.splits[0]?.tiers.map(({ tier, numTurns }) => [tier, numTurns]) ?? []);
    expect(counted).toMatchObject({ error: TASKS.train, format: TASKS.train });
  });

  test("without shaping the batch is another one, and says so", async () => {
    const { built } = await iterate("code-plain", configOf({}));
    expect(batches[0]?.header.estimator).not.toContain("shaping");
    const shaped = await deps.record.readStage("code-shaped", 1, "calibration");
    expect(shaped).not.toBeNull();
    const advantages = inBatch(batches[0] as TrainingBatch);
    const again = await iterate("code-shaped-again", configOf({ shaping: {} }));
    const others = inBatch(batches[0] as TrainingBatch);
    expect(built.batch.sha256).not.toBe(again.built.batch.sha256);
    expect([...advantages].some(([key, value]) => Math.abs(value - (others.get(key) ?? 0)) > 0.01)).toBe(true);
  });

  test("by a model: its vectors decide, and its outage ends the activity instead of crediting nothing", async () => {
    const asked: string[] = [];
    const byModel = configOf({ shaping: { similarity: { type: "embedding", model: "m" } } });
    const openEmbedder: WorkerDependencies["openEmbedder"] = (id) => ({
      id,
      embed: async (programs) => {
        asked.push(...programs);
        return programs.map(() => [1, 0]);
      },
    });
    await iterate("code-embedded", byModel, { openEmbedder });
    expect(asked.length).toBeGreaterThan(0);
    expect(batches[0]?.header.estimator).toMatch(/shaping\.similarity=m$/);
    const outage = new CampaignError("provider.unavailable", "gone");
    const failing: WorkerDependencies["openEmbedder"] = (id) => ({ id, embed: () => Promise.reject(outage) });
    await expect(iterate("code-outage", byModel, { openEmbedder: failing })).rejects.toThrow(/gone/);
  });
});

describe("what a campaign is refused", () => {
  const settings = { tauBench: null } as never;
  const check = (config: CampaignConfig) => checkCampaign(config, settings, { mustReach: false });
  const airline = (reward: object): CampaignConfig => ({
    ...configOf(reward),
    environment: { type: "synthetic-airline", seed: 1, splits: "train-selection-test" },
  });

  test("shaping where rollouts write no programs", async () => {
    const shaped = CampaignFile.parse({ ...airline({ tiers: "finer/1", shaping: {} }) });
    await expect(check(shaped)).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining("write none"),
    });
  });

  test("tiers that the environment's labeller does not know, either way", async () => {
    await expect(check(airline({}))).rejects.toThrow(/no tier scheme code\/1; there are finer\/1/);
    await expect(check(configOf({ tiers: "finer/1" }))).rejects.toThrow(/no tier scheme finer\/1; there are code\/1/);
  });

  test("a table of other tiers", async () => {
    await expect(check(configOf({ table: "finer-prior" }))).rejects.toMatchObject({ code: "reward.table-mismatch" });
  });

  test("more time for cells than a grade has", () => {
    expect(() => configOf({ tiers: "code/1" })).not.toThrow();
    const config = configOf({});
    const long = { ...config.environment, maxCells: 100, cell: { seconds: 60 } };
    expect(() => CampaignFile.parse({ ...config, environment: long })).toThrow(/may take together/);
  });
});
