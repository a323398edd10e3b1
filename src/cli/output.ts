// How the command line speaks: tables that fit the terminal, one JSON form behind every table, numbers always written the same way.
import { stripVTControlCharacters } from "node:util";
import { plainLines } from "#core/text.ts";
import { style } from "./style.ts";

export { plainText } from "#core/text.ts";

export interface Column<Row> {
  readonly header: string;
  readonly align?: "left" | "right";
  /** The cell's text; colours are allowed, line breaks are not. */
  readonly value: (row: Row) => string;
}

export interface OutputOptions {
  readonly json?: boolean | undefined;
}

/** Prints data as JSON when asked to, else as the text that `human` makes of it. */
export function emit<Data>(data: Data, options: OutputOptions, human: (data: Data) => string): void {
  printLine(options.json === true ? JSON.stringify(data, null, 2) : human(data));
}

/** Writes a line, or several, to standard output. What files and models brought along does not steer the terminal. */
export function printLine(text: string): void {
  process.stdout.write(`${plainLines(text)}\n`);
}

/** Columns of the terminal; without one (a pipe, a file) lines are as long as they need to be. */
export function terminalWidth(): number {
  return process.stdout.isTTY ? (process.stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
}

const GAP = "  ";
const NARROWEST = 10;

/** A table without borders. Too wide for `width`, its widest text columns shrink; wider still, each row becomes a block of lines. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number = terminalWidth()): string {
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const wanted = columns.map((column, index) =>
    Math.max(visibleLength(column.header), ...cells.map((line) => visibleLength(line[index] ?? ""))),
  );
  const widths = fitWidths(wanted, columns, width);
  if (widths === null) return renderBlocks(columns, cells);
  const renderLine = (line: readonly string[]) =>
    line
      .map((cell, index) => pad(shorten(cell, widths[index] ?? 0), widths[index] ?? 0, columns[index]?.align ?? "left"))
      .join(GAP)
      .trimEnd();
  return [style.dim(renderLine(columns.map(({ header }) => header))), ...cells.map(renderLine)].join("\n");
}

/** Lines of `label  value`, the labels in one column. */
export function renderPairs(pairs: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(0, ...pairs.map(([label]) => visibleLength(label)));
  return pairs.map(([label, value]) => `${style.dim(pad(label, width, "left"))}${GAP}${value}`).join("\n");
}

function renderBlocks<Row>(columns: readonly Column<Row>[], cells: readonly (readonly string[])[]): string {
  return cells.map((line) => renderPairs(columns.map(({ header }, index) => [header, line[index] ?? ""] as const))).join("\n\n");
}

/** Takes the excess from the widest left-aligned columns, which hold text; null when that is not enough. */
function fitWidths<Row>(wanted: readonly number[], columns: readonly Column<Row>[], width: number): number[] | null {
  const widths = [...wanted];
  const total = () => widths.reduce((sum, value) => sum + value, 0) + GAP.length * (widths.length - 1);
  while (total() > width) {
    const shrinkable = widths.map((value, index) => (columns[index]?.align === "right" ? 0 : value));
    const widest = Math.max(...shrinkable);
    if (widest <= NARROWEST) return null;
    const index = shrinkable.indexOf(widest);
    widths[index] = Math.max(NARROWEST, widest - (total() - width));
  }
  return widths;
}

const graphemes = new Intl.Segmenter();

/** What a reader counts as characters, colours left out. */
function visibleCharacters(text: string): string[] {
  return Array.from(graphemes.segment(stripVTControlCharacters(text)), ({ segment }) => segment);
}

function visibleLength(text: string): number {
  return visibleCharacters(text).length;
}

function shorten(text: string, width: number): string {
  return visibleLength(text) <= width
    ? text
    : `${visibleCharacters(text)
        .slice(0, width - 1)
        .join("")}…`;
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const space = " ".repeat(Math.max(0, width - visibleLength(text)));
  return align === "right" ? space + text : text + space;
}

interface Interval {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

const ABSENT = "–";

/** A share as `52.5 %`. */
export function formatPercent(share: number | null | undefined): string {
  return share === null || share === undefined ? ABSENT : `${(share * 100).toFixed(1)} %`;
}

/** A share with its interval: `52.5 % [47.0, 58.1]`. */
export function formatInterval(estimate: Interval | null | undefined): string {
  if (estimate === null || estimate === undefined) return ABSENT;
  return formatPercent(estimate.value) + bounds(estimate, (value) => (value * 100).toFixed(1));
}

/** A difference of shares in percentage points: `+4.5 pp [-1.0, +9.8]`. */
export function formatDifference(estimate: Interval | null | undefined): string {
  if (estimate === null || estimate === undefined) return ABSENT;
  const points = (value: number) => signed(value * 100, 1);
  return `${points(estimate.value)} pp${bounds(estimate, points)}`;
}

/** A share in percentage points, without a sign: `4.5 pp`. */
export function formatPoints(share: number | null | undefined): string {
  return share === null || share === undefined ? ABSENT : `${(share * 100).toFixed(1)} pp`;
}

/** A p-value with two significant digits; below 0.001 only that it is. */
export function formatPValue(value: number | null | undefined): string {
  if (value === null || value === undefined) return ABSENT;
  return value < 0.001 ? "< 0.001" : String(Number(value.toPrecision(2)));
}

function bounds({ low, high }: Interval, format: (value: number) => string): string {
  return low === null || high === null ? "" : ` [${format(low)}, ${format(high)}]`;
}

function signed(value: number, numDigits: number): string {
  const text = value.toFixed(numDigits);
  if (Number(text) === 0) return text.replace("-", ""); // a rounded zero has no sign
  return value > 0 ? `+${text}` : text;
}

/** A number with at most `numDigits` significant digits and no trailing zeros; whole numbers in full. */
export function formatNumber(value: number | null | undefined, numDigits = 4): string {
  if (value === null || value === undefined) return ABSENT;
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(numDigits)));
}

/** US dollars as `12.30`, small amounts with two significant digits: `0.0041`. */
export function formatUsd(usd: number | null): string {
  if (usd === null) return ABSENT;
  return usd === 0 || usd >= 0.1 ? usd.toFixed(2) : String(Number(usd.toPrecision(2)));
}

/** Seconds as `850 ms`, `9.3 s`, `3 min 05 s` or `2 h 07 min`. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return ABSENT;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** An instant in the reader's own time zone: `2026-03-04 17:05`. */
export function formatTime(instant: string | null | undefined): string {
  if (instant === null || instant === undefined) return ABSENT;
  const time = new Date(instant);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** Bytes as `940 B`, `3.2 kB`, `1.5 MB` (powers of 1000). */
export function formatBytes(numBytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = numBytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
