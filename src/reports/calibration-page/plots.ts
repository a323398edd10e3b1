// The plots of a calibration report. Two series at most, told apart by shape and by colour.
import type { CalibrationReport, Finding, TableAssessment, TableProfile, TableRole } from "#contracts/calibration-report.ts";
import { inRole } from "#core/calibration/table-roles.ts";
import { formatDecimal, formatNumber } from "#core/format.ts";
import { element, line, linearScale, type Scale, svg, text } from "./svg.ts";

const WIDTH = 720;
const LABELS = 130;
const ROW = 34;
/** Half of the widest tick label has to fit beside the plot. */
const RIGHT = 28;
const TOP = 14;
const BOTTOM = 30;
const PLOT_HEIGHT = 180;

type Series = "first" | "second";
interface IntervalRow {
  readonly label: string;
  readonly first: Finding;
  readonly second: Finding;
}

/** Correlation of each tier's presence with the outcome: over all rollouts (hollow) and within a task (filled). */
export function plotTierEffects(report: CalibrationReport): string {
  const tiers = report.splits.find(({ split }) => split === "all")?.tiers ?? [];
  const rows = tiers
    .filter(({ numTurns }) => numTurns > 0)
    .map(({ tier, pooled, withinTask }) => ({ label: tier, first: withinTask, second: pooled }));
  return plotIntervals("correlation of a tier with the outcome", rows);
}

/** Mean advantage in training of each tier, under the fitted table (filled) and the one in force (hollow). */
export function plotAdvantages(report: CalibrationReport): string {
  const [fitted, inForce] = [assessmentOf(report, "fitted"), assessmentOf(report, "in-force")];
  const rows = (fitted?.tiers ?? [])
    .filter(({ numTurns }) => numTurns > 0)
    .map(({ tier, estimator }) => ({
      label: tier,
      first: estimator,
      second: inForce?.tiers.find((one) => one.tier === tier)?.estimator ?? UNDEFINED,
    }));
  return plotIntervals("mean advantage of a tier's turns in training", rows);
}

const UNDEFINED: Finding = { value: null, low: null, high: null };

function plotIntervals(title: string, rows: readonly IntervalRow[]): string {
  const ends = rows
    .flatMap(({ first, second }) => [first, second].flatMap(({ value, low, high }) => [value, low, high]))
    .filter((x) => x !== null);
  const x = linearScale(Math.min(-0.1, ...ends), Math.max(0.1, ...ends), LABELS, WIDTH - RIGHT);
  const height = TOP + rows.length * ROW + BOTTOM;
  const marks = rows.flatMap(({ label, first, second }, index) => {
    const y = TOP + index * ROW + ROW / 2;
    return [
      text(LABELS - 10, y + 4, label, { "text-anchor": "end" }),
      interval(x, y - 5, first, "first"),
      interval(x, y + 7, second, "second"),
    ];
  });
  return svg(WIDTH, height, title, ...xAxis(x, TOP, height - BOTTOM), line(x(0), TOP, x(0), height - BOTTOM, "zero"), ...marks);
}

function interval(x: Scale, y: number, { value, low, high }: Finding, series: Series): string {
  if (value === null) return text(x(0) + 6, y + 4, "not defined", { class: "faint" });
  const whisker = low === null || high === null ? "" : line(x(low), y, x(high), y, `whisker ${series}`);
  return whisker + element("circle", { cx: x(value), cy: y, r: 4, class: `point ${series}` });
}

/** Share of |advantage| x tokens by tier, under the fitted table and the one in force. */
export function plotGradientShares(report: CalibrationReport): string {
  const [fitted, inForce] = [assessmentOf(report, "fitted"), assessmentOf(report, "in-force")];
  const rows = (fitted?.tiers ?? []).filter(({ numTurns }) => numTurns > 0);
  const height = TOP + rows.length * ROW + BOTTOM;
  const x = linearScale(0, 1, LABELS, WIDTH - RIGHT);
  const bar = (share: number, y: number, series: Series) =>
    element("rect", { x: x(0), y, width: Math.max(0, x(share) - x(0)), height: 11, class: `bar ${series}` });
  const marks = rows.flatMap(({ tier, gradientShare }, index) => {
    const y = TOP + index * ROW + 5;
    const before = inForce?.tiers.find((one) => one.tier === tier)?.gradientShare ?? 0;
    return [text(LABELS - 10, y + 15, tier, { "text-anchor": "end" }), bar(gradientShare ?? 0, y, "first"), bar(before, y + 12, "second")];
  });
  return svg(WIDTH, height, "share of the gradient by tier", ...xAxis(x, TOP, height - BOTTOM, percentLabel), ...marks);
}

/** Share of turns without an advantage, by turn index. */
export function plotDeadTurns(report: CalibrationReport): string {
  const profiles = (["fitted", "in-force"] as const).map((role) => inRole(report.profiles, role)?.deadTurnsByIndex ?? []);
  const numTurns = Math.max(1, ...profiles.map((points) => points.length));
  const x = linearScale(0, numTurns - 1, LABELS, WIDTH - RIGHT, 10);
  const y = linearScale(0, 1, TOP + PLOT_HEIGHT, TOP);
  const curve = (points: TableProfile["deadTurnsByIndex"], series: Series) =>
    element("polyline", {
      class: `curve ${series}`,
      points: points.map(({ turn, numTurns: n, numDead }) => `${formatDecimal(x(turn), 1)},${formatDecimal(y(numDead / n), 1)}`).join(" "),
    });
  return svg(
    WIDTH,
    TOP + PLOT_HEIGHT + BOTTOM,
    "share of turns without an advantage, by turn index",
    ...xAxis(x, TOP, TOP + PLOT_HEIGHT),
    ...yAxis(y, percentLabel),
    curve(profiles[0] ?? [], "first"),
    curve(profiles[1] ?? [], "second"),
  );
}

/** Rollouts by mean turn reward: passing ones upwards, failing ones downwards. */
export function plotRewardByOutcome({ meanRewards }: TableProfile): string {
  const { low, high, passing, failing } = meanRewards;
  const x = linearScale(low, high, LABELS, WIDTH - RIGHT);
  const most = Math.max(1, ...passing, ...failing);
  const middle = TOP + PLOT_HEIGHT / 2;
  const y = linearScale(0, most, middle, TOP);
  const width = (x(high) - x(low)) / passing.length;
  const bar = (count: number, bin: number, isPassing: boolean) => {
    const size = middle - y(count);
    return element("rect", {
      x: x(low) + bin * width + 1,
      y: isPassing ? middle - size : middle,
      width: Math.max(1, width - 2),
      height: size,
      class: `bar ${isPassing ? "first" : "second"}`,
    });
  };
  return svg(
    WIDTH,
    TOP + PLOT_HEIGHT + BOTTOM,
    "rollouts by mean turn reward and outcome",
    ...xAxis(x, TOP, TOP + PLOT_HEIGHT),
    ...passing.map((count, bin) => bar(count, bin, true)),
    ...failing.map((count, bin) => bar(count, bin, false)),
    line(LABELS, middle, WIDTH - RIGHT, middle, "zero"),
    text(LABELS - 10, TOP + 12, "pass", { "text-anchor": "end" }),
    text(LABELS - 10, TOP + PLOT_HEIGHT, "fail", { "text-anchor": "end" }),
  );
}

function xAxis(x: Scale, top: number, bottom: number, label: (tick: number) => string = formatNumber): string[] {
  return x.ticks.flatMap((tick) => [
    line(x(tick), top, x(tick), bottom, "grid"),
    text(x(tick), bottom + 16, label(tick), { "text-anchor": "middle", class: "tick" }),
  ]);
}

function yAxis(y: Scale, label: (tick: number) => string): string[] {
  return y.ticks.flatMap((tick) => [
    line(LABELS, y(tick), WIDTH - RIGHT, y(tick), "grid"),
    text(LABELS - 10, y(tick) + 4, label(tick), { "text-anchor": "end", class: "tick" }),
  ]);
}

function percentLabel(share: number): string {
  return `${formatNumber(share * 100)} %`;
}

/** The judging tasks, unless there are none. */
function assessmentOf({ assessments }: CalibrationReport, role: TableRole): TableAssessment | undefined {
  const own = assessments.filter(({ roles }) => roles.includes(role));
  const judge = own.find(({ split }) => split === "judge");
  return judge?.tiers.some(({ numTurns }) => numTurns > 0) ? judge : own.find(({ split }) => split === "all");
}
