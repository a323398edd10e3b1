// How the command line speaks: tables that fit the terminal, one JSON form behind every table, numbers always written the same way.
// Tables are ours because no library fits them to the terminal: docs/decisions/2026-11-30-plots-tables-and-locks-of-our-own.md.
import { stripVTControlCharacters } from "node:util";
import { plainLines } from "#core/text.ts";
import { style } from "./style.ts";

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
  if (options.json === true) printJson(data);
  else printLine(human(data));
}

/** Writes a line, or several, to standard output. What files and models brought along does not steer the terminal. */
export function printLine(text: string): void {
  process.stdout.write(`${plainLines(text)}\n`);
}

/** Prints data as JSON whatever the options say. */
export function printJson(data: unknown): void {
  printLine(JSON.stringify(data, null, 2));
}

/** Columns of the terminal; without one (a pipe, a file) lines are as long as they need to be. */
function terminalWidth(): number {
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
