import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { RetentionConfig } from "#contracts/retention.ts";
import { registerGc } from "../../../src/cli/commands/gc.ts";
import { runCommand } from "../../fixtures/run-command.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { makeOld, openHome, writeTrainedCampaign } from "../../fixtures/trained-campaign.ts";

const retention = RetentionConfig.parse({ policies: { last: 1, best: false } });

async function sampleHome() {
  const home = temporaryFolder();
  await writeTrainedCampaign(openHome(home), { id: "narrow", numIterations: 3, retention });
  await writeTrainedCampaign(openHome(home), { id: "other", numIterations: 3, retention });
  makeOld(openHome(home));
  return async (...args: string[]) => stripVTControlCharacters(await runCommand(registerGc, ["gc", ...args], { TURNWISE_HOME: home }));
}

test("a dry run says what would go and what would stay, and the run itself what went", async () => {
  const gc = await sampleHome();
  const dry = await gc("--dry-run");
  expect(dry).toMatch(/^what +would go +would stay\n/);
  expect(dry).toMatch(/^weights +4 \(\d+ B\) +\d+ \(\d+ B\)$/m);
  expect(dry).toMatch(/^\d+(\.\d)? k?B would be free$/m);
  const wet = await gc();
  expect(wet).toMatch(/^what +gone +stays\n/);
  expect(wet).toMatch(/^moments +4 \(\d+ B\) +2 \(\d+ B\)$/m);
  expect(wet).toMatch(/^job folders +6 \(\d+ B\) +–$/m);
  expect(await gc()).toContain("nothing to free");
});

test("one campaign can be named; an unknown one is campaign.unknown", async () => {
  const gc = await sampleHome();
  const report = JSON.parse(await gc("narrow", "--json")) as { rows: { kind: string; freed: { count: number } }[] };
  expect(report.rows.find(({ kind }) => kind === "weights")?.freed.count).toBe(2);
  await expect(gc("nobody")).rejects.toMatchObject({ code: "campaign.unknown" });
});

test("an empty home has nothing to free", async () => {
  expect(stripVTControlCharacters(await runCommand(registerGc, ["gc"], { TURNWISE_HOME: temporaryFolder() }))).toBe("nothing to free\n");
});
