import { describe, expect, test } from "vitest";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { CalibrationConfig } from "#contracts/campaign-config.ts";
import { calibrate } from "#core/calibration/calibrate.ts";
import { plantedRollouts } from "#core/calibration/planted-rollouts.ts";
import { createRewardTable } from "#core/reward/reward-table.ts";
import { renderPage } from "#reports/calibration-page/render-page.ts";
import { inBrowser, NO_BROWSER } from "../../fixtures/browser.ts";

const AUTHOR = createRewardTable({ schemaVersion: 1, name: "author", scheme: "finer/1", values: { gold_write: 1 } });
const PAGE = renderPage(
  calibrate({
    rollouts: plantedRollouts({ numRollouts: 400, groupSize: 8, seed: "page", effect: 2, difficultySpread: 1.2 }),
    scheme: "finer/1",
    authorTable: AUTHOR,
    inForceTable: AUTHOR,
    config: CalibrationConfig.parse({ bootstrapResamples: 200 }),
    advantage: AdvantageConfig.parse({ type: "gtpo-hybrid/1" }),
    seed: "page",
    iteration: 0,
    bufferSha256: "0".repeat(64),
  }),
);

/** For every plot: its labels that stick out of it, and pairs of labels that lie over each other. */
const LAYOUT = `[...document.querySelectorAll("svg")].map((svg) => {
  const frame = svg.getBoundingClientRect();
  const labels = [...svg.querySelectorAll("text")].map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
  const out = labels.filter(({ box }) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
  const over = labels.flatMap((one, i) => labels.slice(i + 1).filter(({ box }) => Math.min(one.box.right, box.right) - Math.max(one.box.left, box.left) > 1 && Math.min(one.box.bottom, box.bottom) - Math.max(one.box.top, box.top) > 3));
  return { title: svg.querySelector("title")?.textContent, numLabels: labels.length, out: out.map(({ text }) => text), over: over.map(({ text }) => text) };
})`;

interface Plot {
  readonly title: string;
  readonly numLabels: number;
  readonly out: readonly string[];
  readonly over: readonly string[];
}

describe.skipIf(NO_BROWSER !== null)(`the calibration page in a browser${NO_BROWSER === null ? "" : ` (skipped: ${NO_BROWSER})`}`, () => {
  test("every plot has its labels inside it, and none over another", async () => {
    const plots = await inBrowser<Plot[]>(PAGE, LAYOUT);
    expect(plots).toHaveLength(5);
    for (const { title, numLabels, out, over } of plots) {
      expect(numLabels, title).toBeGreaterThan(4);
      expect({ title, out, over }).toEqual({ title, out: [], over: [] });
    }
  });

  test("the page needs nothing else: no script of its own, no address to fetch, no sideways scrolling", async () => {
    const found = await inBrowser<{ resources: number; scripts: number; overflow: number }>(
      PAGE,
      `({ resources: performance.getEntriesByType("resource").length, scripts: document.scripts.length, overflow: document.documentElement.scrollWidth - innerWidth })`,
    );
    expect(found).toMatchObject({ resources: 0, scripts: 1 });
    expect(found.overflow).toBeLessThanOrEqual(0);
  });
});
