// What a person reads of a campaign that has not ended: what it used so far, what it asks, and what helps it on.
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { summarizeCampaign } from "#application/campaign/summary.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { NO_METERS, totalMeter } from "#core/campaign/meters.ts";
import { describeStatus, nextStep } from "../../../src/cli/campaign/watch.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";

describe("the record of an open campaign", () => {
  const root = longTemporaryFolder();
  let record: CampaignRecord;
  beforeAll(() => {
    cpSync(join(import.meta.dirname, "../../fixtures/records/0.1.0"), root, { recursive: true });
    record = new CampaignRecord(new LocalArtifactStore(root));
  });

  test("what the stage at work has used is counted when the campaign is looked at", async () => {
    const { pendingMeters } = await summarizeCampaign(record, "interrupted", { isWhole: true });
    const tasks = await record.listGroups("interrupted", 1, "train");
    const groups = await Promise.all(tasks.map((task) => record.readGroup("interrupted", 1, "train", task)));
    const calls = groups.reduce((sum, group) => sum + totalMeter(group?.meters ?? NO_METERS).calls, 0);
    expect(calls).toBeGreaterThan(0);
    expect(totalMeter(pendingMeters ?? NO_METERS).calls).toBe(calls);
    expect((await summarizeCampaign(record, "approved-3", { isWhole: true })).pendingMeters).toEqual(NO_METERS);
  });

  test("a table that the gate accepted and nobody has decided about is shown with its values and its report", async () => {
    const iteration = join(root, "campaigns/approved-3/iterations/0001");
    const decided = await summarizeCampaign(record, "approved-3");
    for (const name of ["redesign", "training", "evaluation", "iteration"]) rmSync(join(iteration, `${name}.json`));
    rmSync(join(root, "campaigns/approved-3/end.json"));
    const asked = (await summarizeCampaign(record, "approved-3")).iterations.at(-1);
    expect(asked?.tableChanges).toEqual([]);
    expect(asked?.undecided?.changes).toEqual(decided.iterations.at(-1)?.tableChanges);
    expect(asked?.undecided?.changes.length).toBeGreaterThan(0);
    expect(asked?.undecided?.reportUri).toMatch(/^blobs\/sha256\//);
    expect(decided.iterations.at(-1)?.undecided).toBeNull();
  });
});

describe("the one next command", () => {
  const status = (changes: Partial<CampaignStatus>) =>
    ({ campaignId: "mine", state: "running", reason: null, ...changes }) as CampaignStatus;

  test("is said by a pause itself, and by a question", () => {
    expect(nextStep(status({}))).toBeNull();
    const reason = { code: "guard.budget", message: "used up", next: "turnwise campaign budget mine --max-usd …" };
    expect(nextStep(status({ state: "paused", reason }))).toBe(reason.next);
    expect(nextStep(status({ state: "waiting-for-approval" }))).toContain("turnwise campaign approve mine");
    expect(nextStep(status({ state: "stopping" }))).toBeNull();
  });

  test("a stage that has not planned its groups shows no bar", () => {
    const starting = status({ iteration: 1, maxIterations: 2, stage: "rollout", progress: { done: 0, total: 0 } });
    expect(describeStatus(starting, 0)).not.toContain("0/0");
  });
});
