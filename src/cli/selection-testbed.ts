// The testbed of promotion and test, as the command runs it: the sizes of campaign files, every rule, progress, tables.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import {
  type CampaignSize,
  type SelectionTestbedCell,
  type SelectionTestbedReport,
  SimulatedRule,
  SimulatedWorld,
} from "#contracts/selection-testbed-report.ts";
import { runSelectionTestbed } from "#core/evaluation/testbed/selection-testbed.ts";
import { wilsonInterval } from "#core/statistics/wilson.ts";
import { type Column, formatDifference, formatInterval, formatPoints, renderTable } from "./output.ts";
import { style } from "./style.ts";

export interface SelectionTestbedSettings {
  readonly numCampaigns: number;
  readonly tasksPerUser: number;
  /** In place of the files' own. */
  readonly margin: number | null;
  readonly seed: string;
}

const SHIPPED = join(REPOSITORY, "configs", "campaigns");
const CONFIDENCE = 0.95;

/** Twenty policies and a benchmark's twenty tasks: how far a result can be off that is measured where it was selected. */
const SMALL_BENCHMARK: CampaignSize = {
  name: "20 policies, 20 tasks",
  candidates: 20,
  selection: { tasks: 20, trials: 4 },
  test: { tasks: 20, trials: 4 },
  margin: 0.1,
};

/** Sizes of the files that have a test, or of all shipped ones and of a small benchmark. */
export async function campaignSizes(files: readonly string[]): Promise<CampaignSize[]> {
  const isShipped = files.length === 0;
  const paths = isShipped ? (await readdir(SHIPPED)).sort().map((name) => join(SHIPPED, name)) : files;
  const sizes = (await Promise.all(paths.map((path) => loadCampaignFile(path)))).flatMap((config) => sizeOf(config) ?? []);
  return isShipped ? [SMALL_BENCHMARK, ...sizes] : sizes;
}

/** Every rule where something is selected, in every world; one case where nothing is. */
export function runSelectionTestbeds(sizes: readonly CampaignSize[], settings: SelectionTestbedSettings): SelectionTestbedReport {
  const { numCampaigns, tasksPerUser, margin, seed } = settings;
  const cases = sizes.flatMap((size) =>
    SimulatedWorld.options.flatMap((world) =>
      rulesFor(size).map((rule) => ({ size: { ...size, margin: margin ?? size.margin }, world, rule })),
    ),
  );
  const cells = cases.map((one, index) => {
    showProgress(one, index, cases.length);
    return runSelectionTestbed({ ...one, numCampaigns, tasksPerUser, confidence: CONFIDENCE, seed });
  });
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  return { schemaVersion: 1, seed, confidence: CONFIDENCE, tasksPerUser, cells };
}

function rulesFor({ selection }: CampaignSize): readonly SimulatedRule[] {
  return selection === null ? ["none"] : SimulatedRule.options;
}

type Case = Pick<SelectionTestbedCell, "size" | "world" | "rule">;

function showProgress({ size, world, rule }: Case, index: number, numCases: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[Kcase ${index + 1} of ${numCases}: ${size.name}, ${world}, ${rule}`);
}

const TITLES: Readonly<Record<SimulatedWorld, string>> = {
  identical: "every policy is the base policy: an interval that excludes 0 is a false positive",
  reshuffled: "policies gain some tasks and lose others, none is better: an interval that excludes 0 is a false positive",
  planted: "four steps of training in five help, one hurts three times as much: an interval that excludes 0 is a true positive",
};

export function renderSelectionTestbed({ cells }: SelectionTestbedReport): string {
  const tables = SimulatedWorld.options.map((world) =>
    [
      style.bold(TITLES[world]),
      renderTable(
        columnsOf(world),
        cells.filter((cell) => cell.world === world),
      ),
      "",
    ].join("\n"),
  );
  const note = "95 % intervals; sizes are tasks x trials; the rule 0.1.0 reports the figure that selected, all others the test";
  return [...tables, style.bold("all sizes together"), renderSummary(cells), "", style.dim(note)].join("\n");
}

function columnsOf(world: SimulatedWorld): Column<SelectionTestbedCell>[] {
  const share = (pick: (cell: SelectionTestbedCell) => number) => (cell: SelectionTestbedCell) =>
    formatInterval(wilsonInterval(pick(cell), cell.numCampaigns, 0.95));
  const tasks = (measured: CampaignSize["test"] | null) => (measured === null ? "none" : `${measured.tasks} x ${measured.trials}`);
  const columns: Column<SelectionTestbedCell>[] = [
    { header: "campaign", value: ({ size }) => size.name },
    { header: "selection", align: "right", value: ({ size }) => tasks(size.selection) },
    { header: "test", align: "right", value: ({ size }) => tasks(size.test) },
    { header: "rule", value: ({ rule, size }) => (rule === "not-worse" ? `not-worse ${size.margin}` : rule) },
    { header: "reported - true", align: "right", value: ({ reportedBias }) => formatDifference(pointOf(reportedBias)) },
    { header: "±", align: "right", value: ({ reportedBiasError }) => formatPoints(1.96 * reportedBiasError) },
    { header: "selection - true", align: "right", value: ({ selectionBias }) => formatDifference(pointOf(selectionBias)) },
    { header: "excludes 0", align: "right", value: share(({ numExcludingZero }) => numExcludingZero) },
    { header: "holds the truth", align: "right", value: share(({ numCovering }) => numCovering) },
    { header: "promoted", align: "right", value: ({ meanPromotions, size }) => `${meanPromotions.toFixed(1)} of ${size.candidates}` },
  ];
  const planted: Column<SelectionTestbedCell>[] = [
    { header: "best chosen", align: "right", value: share(({ numWithTrueBest }) => numWithTrueBest) },
    { header: "true gain", align: "right", value: ({ meanGain }) => formatDifference(pointOf(meanGain)) },
  ];
  return world === "planted" ? [...columns, ...planted] : columns;
}

function pointOf(value: number | null) {
  return value === null ? null : { value, low: null, high: null };
}

interface RuleSummary {
  readonly rule: SimulatedRule;
  readonly cells: readonly SelectionTestbedCell[];
}

const SUMMARY: readonly Column<RuleSummary>[] = [
  { header: "rule", value: ({ rule }) => rule },
  { header: "largest bias of a case", align: "right", value: ({ cells }) => formatPoints(Math.max(...cells.map(biasOf))) },
  {
    header: "false positives",
    align: "right",
    value: ({ cells }) =>
      pooled(
        cells.filter(({ world }) => world !== "planted"),
        ({ numExcludingZero }) => numExcludingZero,
      ),
  },
  { header: "holds the truth", align: "right", value: ({ cells }) => pooled(cells, ({ numCovering }) => numCovering) },
];

const biasOf = ({ reportedBias }: SelectionTestbedCell) => Math.abs(reportedBias);

function pooled(cells: readonly SelectionTestbedCell[], pick: (cell: SelectionTestbedCell) => number): string {
  const sum = (of: (cell: SelectionTestbedCell) => number) => cells.reduce((total, cell) => total + of(cell), 0);
  return formatInterval(
    wilsonInterval(
      sum(pick),
      sum(({ numCampaigns }) => numCampaigns),
      0.95,
    ),
  );
}

/** All sizes together, by rule. */
function renderSummary(cells: readonly SelectionTestbedCell[]): string {
  const rows = SimulatedRule.options.map((rule) => ({ rule, cells: cells.filter((cell) => cell.rule === rule) }));
  return renderTable(
    SUMMARY,
    rows.filter((row) => row.cells.length > 0),
  );
}

/** Null for a campaign without a test, which reports nothing. One without selection is simulated with one as large as its test. */
function sizeOf({ name, selection, test, stop }: CampaignConfig): CampaignSize | null {
  if (test === null) return null;
  const measured = selection === null ? null : { tasks: selection.tasks, trials: selection.trials };
  return { name, candidates: stop.maxIterations, selection: measured, test, margin: selection?.margin ?? 0 };
}
