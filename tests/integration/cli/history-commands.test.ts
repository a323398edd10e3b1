import { chmodSync, cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import type { CampaignSummary } from "#application/campaign/summary.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import { NO_TEST_IN_0_1_0 } from "#contracts/upcast/manifests.ts";
import { registerCompare } from "../../../src/cli/commands/compare.ts";
import { describeGates, registerHistory } from "../../../src/cli/commands/history.ts";
import { registerQuery } from "../../../src/cli/commands/query.ts";
import { runCommand } from "../../fixtures/run-command.ts";
import { writeSampleCampaign, writeSampleFork } from "../../fixtures/sample-record.ts";
import { longTemporaryFolder, temporaryFolder } from "../../fixtures/temporary-folder.ts";

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
      "campaign | state | iterations | doing nothing | base, test | final, test | paired difference | p | USD | gate | created | wall time",
    );
    expect(first).toMatch(
      /^first \| completed \| 2 \| 10\.0 % \| 40\.0 % \[30\.0, 50\.0\] \| 50\.0 % \[40\.0, 60\.0\] \| \+10\.0 pp \[0\.0, \+20\.0\] \| 0\.25 \| 0\.16 \|/,
    );
    expect(second).toMatch(/^second \| open \| 1 \| – \| – \| – \| – \| – \| 0\.08 \|/);
  });

  test("a campaign without a result says why, and shows no selection figure in its place", async () => {
    const { run } = await sampleHome();
    const text = await run(registerHistory, "history");
    expect(text).toContain("no result of second: the test is opened once, when the campaign ends");
    expect(text).not.toContain("60.0 % [50.0");
  });

  test("--json holds the same campaigns", async () => {
    const { run } = await sampleHome();
    expect(JSON.parse(await run(registerHistory, "history", "--json"))).toMatchObject([
      {
        campaignId: "first",
        state: "completed",
        test: { base: [{ k: 1, estimate: { value: 0.4 } }, {}], final: [{ estimate: { value: 0.5 } }, {}], flaggedUserStops: 3 },
        noTestReason: null,
        selectionFinal: { value: 0.7 },
        meters: { policy: { calls: 96 }, user: { usd: 0.16 } },
        actual: { policyCalls: 96, userCalls: 16, usd: 0.16 },
        budget: { maxUsd: 300 },
      },
      {
        campaignId: "second",
        state: "open",
        test: null,
        noTestReason: expect.stringContaining("opened once"),
        selectionFinal: { value: 0.6 },
      },
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
    expect(text).toMatch(/^iteration .*selection pass rate +against base +against best/m);
    expect(text).toMatch(/^ +base .*50\.0 %/m);
    expect(text).toMatch(/^ +2 .*70\.0 %.*promote/m);
    await expect(run(registerHistory, "history", "nobody")).rejects.toEqual(code("campaign.unknown"));
  });

  test("the result is the test, with all that a comparison has, and what it does not show", async () => {
    const { run } = await sampleHome();
    const text = await run(registerHistory, "history", "first");
    const result = text.slice(text.indexOf("result: the test"));
    expect(result).toMatch(/^result: the test, opened once when the campaign ended, on 4 tasks of 3 users x 2 trials\n/);
    expect(result).toMatch(/^base policy +policy-a{12} +40\.0 % \[30\.0, 50\.0\], pass\^2 /m);
    expect(result).toMatch(/^final policy +policy-2{12} +50\.0 % \[40\.0, 60\.0\], .*\(trained in iteration 2\)$/m);
    expect(result).toMatch(/^flagged stops +3 of 16 users left/m);
    expect(result).toMatch(/^base +\+10\.0 pp \[0\.0, \+20\.0\] +0\.25 +0\.5 +30\.0 pp +4 +3 +2 \/ 1\ndoing nothing passes 10\.0 %/m);
    expect(result).toMatch(/Selection figures chose the policies, so they flatter what they chose.*one seed.*simulated/);
    expect(result).not.toContain("70.0 %");
  });

  test("a base policy that stays final is tested once, and nothing is compared", async () => {
    const { home, run } = await sampleHome();
    await writeSampleCampaign(new CampaignRecord(new LocalArtifactStore(join(home, "record"))), { id: "base", numIterations: 0 });
    const text = await run(registerHistory, "history", "base");
    expect(text).toMatch(/^final policy +policy-a{12} +40\.0 % .*\(the base policy\)$/m);
    expect(text).toMatch(/^flagged stops +1 of 8 users/m);
    expect(text).toContain("the base policy is the final one; doing nothing passes 10.0 %");
    expect(text).not.toContain("p (Holm)");
  });

  test("an estimate stands beside what was taken", async () => {
    const home = temporaryFolder();
    const record = new CampaignRecord(new LocalArtifactStore(join(home, "record")));
    const estimate = { rollouts: 40, policyCalls: 500, userCalls: 20, usd: 0.25, basis: "16 rollouts of this record" };
    await writeSampleCampaign(record, { id: "estimated", estimate });
    const text = await runCommand(registerHistory, ["history", "estimated"], { TURNWISE_HOME: home });
    expect(text).toMatch(/planned.* +40 rollouts, 500 policy calls, 20 user calls, 0\.25 USD, from 16 rollouts of this record/);
    expect(text).toMatch(/taken.* +10 rollouts, 96 policy calls, 16 user calls, 0\.16 USD/);
  });

  test("what it cost by party, what was allowed and who steered it stand on the page", async () => {
    const { run } = await sampleHome();
    const text = await run(registerHistory, "history", "first");
    expect(text).toMatch(/^policy +96 +400 +32 +0\.00 +8\.0 s$/m);
    expect(text).toMatch(/^user +16 +0 +0 +0\.16 +0 ms$/m);
    expect(text).toMatch(/^all +112 +400 +32 +0\.16 +8\.0 s$/m);
    expect(text).toMatch(/^budget +0\.16 of 300\.00 USD$/m);
    expect(text).toMatch(/ 1 +pause +guard guard\.budget +10\.00 USD reached the budget of 10$/m);
    expect(text).toMatch(/ 1 +budget maxUsd 300 +ana +worth it$/m);
  });

  test("where nothing is selected there is no selection column", async () => {
    const home = temporaryFolder();
    const record = new CampaignRecord(new LocalArtifactStore(join(home, "record")));
    await writeSampleCampaign(record, { id: "unselected", hasSelection: false });
    const text = await runCommand(registerHistory, ["history", "unselected"], { TURNWISE_HOME: home });
    expect(text.slice(0, text.indexOf("result"))).not.toMatch(/selection|against/);
    expect(text).toContain("Nothing was selected");
    expect(text).toContain("final policy minus base policy");
  });

  test("a fork has its parent's iterations, and pays for its own", async () => {
    const { home, run } = await sampleHome();
    await writeSampleFork(new CampaignRecord(new LocalArtifactStore(join(home, "record"))), "first", "fork", 1);
    const text = await run(registerHistory, "history", "fork");
    expect(text).toMatch(/^forked from +first after iteration 1$/m);
    expect(text).toMatch(/^ +1 .* parent$/m);
    expect(text).toMatch(/^ +2 .* own$/m);
    expect(text).toMatch(/^all +28 /m);
    expect(text).toMatch(/^inherited +56 /m);
    expect(text).toMatch(/^budget +0\.04 of 10\.00 USD$/m);
  });

  test("an empty record says how to start", async () => {
    expect(await runCommand(registerHistory, ["history"], { TURNWISE_HOME: temporaryFolder() })).toContain("turnwise campaign start");
  });
});

describe("turnwise query", () => {
  const SQL = "SELECT campaign_id, iteration, selection_pass_rate AS rate FROM iterations WHERE campaign_id = 'first' ORDER BY iteration";

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
    for (const table of ["campaigns", "iterations", "groups", "trajectories", "turns", "rewards", "evaluations", "steering", "meters"])
      expect(text).toMatch(new RegExp(`^${table} +\\w+, `, "m"));
  });

  test.each([["-- a comment\n"], ["--a comment = 1\n-- another\n"], ["/* a comment */ "], ["-- a comment --json\n"]])(
    "a statement may begin with %j; options stay options, before and after it",
    async (comment) => {
      const { run } = await sampleHome();
      const rows = await run(registerQuery, "query", SQL, "--json");
      expect(await run(registerQuery, "query", comment + SQL, "--json")).toBe(rows);
      expect(await run(registerQuery, "query", "--json", comment + SQL)).toBe(rows);
    },
  );

  test.each([[["--jsno"]], [["--jsno", SQL]], [[SQL, "--jsno"]], [["-x"]]])("%j is refused as an option", async (args) => {
    const { run } = await sampleHome();
    await expect(run(registerQuery, "query", ...args)).rejects.toMatchObject({ name: "CommanderError" });
  });

  test("a wrong query fails with DuckDB's own message", async () => {
    const { run } = await sampleHome();
    await expect(run(registerQuery, "query", "SELECT nothing FROM campaigns")).rejects.toThrow(/"nothing" not found/);
  });
});

test("the gate's column says which accepted tables a person rejected", () => {
  const iteration = (gate: string | null, isTableRefused = false) => ({ gate, isTableRefused }) as CampaignSummary["iterations"][number];
  const iterations = [iteration(null), iteration("accept"), iteration("accept", true), iteration("reject"), iteration("accept")];
  expect(describeGates(iterations)).toBe("2 accept, 1 accepted, but rejected by a person, 1 reject");
});

describe("turnwise compare", () => {
  test("shows what was set differently and the paired difference on common test tasks", async () => {
    const { home, run } = await sampleHome();
    await writeSampleCampaign(new CampaignRecord(new LocalArtifactStore(join(home, "record"))), { id: "third", numIterations: 1 });
    const text = await run(registerCompare, "compare", "first", "third");
    expect(text).toContain("their settings are the same");
    expect(text).toMatch(/^ {2}final policy +50\.0 % \[40\.0, 60\.0\] +45\.0 % \[35\.0, 55\.0\]$/m);
    expect(text).toMatch(
      /final policy of third minus that of first \(test figures\)\n.*p \(Holm\).*\nfirst +0\.0 pp +1 +1 .* 0 \/ 0\ndoing nothing passes 10\.0 %/,
    );
    const json = JSON.parse(await run(registerCompare, "compare", "first", "third", "--json"));
    expect(json).toMatchObject({
      a: { campaignId: "first" },
      b: { campaignId: "third" },
      settings: [],
      final: { purpose: "test", comparison: { against: "first", numTasks: 1, pValue: 1 }, doNothingFloor: 0.1 },
    });
  });

  test("the budget is the one in force, after the last word on it", async () => {
    const { home, run } = await sampleHome();
    const record = new CampaignRecord(new LocalArtifactStore(join(home, "record")));
    const budgets = async () => JSON.parse(await run(registerCompare, "compare", "first", "second", "--json")).settings;
    expect(await budgets()).toEqual([]);
    const [, said] = await record.readSteering("second");
    await record.putSteeringWord({ ...said, number: 3, budget: { maxUsd: 20 } } as SteeringWord);
    expect(await budgets()).toEqual([{ path: "budget.maxUsd", a: 300, b: 20 }]);
  });

  test("a campaign without a test is not compared, and selection figures stand under their name", async () => {
    const { run } = await sampleHome();
    const text = await run(registerCompare, "compare", "first", "second");
    expect(text).toContain("their final policies cannot be compared: second has no test");
    expect(text).toMatch(/selection, which chose .*\n {2}base policy +50\.0 %.*50\.0 %.*\n {2}final policy +70\.0 %.*60\.0 %/);
  });

  test("an unknown campaign is campaign.unknown", async () => {
    const { run } = await sampleHome();
    await expect(run(registerCompare, "compare", "first", "nobody")).rejects.toEqual(code("campaign.unknown"));
  });
});

describe("a record of 0.1.0", () => {
  const home = longTemporaryFolder();
  cpSync(join(REPOSITORY, "tests/fixtures/records/0.1.0"), join(home, "record"), { recursive: true });
  const run = async (register: Parameters<typeof runCommand>[0], ...args: string[]) =>
    stripVTControlCharacters(await runCommand(register, args, { TURNWISE_HOME: home }));

  test("has no result, and is told why", async () => {
    const text = await run(registerHistory, "history");
    expect(text).toContain(`no result of approved-3, approved-5, stopped, interrupted: ${NO_TEST_IN_0_1_0}`);
    expect(lines(text)[1]).toMatch(/^approved-3 \| completed \| 1 \| – \| – \| – \| – \| – \| – \| 1 accept/);
  });

  test("its figures stand under selection", async () => {
    const text = await run(registerHistory, "history", "approved-3");
    expect(text).toMatch(/selection pass rate +against base +against last promoted/);
    expect(text).toMatch(/^no result: release 0\.1\.0 had no test.*\nIts figures are selection figures, which chose the policies/m);
  });

  test("a campaign of it beside itself is compared by what chose its policy, with these words", async () => {
    const text = await run(registerCompare, "compare", "approved-3", "approved-3");
    expect(text).toMatch(/final policy of approved-3 minus that of approved-3 \(selection figures, which chose the policies: /);
    expect(await run(registerCompare, "compare", "approved-3", "approved-5")).toContain("measured on no task in common");
  });

  test("SQL has its groups and metrics under selection", async () => {
    const rows = async (sql: string) => JSON.parse(await run(registerQuery, "query", sql, "--json"));
    expect(await rows("SELECT DISTINCT purpose FROM groups ORDER BY 1")).toEqual([{ purpose: "selection" }, { purpose: "train" }]);
    expect(await rows("SELECT count(*) AS n FROM metrics WHERE name LIKE 'evaluation/%'")).toEqual([{ n: 0 }]);
    expect(await rows("SELECT test_pass_rate, selection_pass_rate FROM campaigns WHERE campaign_id = 'approved-5'")).toEqual([
      { test_pass_rate: null, selection_pass_rate: 0.5625 },
    ]);
  });
});
