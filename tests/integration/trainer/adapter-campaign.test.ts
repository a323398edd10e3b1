// policy.weights: lora in a campaign: the training activity trains an adapter, the record keeps it with its base, the server serves it, and
// the next iteration goes on from it. Real trainer, record and policy server; only the rollouts are scripted.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MockActivityEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { encodeBatch } from "#adapters/trainer-process/safetensors.ts";
import type { CanaryReport } from "#contracts/activities.ts";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import { CampaignConfig } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { buildBatch } from "#core/training/build-batch.ts";
import { compactFormat } from "#environments/synthetic-airline/compact-format/compact.ts";
import { createRolloutActivities } from "../../../activities/rollout.ts";
import { createTrainingActivities } from "../../../activities/training.ts";
import { createDependencies, type WorkerDependencies } from "../../../workers/dependencies.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython, PYTHON, runPython } from "../../support/python.ts";
import { makeTinyModel, startPolicyServer, type TestPolicyServer } from "../../support/tiny-policy.ts";
import { add, counter, memoryJournal, say, scriptedPolicy, TASK, user } from "../../unit/core/rollout/parties.ts";

const signal = new AbortController().signal;
const log = { debug() {}, info() {}, warn() {}, error() {}, trace() {}, fatal() {} };

const MERGE = `
import json, sys
from pathlib import Path
from trainer.merge import merge
merge(*map(Path, json.load(sys.stdin)))
print("null")
`;

const config = (weights: "full" | "lora", place: Partial<CampaignConfig["training"]> = {}): CampaignConfig =>
  CampaignConfig.parse({
    schemaVersion: 2,
    name: "adapters",
    seed: 1,
    environment: { type: "synthetic-airline" },
    policy: { type: "embedded", checkpoint: "none", weights, temperature: 1 },
    rollout: { tasksPerIteration: 1, groupSize: 2 },
    reward: { table: "finer-prior" },
    advantage: { type: "gtpo-hybrid/1" },
    training: {
      threads: 1,
      ...place,
      adapter: { rank: 4, alpha: 8, targetModules: ["q_proj", "down_proj"] },
      hyperparameters: { learningRate: 0.05, numMinibatches: 2, maxGradientNorm: 1e9 },
    },
    selection: null,
    test: null,
    retention: { jobFolders: "keep" },
    stop: { maxIterations: 2 },
  });

describe.skipIf(!hasPython)("a campaign that trains adapters", () => {
  const folder = longTemporaryFolder();
  let server: TestPolicyServer;
  let deps: WorkerDependencies;
  let base: PolicyRef;
  let batch: ArtifactRef;

  beforeAll(async () => {
    server = await startPolicyServer(folder);
    vi.stubEnv("TURNWISE_HOME", folder);
    vi.stubEnv("TURNWISE_POLICY_URL", server.url);
    deps = await createDependencies(log as never);
    makeTinyModel({ directory: join(folder, "tiny"), specialTokens: ["<e>"], corpus: ["some text to learn from"], vocabSize: 1024 });
    base = await createPolicyStore(deps.store, deps.settings.policyRoot).import(join(folder, "tiny"), { label: "tiny", parentHash: null });
    batch = await deps.store.putBlob(encodeBatch(await scriptedBatch(base)), "TrainingBatch/1");
  }, 300_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await server?.kill();
  });

  const record = async (id: string, ofCampaign: CampaignConfig): Promise<void> => {
    if ((await deps.record.readCampaign(id)) !== null) return;
    const { dataSha256 } = await deps.openTaskSet(ofCampaign.environment);
    const hashes = { configSha256: "c".repeat(64), dataSha256 };
    const rest = { codeVersion: "test", basePolicy: base, priorTable: batch, estimate: null, parent: null };
    await deps.record.putCampaign({ schemaVersion: 2, id, config: ofCampaign, ...hashes, ...rest, createdAt: new Date().toISOString() });
  };
  const train = async (
    weights: "full" | "lora",
    iteration: number,
    policy: PolicyRef,
    place: Partial<CampaignConfig["training"]> = {},
  ): Promise<PolicyRef> => {
    const campaignId = `adapters-${weights}-${place.backend ?? "cpu"}`;
    await record(campaignId, config(weights, place));
    const input = { campaignId, iteration, policy, reference: base, batch, credit: batch };
    const activity = createTrainingActivities(deps).train;
    const answer = await new MockActivityEnvironment().run(activity, { ...input, startedAt: new Date().toISOString() });
    return (answer as { policy: PolicyRef }).policy;
  };
  const scores = async (policy: PolicyRef): Promise<number[]> => {
    const opened = await deps.openPolicy(config("lora").policy, policy, { compact: compactFormat });
    await opened.ensureLoaded(signal);
    return opened.server.score(policy.name, { key: "t", tokenIds: [5, 6, 7, 8, 9, 10], start: 1, logprobs: [] } as never, 1, signal);
  };
  const difference = (one: readonly number[], other: readonly number[]): number =>
    Math.max(...one.map((value, index) => Math.abs(value - (other[index] ?? Number.NaN))));

  test("stores adapters with their base, serves them, and goes on from the last one", async () => {
    const first = await train("lora", 1, base);
    const second = await train("lora", 2, first);
    const policies = createPolicyStore(deps.store, deps.settings.policyRoot);
    for (const [policy, parent] of [
      [first, base],
      [second, first],
    ] as const) {
      const { fileHashes, base: under, parentHash } = await policies.describe(policy);
      expect(Object.keys(fileHashes).sort()).toEqual([
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
      ]);
      expect(under).toEqual(base);
      expect(parentHash).toBe(parent.hash);
    }
    const [ofBase, ofFirst, ofSecond] = [await scores(base), await scores(first), await scores(second)];
    expect(difference(ofFirst, ofBase)).toBeGreaterThan(1e-3);
    expect(difference(ofSecond, ofFirst)).toBeGreaterThan(1e-3);

    const merged = join(folder, "merged");
    runPython(MERGE, [await policies.directory(base), await policies.directory(second), merged]);
    const whole = await policies.import(merged, { label: "merged", parentHash: second.hash });
    expect(difference(await scores(whole), ofSecond)).toBeLessThan(1e-4);
  }, 300_000);

  test("or whole weights, by the same configuration with weights: full", async () => {
    const trained = await train("full", 1, base);
    const { fileHashes, base: under } = await createPolicyStore(deps.store, deps.settings.policyRoot).describe(trained);
    expect(under).toBeNull();
    expect(Object.keys(fileHashes)).toContain("model.safetensors");
    expect(difference(await scores(trained), await scores(base))).toBeGreaterThan(1e-3);
  }, 300_000);

  test("or by an engine of one's own that the campaign names, whose policy is served like any other", async () => {
    const command = [PYTHON, "examples/trainers/last_norm.py"];
    const first = await train("full", 1, base, { backend: "process", command });
    const second = await train("full", 2, first, { backend: "process", command });
    expect(await firstEvent(deps, "adapters-full-process")).toMatchObject({ device: "cpu", resumedFromStep: 0 });
    const [ofBase, ofFirst, ofSecond] = [await scores(base), await scores(first), await scores(second)];
    expect(difference(ofFirst, ofBase)).toBeGreaterThan(1e-3);
    expect(difference(ofSecond, ofFirst)).toBeGreaterThan(1e-3);
  }, 300_000);

  test("or in several processes, which leave the same adapter", async () => {
    const [ofOne, ofTwo] = [await train("lora", 1, base), await train("lora", 1, base, { backend: "fsdp", numProcesses: 2 })];
    const { device } = await firstEvent(deps, "adapters-lora-fsdp");
    expect(device).toBe("cpu x 2");
    expect(difference(await scores(ofTwo), await scores(ofOne))).toBeLessThan(1e-4);
    expect(difference(await scores(ofTwo), await scores(base))).toBeGreaterThan(1e-3);
  }, 300_000);

  test("and before any rollout the server says of the batch's turns what the trainer said of them", async () => {
    for (const weights of ["lora", "full"] as const) {
      const policy = await train(weights, 1, base);
      const input = { campaignId: `adapters-${weights}-cpu`, iteration: 1, policy, sampledIn: null };
      const report = await new MockActivityEnvironment().run(createRolloutActivities(deps).openPolicy, input);
      expect(report).toMatchObject({ numTurns: 6 });
      expect((report as CanaryReport).maxDifference).toBeLessThan(1e-5);
    }
  }, 300_000);
});

/** The job-start that the trainer of a campaign's first iteration wrote. */
async function firstEvent(deps: WorkerDependencies, campaignId: string): Promise<{ device: string }> {
  const path = join(deps.trainer.jobDirectory(campaignId, 1), "events.jsonl");
  return JSON.parse((await readFile(path, "utf8")).split("\n")[0] ?? "");
}

async function scriptedBatch(model: PolicyRef) {
  const parties = { task: TASK, environment: counter, simulator: user, limits: { maxTurns: 9 }, signal };
  const script = [add(1), say("half"), say("done")].map((turn, index) => ({
    ...turn,
    tokens: { promptTokenIds: Array(index * 3 + 2).fill(5), tokenIds: [5, 6, 7], logprobs: [-0.1, -0.1, -0.1] },
  }));
  const trajectories = await Promise.all(
    [0, 1].map(
      async (trial) =>
        (await runTrajectory({ ...parties, trial, policy: scriptedPolicy(script), journal: memoryJournal(), seed: `${trial}` })).trajectory,
    ),
  );
  const advantages = trajectories.map(({ turns }, member) => turns.map(() => member + 1));
  const common = { policyHash: model.hash, rewardTableSha256: "a".repeat(64), estimator: "grpo/1", seed: 1 };
  return buildBatch({ groups: [{ trajectories, advantages }], ...common });
}
