// Reports and reward tables as release 0.1.0 wrote them, from the committed record.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import { CampaignManifest, StageManifest } from "#contracts/manifests.ts";
import { RewardTable } from "#contracts/reward-table.ts";
import { diffReports } from "#core/calibration/diff-reports.ts";
import { calibrationMetrics } from "#core/calibration/metrics.ts";
import { redesign } from "#core/calibration/redesign.ts";
import { authorSha256Of, carryTable, verifyRewardTable } from "#core/reward/reward-table.ts";
import { renderReport } from "#reports/calibration-markdown.ts";
import { renderPage } from "#reports/calibration-page/render-page.ts";

const RECORD = join(import.meta.dirname, "../../fixtures/records/0.1.0");
const readJson = (path: string): Record<string, unknown> => JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
const blob = (sha256: string) => readJson(join(RECORD, "blobs/sha256", sha256.slice(0, 2), sha256));

const CAMPAIGNS = readdirSync(join(RECORD, "campaigns"));
/** Only the refs are read here, so that this does not depend on how the manifests around them are brought on. */
const Refs = StageManifest.pick({ outputs: true });
const stageOf = (campaign: string, stage: string) => {
  const { outputs } = readJson(join(RECORD, "campaigns", campaign, "iterations/0001", `${stage}.json`));
  return Refs.parse({ outputs }).outputs;
};
const stored = CAMPAIGNS.flatMap((campaign) => {
  const stages = readdirSync(join(RECORD, "campaigns", campaign, "iterations/0001"));
  if (!stages.includes("calibration.json")) return [];
  const { priorTable } = readJson(join(RECORD, "campaigns", campaign, "campaign.json"));
  const author = blob(CampaignManifest.shape.priorTable.parse(priorTable).sha256);
  const report = blob(stageOf(campaign, "calibration")["report"]?.sha256 ?? "");
  return [{ campaign, author, report }];
});

describe("the record of 0.1.0", () => {
  test("has reports to look at, of version 1", () => {
    expect(stored.length).toBeGreaterThan(1);
    expect(stored.map(({ report }) => report["schemaVersion"])).toEqual(stored.map(() => 1));
  });

  test.each(stored)("$campaign: the prior of its report was the author's table and the one in force", ({ author, report }) => {
    const read = CalibrationReport.parse(report);
    const table = RewardTable.parse(author);
    expect([read.authorTable, read.inForceTable]).toEqual([table, table]);
    expect([...new Set(read.assessments.map(({ roles }) => roles.join()))]).toEqual(["author,in-force", "fitted"]);
    expect(read.gate.rows.at(-1)?.criterion).toBe("not-worse-than-author");
    expect([read.rule, read.config.rule, read.scale]).toEqual(["within-task/1", "within-task/1", null]);
    expect(read.kept).toEqual(report["keptPrior"]);
  });

  test.each(stored)(
    "$campaign: tables keep the hash that they were written under, and it still says when they were changed",
    ({ report }) => {
      const { inForceTable, fittedTable } = CalibrationReport.parse(report);
      for (const table of [inForceTable, fittedTable]) {
        expect(verifyRewardTable(table)).toBe(table);
        expect(table.lineage.authorSha256).toBeNull();
        expect(() => verifyRewardTable({ ...table, values: { ...table.values, gold_write: 0.123 } })).toThrow(/sha256/);
        expect(() => verifyRewardTable({ ...table, lineage: { ...table.lineage, authorSha256: "a".repeat(64) } })).toThrow(/sha256/);
      }
    },
  );

  test.each(stored)("$campaign: the report is read, compared, counted and decided on like any other", ({ report }) => {
    const read = CalibrationReport.parse(report);
    expect(CalibrationReport.parse(JSON.parse(JSON.stringify(read)))).toEqual(read);
    for (const text of [renderReport(read), renderPage(read)]) expect(text).not.toMatch(/NaN|undefined|Infinity/);
    const metrics = calibrationMetrics(read);
    for (const table of ["author", "in_force", "fitted"]) expect(metrics).toHaveProperty([`calibration/${table}/dead_turns`]);
    expect(diffReports(read, read).before.inForceSha256).toBe(read.inForceTable.sha256);
    expect(redesign(read, read.inForceTable).decision).toBe(read.gate.decision);
  });

  test("after an adoption the author's table is not in a report: it says so, and guesses nothing", () => {
    const report = stored[0]?.report ?? {};
    const later = CalibrationReport.parse({ ...report, priorTable: report["fittedTable"] });
    expect(later.authorTable).toBeNull();
    expect(later.inForceTable).toEqual(later.fittedTable);
    expect(later.gate.rows.at(-1)?.criterion).toBe("not-worse-than-in-force");
    expect(later.assessments.some(({ roles }) => roles.includes("author"))).toBe(false);
    expect(renderReport(later)).toContain("The author's table is not in reports of this version.");
    expect(Object.keys(calibrationMetrics(later)).some((name) => name.startsWith("calibration/author/"))).toBe(false);
  });

  test("what is no report of any version is refused", () => {
    const report = stored[0]?.report ?? {};
    expect(CalibrationReport.safeParse({ ...report, assessments: "none" }).success).toBe(false);
    expect(CalibrationReport.safeParse({ ...report, schemaVersion: 3 }).success).toBe(false);
    expect(RewardTable.safeParse({ schemaVersion: 1, lineage: {} }).success).toBe(false);
  });
});

describe("a table over the tiers of another scheme", () => {
  const author = RewardTable.parse(stored[0]?.author);
  const split = (tier: string) => ({ tier, from: "read", when: { tool: [tier] } });
  const once = { name: "proposed", base: "finer/1" as const, splits: [split("one")] };
  const twice = { ...once, splits: [split("one"), split("two")] };

  test("is carried over to what splits it further, once or twice, with what the author says of the tier that was split", () => {
    const carried = carryTable(author, twice);
    expect(carried).toEqual(carryTable(carryTable(author, twice), twice));
    expect(carried.values).toMatchObject({ ...author.values, one: 0, two: 0 });
    expect(carryTable(carryTable(author, once), twice).values).toEqual(carried.values);
    expect(carryTable(carryTable(author, once), twice).lineage.authorSha256).toBe(author.sha256);
    expect(carryTable(author, "finer/1")).toBe(author);
  });

  test("names the author's table that it comes from, where that is known", () => {
    const { fittedTable } = CalibrationReport.parse(stored[0]?.report);
    expect([authorSha256Of(author), authorSha256Of(carryTable(author, twice))]).toEqual([author.sha256, author.sha256]);
    expect([authorSha256Of(fittedTable), authorSha256Of(carryTable(fittedTable, twice))]).toEqual([null, null]);
  });

  test("is refused where the scheme is not made from its own", () => {
    expect(() => carryTable(author, "paper/1")).toThrow(/does not split further/);
    expect(() => carryTable(author, { ...once, base: "paper/1" })).toThrow(/does not split further/);
    expect(() => carryTable(carryTable(author, twice), once)).toThrow(/does not split further/);
    expect(() => carryTable(carryTable(author, once), { ...twice, splits: [split("two"), split("one")] })).toThrow(
      /does not split further/,
    );
  });
});
