import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { encodeBatch } from "#adapters/trainer-process/safetensors.ts";
import { NO_METERS } from "#core/campaign/meters.ts";
import { buildBatch } from "#core/training/build-batch.ts";
import { trainingSeed } from "#core/training/training-seed.ts";
import { registerBatch } from "../../../src/cli/commands/batch.ts";
import { runCommand } from "../../fixtures/run-command.ts";
import { sampleConfig, samplePolicy, sampleTrajectory } from "../../fixtures/sample-record.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython, PYTHON } from "../../support/python.ts";

/** A home whose record holds a campaign that trained on four rollouts of two tasks in iteration 1. */
async function homeWithBatch(): Promise<{ home: string; sha256: string }> {
  const home = temporaryFolder();
  const record = new CampaignRecord(new LocalArtifactStore(join(home, "record")));
  const batch = await record.store.putBlob(sampleBatch(), "TrainingBatch/1");
  await record.putCampaign({
    schemaVersion: 2,
    id: "sample",
    config: sampleConfig(),
    configSha256: "d".repeat(64),
    codeVersion: "test",
    dataSha256: "e".repeat(64),
    basePolicy: samplePolicy("a"),
    priorTable: { uri: "blob:x", sha256: "b".repeat(64), numBytes: 1, schema: "RewardTable/1" },
    estimate: null,
    parent: null,
    createdAt: "2026-01-02T03:04:05.000Z",
  });
  await record.putStage({
    schemaVersion: 2,
    campaignId: "sample",
    iteration: 1,
    stage: "training",
    inputs: {},
    outputs: { batch },
    metrics: {},
    meters: NO_METERS,
    decision: null,
    startedAt: "2026-01-02T03:04:05.000Z",
    seconds: 1,
    versions: {},
  });
  return { home, sha256: batch.sha256 };
}

function sampleBatch(): Uint8Array {
  const groups = ["t1", "t2"].map((taskId) => ({
    trajectories: [sampleTrajectory(taskId, 0, 1), sampleTrajectory(taskId, 1, 0)],
    advantages: [
      [0.5, 0, -0.25],
      [-0.5, 1, 0.25],
    ],
  }));
  return encodeBatch(buildBatch({ groups, policyHash: "p", rewardTableSha256: "a".repeat(64), estimator: "gtpo-hybrid/1", seed: 1 }));
}

function run(home: string, ...args: string[]): Promise<string> {
  const required = ["--campaign", "sample", "--iteration", "1", "--out", join(home, "out")];
  return runCommand(registerBatch, ["batch", "export", ...required, ...args], { TURNWISE_HOME: home, TURNWISE_PYTHON: PYTHON });
}

const manifest = (home: string) => JSON.parse(readFileSync(join(home, "out", "export.json"), "utf8"));

describe.skipIf(!hasPython)("turnwise batch export", () => {
  test("deals the batch of an iteration to optimizer steps and ranks as the campaign trained on it", async () => {
    const { home, sha256 } = await homeWithBatch();
    expect(await run(home, "--engine", "prime-rl", "--ranks", "2")).toContain(
      `batch ${sha256.slice(0, 12)} of iteration 1 written for prime-rl`,
    );
    const { options, places, batchSha256 } = manifest(home);
    expect(batchSha256).toBe(sha256);
    expect(options).toMatchObject({ minibatches: 10, ranks: 2, temperature: 0.9, seed: trainingSeed(7, 1) });
    expect(new Set(places.map(({ step }: { step: number }) => step)).size).toBe(4);
    expect(readdirSync(join(home, "out", "rollouts", "step_4"))).toEqual(["rank_0.bin", "rank_1.bin"]);
  });

  test("writes one file for verl, and says so as JSON", async () => {
    const { home, sha256 } = await homeWithBatch();
    expect(JSON.parse(await run(home, "--engine", "verl", "--json"))).toEqual({
      campaignId: "sample",
      iteration: 1,
      engine: "verl",
      batch: sha256,
      folder: join(home, "out"),
    });
    expect(readdirSync(join(home, "out")).sort()).toEqual(["dataproto.safetensors", "export.json"]);
  });

  test.each([
    [["--iteration", "0", "--engine", "verl"], "config.invalid", "iteration 0 of sample has no training batch"],
    [["--campaign", "nobody", "--engine", "verl"], "campaign.unknown", "nobody"],
    [["--engine", "verl", "--max-length", "6"], "config.invalid", "has 7 tokens, more than --max-length 6"],
    [["--engine", "verl", "--ranks", "2"], "config.invalid", "--ranks means nothing for verl"],
    [["--engine", "prime-rl", "--ranks", "zero"], "config.invalid", "--ranks: wanted a whole number"],
  ])("refuses %j with one clear error and writes nothing", async (args, code, message) => {
    const { home } = await homeWithBatch();
    await expect(run(home, ...args)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    expect(readdirSync(home)).toEqual(["record"]);
  });

  test("leaves a folder alone that holds anything", async () => {
    const { home } = await homeWithBatch();
    await run(home, "--engine", "verl");
    writeFileSync(join(home, "out", "mine"), "mine");
    await expect(run(home, "--engine", "prime-rl")).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining("not an empty"),
    });
    expect(readFileSync(join(home, "out", "mine"), "utf8")).toBe("mine");
  });

  test("without Python it says what to do", async () => {
    const { home } = await homeWithBatch();
    const args = ["batch", "export", "--campaign", "sample", "--iteration", "1", "--out", join(home, "out"), "--engine", "verl"];
    await expect(runCommand(registerBatch, args, { TURNWISE_HOME: home, TURNWISE_PYTHON: "/nowhere/python" })).rejects.toMatchObject({
      code: "trainer.crashed",
      next: expect.stringContaining("npm run setup"),
    });
  });
});
