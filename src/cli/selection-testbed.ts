// The testbed of promotion and test as the command shows it: progress while it works, tables at the end.
import type { OnCase } from "#application/testbeds/selection.ts";
import {
  type CampaignSize,
  type SelectionTestbedCell,
  type SelectionTestbedReport,
  SimulatedRule,
  SimulatedWorld,
} from "#contracts/selection-testbed-report.ts";
import { formatDecimal, formatDifference, formatInterval, formatPoints } from "#core/format.ts";
import { wilsonInterval } from "#core/statistics/wilson.ts";
import { type Column, renderTable } from "./output.ts";
import { showProgress } from "./progress-line.ts";
import { style } from "./style.ts";

export const showSelectionProgress: OnCase = ({ size, world, rule }, index, numCases) =>
  showProgress(`case ${index + 1} of ${numCases}: ${size.name}, ${world}, ${rule}`);

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
    {
      header: "promoted",
      align: "right",
      value: ({ meanPromotions, size }) => `${formatDecimal(meanPromotions, 1)} of ${size.candidates}`,
    },
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
