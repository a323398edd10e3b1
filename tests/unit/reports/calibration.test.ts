import { describe, expect, test } from "vitest";
import { ReportDiff } from "#contracts/report-diff.ts";
import { calibrate } from "#core/calibration/calibrate.ts";
import { diffReports } from "#core/calibration/diff-reports.ts";
import { PLANTED, plantedRollouts } from "#core/calibration/planted-rollouts.ts";
import { createRewardTable } from "#core/reward/reward-table.ts";
import { renderReport } from "#reports/calibration-markdown.ts";
import { renderPage } from "#reports/calibration-page/render-page.ts";
import { linearScale } from "#reports/calibration-page/svg.ts";
import { CONFIG, HYBRID } from "../core/calibration/example-3.ts";

const PRIOR = createRewardTable({ schemaVersion: 1, name: "<prior & co>", scheme: "finer/1", values: { [PLANTED.useful]: 1 } });
const reportOf = (effect: number, numRollouts = 800) =>
  calibrate({
    rollouts: plantedRollouts({ numRollouts, groupSize: 8, seed: "render", effect, difficultySpread: 1.2 }),
    scheme: "finer/1",
    authorTable: PRIOR,
    inForceTable: PRIOR,
    config: CONFIG,
    advantage: HYBRID,
    seed: "render",
    iteration: 1,
    bufferSha256: "a".repeat(64),
  });
const REPORT = reportOf(2);

describe("the page of a report", () => {
  const page = renderPage(REPORT);

  test("is one file: no script, no address, no file beside it", () => {
    expect(page).not.toMatch(/<script|https?:|src=|href=|@import|url\(/);
    expect(page.match(/<svg /g)).toHaveLength(5);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  test("escapes names", () => {
    expect(page).toContain("&lt;prior &amp; co&gt;");
    expect(page).not.toContain("<prior");
  });

  test("shows every tier that occurs, and the gate's verdicts", () => {
    for (const tier of Object.values(PLANTED)) expect(page).toContain(`>${tier}</text>`);
    expect(page.match(/<span class="(accept|reject|insufficient)">/g)).toHaveLength(REPORT.gate.rows.length);
  });

  test("can be made from a report with almost nothing in it", () => {
    expect(renderPage(reportOf(0, 8))).not.toMatch(/NaN|Infinity/);
  });
});

describe("the Markdown of a report", () => {
  test("has a line per criterion and per tier that occurs", () => {
    const markdown = renderReport(REPORT);
    expect(markdown.match(/^\| .* \| (accept|reject|insufficient) \|$/gm)).toHaveLength(REPORT.gate.rows.length);
    for (const tier of Object.values(PLANTED)) expect(markdown).toContain(`| ${tier} |`);
  });
});

describe("the difference of two reports", () => {
  test("of a report to itself is no change", () => {
    const diff = ReportDiff.parse(diffReports(REPORT, REPORT));
    expect(diff.tiers.every(({ fittedValue, isDistinct }) => fittedValue.before === fittedValue.after && !isDistinct)).toBe(true);
    expect(diff.decision).toEqual({ before: REPORT.gate.decision, after: REPORT.gate.decision });
  });

  test("names tiers whose effect is another one", () => {
    const diff = diffReports(reportOf(0), REPORT);
    expect(diff.tiers.filter(({ isDistinct }) => isDistinct).map(({ tier }) => tier)).toEqual([PLANTED.useful, PLANTED.harmful]);
  });
});

describe("a linear scale", () => {
  test("maps ends to ends and has round ticks inside", () => {
    const scale = linearScale(-0.37, 1.12, 100, 200);
    expect([scale(-0.37), scale(1.12)]).toEqual([100, 200]);
    expect(scale.ticks.map((tick) => Number(tick.toFixed(6)))).toEqual([0, 0.5, 1]);
  });

  test("an empty range is widened", () => {
    expect(linearScale(2, 2, 0, 10)(2)).toBe(5);
  });
});
