// The plan speaks of what the record has seen: its own rollouts of the same environment and user, where there are any.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { openRecord } from "#adapters/record/open-record.ts";
import { estimateFor, planCampaign } from "#application/campaign/plan.ts";
import { rolloutMeans } from "#application/campaign/rollout-means.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { NO_METERS, NOTHING_METERED } from "#core/campaign/meters.ts";
import { present } from "../../fixtures/present.ts";
import { copyReleaseRecord } from "../../fixtures/release-record.ts";
import { sampleConfig, writeSampleCampaign } from "../../fixtures/sample-record.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const user = (model: string, strategy = "llm") =>
  ({
    ...{ type: "llm", baseUrl: "http://127.0.0.1:1/v1", model, strategy },
    priceUsdPerMillionTokens: { input: 1, output: 1 },
  }) as unknown as CampaignConfig["simulator"];

describe("means of a rollout", () => {
  test("are those of the record's groups, also of 0.1.0", async () => {
    const root = join(temporaryFolder(), "record");
    const means = await rolloutMeans(copyReleaseRecord(root), sampleConfig());
    const history = await openRecord(root).history.open();
    try {
      const sql = "SELECT avg(model_calls)::DOUBLE, avg(prompt_tokens)::DOUBLE, count(*)::INTEGER FROM trajectories";
      const [[calls, prompt, count] = []] = (await history.query(sql)).rows;
      expect([means.policyCalls, means.policyTokens?.prompt]).toEqual([
        expect.closeTo(Number(calls), 6),
        expect.closeTo(Number(prompt), 6),
      ]);
      expect(means.basis).toMatch(
        new RegExp(`^${count} rollouts of interrupted, stopped, approved-5, approved-3, in the same environment`),
      );
    } finally {
      history.close();
    }
    expect([means.userCalls, means.policyGpuSeconds]).toEqual([0, null]);
  });

  test("are the published ones for another environment, another user, another model of a user, another way of asking it", async () => {
    const record = copyReleaseRecord(join(temporaryFolder(), "record"));
    const others: CampaignConfig[] = [
      { ...sampleConfig(), environment: { type: "tau-bench-retail", selectionTasks: null, splits: "train-selection-test" } },
      { ...sampleConfig(), simulator: user("m") },
    ];
    for (const config of others) expect((await rolloutMeans(record, config)).basis).toContain("the means of a public airline run");
    await writeSampleCampaign(record, { id: "asked" });
    const asked = { ...present(await record.readCampaign("asked")), id: "asked-2" };
    await record.putCampaign({ ...asked, config: { ...asked.config, simulator: user("m") } });
    const group = present(await record.readGroup("asked", 1, "train", present((await record.listGroups("asked", 1, "train"))[0])));
    await record.putGroup({ ...group, campaignId: "asked-2", meters: { ...NO_METERS, policy: { ...NOTHING_METERED, gpuSeconds: 60 } } });
    const basis = async (simulator: CampaignConfig["simulator"]) => (await rolloutMeans(record, { ...sampleConfig(), simulator })).basis;
    expect(await basis(user("m"))).toMatch(/rollouts of asked-2, /);
    expect(await basis(user("other"))).toContain("public");
    expect(await basis(user("m", "verify"))).toContain("public");
    const same = await rolloutMeans(record, { ...sampleConfig(), simulator: user("m") });
    expect(same.policyGpuSeconds).toBe(60 / group.outcomes.length);
  });

  test("leave out a campaign that cannot be read, and hold for an empty record", async () => {
    const root = join(temporaryFolder(), "record");
    const empty = new CampaignRecord(new LocalArtifactStore(root));
    expect((await planCampaign(empty, sampleConfig(), 0)).estimate.basis).toContain("public");
    const record = copyReleaseRecord(root);
    await record.store.putOnce("campaigns/broken/campaign.json", { schemaVersion: 2 });
    expect((await rolloutMeans(record, sampleConfig())).basis).toContain("approved-3");
  });
});

test("the plan of a campaign and what is kept with it are one estimate", async () => {
  const record = copyReleaseRecord(join(temporaryFolder(), "record"));
  const plan = await planCampaign(record, sampleConfig(), 0);
  expect(await estimateFor(record, sampleConfig(), null)).toEqual(plan.estimate);
});
