import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { registerCompare } from "../../../src/cli/commands/compare.ts";
import { registerHistory } from "../../../src/cli/commands/history.ts";
import { registerQuery } from "../../../src/cli/commands/query.ts";
import { runCommand } from "../../fixtures/run-command.ts";
import { writeSampleCampaign } from "../../fixtures/sample-record.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

async function sampleHome() {
  const home = temporaryFolder();
  const record = new CampaignRecord(new LocalArtifactStore(join(home, "record")));
  await writeSampleCampaign(record, { id: "first" });
  await writeSampleCampaign(record, { id: "second", numIterations: 1, isEnded: false });
  const run = async (register: Parameters<typeof runCommand>[0], ...args: string[]) =>
    stripVTControlCharacters(await runCommand(register, args, { TURNWISE_HOME: home }));
  return { home, run };
}

const code = (value: string) => expect.objectContaining({ code: value });
const lines = (text: string) => text.split("\n").map((line) => line.replace(/ {2,}/g, " | ").trim());

describe("turnwise history", () => {
  test("lists campaigns beside each other", async () => {
    const { run } = await sampleHome();
    const [header, first, second] = lines(await run(registerHistory, "history"));
    expect(header).toBe(
      "campaign | state | iterations | doing nothing | base policy | promoted policy | paired difference | gate | created | wall time",
    );
    expect(first).toMatch(
      /^first \| completed \| 2 \| 10\.0 % \| 50\.0 % \[40\.0, 60\.0\] \| 70\.0 % \[60\.0, 80\.0\] \| \+20\.0 pp \[\+10\.0, \+30\.0\] \|/,
    );
    expect(second).toMatch(/^second \| open \| 1 \| 10\.0 % \| 50\.0 %/);
  });

  test("--json holds the same campaigns", async () => {
    const { run } = await sampleHome();
    expect(JSON.parse(await run(registerHistory, "history", "--json"))).toMatchObject([
      { campaignId: "first", state: "completed", finalPassRate: { value: 0.7 } },
      { campaignId: "second", state: "open", finalPassRate: { value: 0.6 } },
    ]);
  });

  test("a campaign that cannot be read is named below the others", async () => {
    const { home, run } = await sampleHome();
    const path = join(home, "record/campaigns/second/campaign.json");
    chmodSync(path, 0o644);
    writeFileSync(path, "{");
    const text = await run(registerHistory, "history");
    expect(text).toContain("second cannot be read: campaigns/second/campaign.json is not JSON");
    expect(text).toMatch(/^first/m);
  });

  test("one campaign is shown iteration by iteration, an unknown one is campaign.unknown", async () => {
    const { run } = await sampleHome();
    const text = await run(registerHistory, "history", "first");
    expect(text).toMatch(/^ +base .*50\.0 %/m);
    expect(text).toMatch(/^ +2 .*70\.0 %.*promote/m);
    await expect(run(registerHistory, "history", "nobody")).rejects.toEqual(code("campaign.unknown"));
  });

  test("an empty record says how to start", async () => {
    expect(await runCommand(registerHistory, ["history"], { TURNWISE_HOME: temporaryFolder() })).toContain("turnwise campaign start");
  });
});

describe("turnwise query", () => {
  const SQL = "SELECT campaign_id, iteration, evaluation_pass_rate AS rate FROM iterations WHERE campaign_id = 'first' ORDER BY iteration";

  test("prints a table, JSON or CSV of the same rows", async () => {
    const { run } = await sampleHome();
    expect(lines(await run(registerQuery, "query", SQL))).toEqual([
      "campaign_id | iteration | rate",
      "first | 0 | 0.5",
      "first | 1 | 0.6",
      "first | 2 | 0.7",
      "3 rows",
      "",
    ]);
    expect(JSON.parse(await run(registerQuery, "query", SQL, "--json"))[2]).toEqual({ campaign_id: "first", iteration: 2, rate: 0.7 });
    expect(await run(registerQuery, "query", SQL, "--csv")).toBe("campaign_id,iteration,rate\nfirst,0,0.5\nfirst,1,0.6\nfirst,2,0.7\n");
  });

  test("CSV quotes what needs it and leaves null empty", async () => {
    const { run } = await sampleHome();
    const csv = await run(registerQuery, "query", `SELECT 'a "b", c' AS "x,y", NULL AS n, [1, 2] AS list, e'two\\nlines' AS t`, "--csv");
    expect(csv).toBe('"x,y",n,list,t\n"a ""b"", c",,"[1,2]","two\nlines"\n');
  });

  test("columns of the same name do not overwrite each other in JSON", async () => {
    const { run } = await sampleHome();
    expect(JSON.parse(await run(registerQuery, "query", "SELECT 1 AS a, 2 AS a, 3 AS a", "--json"))).toEqual([{ a: 1, a_2: 2, a_3: 3 }]);
  });

  test("without SQL the tables are listed with their columns", async () => {
    const { run } = await sampleHome();
    const text = await run(registerQuery, "query");
    for (const table of ["campaigns", "iterations", "groups", "trajectories", "turns", "rewards", "evaluations"])
      expect(text).toMatch(new RegExp(`^${table} +\\w+, `, "m"));
  });

  test("a wrong query fails with DuckDB's own message", async () => {
    const { run } = await sampleHome();
    await expect(run(registerQuery, "query", "SELECT nothing FROM campaigns")).rejects.toThrow(/"nothing" not found/);
  });
});

describe("turnwise compare", () => {
  test("shows what was set differently and the paired difference on common tasks", async () => {
    const { run } = await sampleHome();
    const text = await run(registerCompare, "compare", "first", "second");
    expect(text).toContain("their settings are the same");
    expect(text).toMatch(
      /promoted policy of second minus that of first\n.*p \(Holm\).*\nfirst +0\.0 pp +1 +1 .* 0 \/ 0\ndoing nothing passes 10\.0 %/,
    );
    const json = JSON.parse(await run(registerCompare, "compare", "first", "second", "--json"));
    expect(json).toMatchObject({
      a: { campaignId: "first" },
      b: { campaignId: "second" },
      settings: [],
      promoted: { comparison: { against: "first", numTasks: 1, pValue: 1 }, doNothingFloor: 0.1 },
    });
  });

  test("an unknown campaign is campaign.unknown", async () => {
    const { run } = await sampleHome();
    await expect(run(registerCompare, "compare", "first", "nobody")).rejects.toEqual(code("campaign.unknown"));
  });
});
