// Retention as the workers apply it: after training, after an iteration, at their start.
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MockActivityEnvironment } from "@temporalio/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ApplyRetentionResult } from "#contracts/activities.ts";
import { KEEP_EVERYTHING, RetentionConfig } from "#contracts/retention.ts";
import { createRetentionActivities } from "../../../activities/retention.ts";
import { createTrainingActivities } from "../../../activities/training.ts";
import { createDependencies } from "../../../workers/dependencies.ts";
import { present } from "../../fixtures/present.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { makeOld, openHome, type TrainedOptions, writeTrainedCampaign } from "../../fixtures/trained-campaign.ts";

const log = { debug() {}, info() {}, warn() {}, error() {}, trace() {}, fatal() {} };
const NARROW = RetentionConfig.parse({ policies: { last: 1, best: false } });
const environment = () => new MockActivityEnvironment();
afterEach(() => {
  vi.unstubAllEnvs();
});

async function setUp(retention: NonNullable<TrainedOptions["retention"]>) {
  const at = openHome(temporaryFolder());
  vi.stubEnv("TURNWISE_HOME", at.home);
  const policies = await writeTrainedCampaign(at, { id: "a", numIterations: 3, retention });
  return { at, policies, deps: await createDependencies(log as never) };
}

describe("after training", () => {
  test.each([
    ["drop", ["0001", "0003"]],
    ["keep", ["0001", "0002", "0003"]],
  ] as const)("jobFolders: %s, also when the worker was killed between the commit and the clean-up", async (jobFolders, left) => {
    const { at, policies, deps } = await setUp({ ...NARROW, jobFolders });
    const { config } = await at.record.requireCampaign("a");
    const [policy, batch] = [present(policies[1]), present((await at.record.readStage("a", 2, "training"))?.outputs["batch"])];
    const input = { campaignId: "a", config, iteration: 2, policy, reference: present(policies[0]), batch, credit: batch };
    const train = createTrainingActivities(deps).train;
    const answer: unknown = await environment().run(train, { ...input, startedAt: "2026-01-02T03:04:05.000Z" });
    expect(answer).toMatchObject({ policy: policies[2] });
    expect(readdirSync(join(at.jobRoot, "a"))).toEqual([...left]);
  });
});

describe("after an iteration", () => {
  test("what the campaign keeps no longer goes", async () => {
    const { at, deps } = await setUp(NARROW);
    makeOld(at);
    const { applyRetention } = createRetentionActivities(deps);
    const first = ApplyRetentionResult.parse(await environment().run(applyRetention, { campaignId: "a" }));
    expect(first.problem).toBeNull();
    expect(first.freedBytes).toBeGreaterThan(0);
    expect(await environment().run(applyRetention, { campaignId: "a" })).toEqual({ freedBytes: 0, problem: null });
  });

  test("a campaign that keeps everything loses nothing, and what cannot be done is told and stops nobody", async () => {
    const { at, deps } = await setUp(KEEP_EVERYTHING);
    makeOld(at);
    const { applyRetention } = createRetentionActivities(deps);
    expect(await environment().run(applyRetention, { campaignId: "a" })).toEqual({ freedBytes: 0, problem: null });
    expect(await environment().run(applyRetention, { campaignId: "nobody" })).toMatchObject({
      problem: expect.stringContaining("campaign.unknown"),
    });
  });
});

test("a worker that starts removes the temporary files of dead ones", async () => {
  const { at } = await setUp(NARROW);
  const dead = join(at.recordRoot, "tmp", `${2 ** 22 + 1}-0b0e7f0c-4b0a-4a39-a2f5-1d2f6e1f3f10`);
  mkdirSync(join(at.recordRoot, "tmp"), { recursive: true });
  writeFileSync(dead, "half a checkpoint");
  const time = new Date(Date.now() - 2 * 3_600_000);
  utimesSync(dead, time, time);
  await createDependencies(log as never);
  expect(existsSync(dead)).toBe(false);
});
