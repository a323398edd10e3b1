// The committed campaign on code reasoning, one iteration of it in small: shipped policy, real policy server, sandbox, record and trainer.
import { join } from "node:path";
import { MockActivityEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { loadPriorTable } from "#adapters/campaign-file/load-reward-table.ts";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { RewardTable } from "#contracts/reward-table.ts";
import { createCalibrationActivities } from "../../../activities/calibration.ts";
import { createRolloutActivities } from "../../../activities/rollout.ts";
import { createTrainingActivities } from "../../../activities/training.ts";
import { createDependencies, type WorkerDependencies } from "../../../workers/dependencies.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython } from "../../support/python.ts";
import { startPolicyServer, type TestPolicyServer } from "../../support/tiny-policy.ts";

const log = { debug() {}, info() {}, warn() {}, error() {}, trace() {}, fatal() {} };
const startedAt = new Date(0).toISOString();
const AT = { campaignId: "code-reasoning", iteration: 1 };

describe.skipIf(!hasPython)("the campaign on code reasoning, one small iteration", { timeout: 600_000 }, () => {
  let server: TestPolicyServer;
  let deps: WorkerDependencies;
  let config: CampaignConfig;
  let base: PolicyRef;
  let table: ArtifactRef;

  beforeAll(async () => {
    const folder = longTemporaryFolder();
    server = await startPolicyServer(folder);
    vi.stubEnv("TURNWISE_HOME", folder);
    vi.stubEnv("TURNWISE_POLICY_URL", server.url);
    deps = await createDependencies(log as never);
    const whole = await loadCampaignFile(join(REPOSITORY, "configs/campaigns/code-reasoning.yaml"), [
      "rollout.tasksPerIteration=6",
      "rollout.groupSize=4",
      "training.hyperparameters.numMinibatches=2",
    ]);
    config = whole;
    base = await createPolicyStore(deps.store, deps.settings.policyRoot).import(join(REPOSITORY, config.policy.checkpoint), {
      label: "code-reasoning",
      parentHash: null,
    });
    const { dataSha256, labeller } = await deps.openTaskSet(config.environment);
    table = await deps.record.putJson(RewardTable, await loadPriorTable(config.reward, labeller, "configs/rewards"), "RewardTable/2");
    await deps.record.putCampaign({
      schemaVersion: 2,
      id: AT.campaignId,
      config,
      configSha256: "c".repeat(64),
      dataSha256,
      codeVersion: "test",
      basePolicy: base,
      priorTable: table,
      estimate: null,
      parent: null,
      createdAt: startedAt,
    });
  }, 600_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await server?.kill();
  });

  const run = async <Result>(activity: (input: never) => Promise<Result>, input: object): Promise<Result> =>
    await new MockActivityEnvironment().run(activity as (input: object) => Promise<Result>, input);

  test("rolls out, calibrates, trains on shaped advantages, and serves what it trained", async () => {
    const [rollouts, calibrations, trainings] = [
      createRolloutActivities(deps),
      createCalibrationActivities(deps),
      createTrainingActivities(deps),
    ];
    await run(rollouts.openPolicy, { ...AT, policy: base, sampledIn: null });
    const page = await run(rollouts.planTasks, { ...AT, purpose: "train", offset: 0, limit: 256 });
    expect(page.taskIds).toHaveLength(6);
    await Promise.all(page.taskIds.map((taskId) => run(rollouts.rolloutGroup, { ...AT, purpose: "train", taskId, policy: base })));
    const { passRate } = await run(calibrations.commitRollout, { ...AT, policy: base, canary: null, startedAt });
    expect(passRate).toBeGreaterThan(0);
    expect(passRate).toBeLessThan(1);
    await run(calibrations.calibrate, { ...AT, table, startedAt });
    const { batch, credit, numLiveRows } = await run(trainings.buildBatch, { ...AT, policy: base, table });
    expect(numLiveRows).toBeGreaterThan(0);
    const { policy } = await run(trainings.train, { ...AT, policy: base, reference: base, batch, credit, startedAt });
    expect(policy.hash).not.toBe(base.hash);
    const canary = await run(rollouts.openPolicy, { ...AT, policy, sampledIn: null });
    expect(canary?.maxDifference).toBeLessThan(1e-4);
  });
});
