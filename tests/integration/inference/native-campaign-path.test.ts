// The path of a GPU host's campaign with everything real but the size: chat completions with tool schemas, an LLM as the user, token ids
// back, a training batch, a trainer step. Policy and user are the same tiny random Qwen3 on our own OpenAI-compatible server.

import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalTurnJournal } from "#adapters/artifact-store/journal.ts";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { openPolicy } from "#adapters/inference/open-policy.ts";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { openSimulator } from "#adapters/simulator/open-simulator.ts";
import { runTrainingJob } from "#adapters/trainer-process/run-training-job.ts";
import { encodeBatch } from "#adapters/trainer-process/safetensors.ts";
import { PolicyConfig, SimulatorConfig, TrainingHyperparameters } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { Task } from "#contracts/task.ts";
import type { TrainingJob } from "#contracts/training.ts";
import { Trajectory } from "#contracts/trajectory.ts";
import { DEFAULT_GROUP_LIMITS, type GroupResult, runGroup } from "#core/rollout/run-group.ts";
import { buildBatch } from "#core/training/build-batch.ts";
import { loadSyntheticAirline } from "#environments/synthetic-airline/airline.ts";
import { compactFormat } from "#environments/synthetic-airline/compact-format/compact.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython, PYTHON } from "../../support/python.ts";
import { realClock } from "../../support/real-clock.ts";
import { makeTinyModel, startPolicyServer, type TestPolicyServer } from "../../support/tiny-policy.ts";

const signal = new AbortController().signal;

describe.skipIf(!hasPython)("a rollout over chat completions", () => {
  const folder = longTemporaryFolder();
  const store = new LocalArtifactStore(join(folder, "record"));
  const policies = createPolicyStore(store, join(folder, "policies"));
  const modelDirectory = join(folder, "tiny");
  let server: TestPolicyServer;
  let base: PolicyRef;
  let vllm: PolicyConfig;
  let group: GroupResult;

  const journalAt = (name: string, trial: number, attempt: number) => new LocalTurnJournal(store.root, `turns/${name}/${trial}-${attempt}`);
  const rollOut = async (journal: (trial: number, attempt: number) => LocalTurnJournal): Promise<GroupResult> => {
    const { environment, splits } = loadSyntheticAirline(1);
    const { policy, ensureLoaded } = await openPolicy(vllm, base, {
      policies,
      policyUrl: "http://127.0.0.1:9",
      formats: { compact: compactFormat },
    });
    return runGroup({
      task: splits.train[0] as Task,
      groupSize: 4,
      environment,
      policy,
      simulator: openSimulator(SimulatorConfig.parse({ type: "llm", baseUrl: `${server.url}/v1`, model: "tiny", maxTokens: 40 })),
      seed: "native",
      journal,
      limits: { ...DEFAULT_GROUP_LIMITS, maxTurns: 3, maxAttempts: 10 },
      ensurePolicy: ensureLoaded,
      clock: realClock,
      signal,
    });
  };

  beforeAll(async () => {
    const { environment } = loadSyntheticAirline(1);
    const corpus = Array(2)
      .fill([environment.systemPrompt, JSON.stringify(environment.tools)])
      .flat();
    makeTinyModel({
      directory: modelDirectory,
      specialTokens: ["<|im_end|>", "<|im_start|>"],
      corpus,
      vocabSize: 900,
      maxPositions: 6144,
      endScale: 9,
    });
    server = await startPolicyServer(folder, ["--preload", `tiny=${modelDirectory}`, "--max-context", "6144", "--slots", "16"]);
    base = await policies.import(modelDirectory, { label: "tiny", parentHash: null });
    vllm = PolicyConfig.parse({
      type: "vllm",
      baseUrl: `${server.url}/v1`,
      model: "tiny",
      checkpoint: modelDirectory,
      maxTokensPerTurn: 60,
      maxContextTokens: 6144,
    });
    await (await openPolicy(vllm, base, { policies, policyUrl: "http://127.0.0.1:9", formats: { compact: compactFormat } })).ensureLoaded(
      signal,
    );
    group = await rollOut((trial, attempt) => journalAt("first", trial, attempt));
  }, 300_000);
  afterAll(() => server?.kill());

  test("gives a complete group of valid trajectories that every token of every turn can be trained on", () => {
    expect(group.trajectories.map((trajectory) => Trajectory.parse(trajectory).trial)).toEqual([0, 1, 2, 3]);
    expect(group.trajectories.some(({ turns }) => turns.length > 1)).toBe(true);
    for (const { turns, rows, usage, outcome } of group.trajectories) {
      expect(rows.flatMap(({ spans }) => spans.map(({ turn }) => turn))).toEqual(turns.map(({ index }) => index));
      expect(rows.flatMap(({ logprobs }) => logprobs)).toHaveLength(usage.completionTokens);
      expect(outcome.reward).toBe(0);
    }
  });

  test("read again from its journals is the same group without a model call", async () => {
    server.pause();
    const again = await rollOut((trial, attempt) => journalAt("first", trial, attempt));
    server.resume();
    expect(again.trajectories).toEqual(group.trajectories);
    expect(again.numResumedTurns).toBe(group.trajectories.reduce((sum, { turns }) => sum + turns.length, 0));
  });

  test("made again from its seed is the same group", async () => {
    const again = await rollOut((trial, attempt) => journalAt("second", trial, attempt));
    expect(again.trajectories).toEqual(group.trajectories);
  }, 300_000);

  test("is trained on, under the log-probabilities that it was sampled with, and the result is served", async () => {
    const advantages = group.trajectories.map(({ turns }, member) => turns.map(() => (member % 2 === 0 ? 1 : -1)));
    const batch = buildBatch({
      groups: [{ trajectories: group.trajectories, advantages }],
      policyHash: base.hash,
      rewardTableSha256: "a".repeat(64),
      estimator: "grpo/1",
      seed: 1,
    });
    const bytes = encodeBatch(batch);
    const jobDirectory = join(folder, "job");
    writeFileSync(join(folder, "batch.safetensors"), bytes);
    const job: TrainingJob = {
      schemaVersion: 1,
      jobId: "native",
      backend: "cpu",
      threads: 1,
      modelDirectory: await policies.directory(base),
      modelHash: base.hash,
      referenceDirectory: null,
      optimizerState: null,
      batchPath: "../batch.safetensors",
      batchSha256: createHash("sha256").update(bytes).digest("hex"),
      temperature: 1,
      hyperparameters: TrainingHyperparameters.parse({ learningRate: 1e-2, numMinibatches: 1, klWeight: 0, maxGradientNorm: 1e9 }),
      seed: 1,
    };
    const result = await runTrainingJob({ python: PYTHON, jobDirectory, job, stallTimeoutSeconds: 120, signal, onEvent: () => {} });
    expect(result.steps).toHaveLength(1);
    expect(result.steps[0]?.ratioMean).toBeCloseTo(1, 3);
    expect(result.steps[0]?.ratioMax).toBeCloseTo(1, 2);
    expect(result.steps[0]?.numTokens).toBe(batch.header.numActionTokens);

    const trained = await policies.import(join(jobDirectory, "model"), {
      label: "trained",
      parentHash: base.hash,
      optimizerState: join(jobDirectory, "optimizer.safetensors"),
    });
    expect(trained.hash).not.toBe(base.hash);
    const config = PolicyConfig.parse({
      type: "embedded",
      format: "native",
      checkpoint: "-",
      temperature: 1,
      maxTokensPerTurn: 60,
      maxContextTokens: 6144,
    });
    const [before, after] = await Promise.all(
      [base, trained].map((ref) => openPolicy(config, ref, { policies, policyUrl: server.url, formats: { compact: compactFormat } })),
    );
    await Promise.all([before?.ensureLoaded(signal), after?.ensureLoaded(signal)]);

    // The canary: the base policy repeats itself, the trained one under the base's turns is found out.
    const report = await before?.checkStoredTurns(group.trajectories, signal);
    expect(report).toMatchObject({ numTurns: group.trajectories.reduce((sum, { turns }) => sum + turns.length, 0) });
    expect(report?.maxDifference).toBeLessThan(1e-9);
    const mislabelled = group.trajectories.map((trajectory) => ({ ...trajectory, policy: { ...trajectory.policy, hash: trained.hash } }));
    await expect(after?.checkStoredTurns(mislabelled, signal)).rejects.toMatchObject({ code: "provider.wrong-weights" });
  }, 300_000);

  test("with a trained policy of full weights is refused: a running vLLM cannot take them", async () => {
    const child = await policies.import(modelDirectory, { label: "child", parentHash: base.hash });
    await expect(
      openPolicy(vllm, child, { policies, policyUrl: "http://127.0.0.1:9", formats: { compact: compactFormat } }),
    ).rejects.toMatchObject({
      code: "provider.rejected",
    });
  });
});
