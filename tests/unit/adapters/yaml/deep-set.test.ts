import { expect, test } from "vitest";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";

test("a path of --set that leads deeper than any setting is refused by name, however deep", async () => {
  for (const depth of [21, 20_000]) {
    const path = Array.from({ length: depth }, () => "a").join(".");
    await expect(loadCampaignFile("configs/campaigns/quickstart.yaml", [`${path}=1`])).rejects.toMatchObject({ code: "config.invalid" });
  }
});
