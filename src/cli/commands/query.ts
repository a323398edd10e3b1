// turnwise query "SELECT …": SQL over the record, read only.
import { text } from "node:stream/consumers";
import type { Command } from "commander";
import { type PlainValue, type QueryResult, queryRecord } from "#application/campaign/query.ts";
import { formatNumber } from "#core/format.ts";
import { plainText } from "#core/text.ts";
import { type Column, type OutputOptions, printLine, renderTable } from "../output.ts";
import { style } from "../style.ts";

interface QueryOptions extends OutputOptions {
  readonly csv?: boolean;
}

export function registerQuery(program: Command): void {
  program
    .command("query")
    .allowUnknownOption() // a statement may begin with a comment: `-- …`
    .argument("[sql]", 'a SELECT; "-" reads it from standard input; without it the tables and their columns are listed')
    .option("--json", "an array of objects")
    .option("--csv", "RFC 4180, with a header line")
    .action(query);
}

async function query(sql: string | undefined, options: QueryOptions, command: Command): Promise<void> {
  if (sql !== undefined && /^-\S+$/.test(sql)) command.error(`error: unknown option '${sql}'`, { code: "commander.unknownOption" });
  printLine(render(await queryRecord(sql === "-" ? await text(process.stdin) : sql), options));
}

function render(result: QueryResult, options: QueryOptions): string {
  if (options.json === true) return JSON.stringify(toObjects(result), null, 2);
  if (options.csv === true) return toCsv(result);
  const count = style.dim(`${result.rows.length} ${result.rows.length === 1 ? "row" : "rows"}`);
  return `${renderTable(columnsOf(result), result.rows)}\n${count}`;
}

/** Rows as objects; of columns with the same name the later ones get a number. */
function toObjects({ columns, rows }: QueryResult): Record<string, PlainValue>[] {
  const names = uniqueNames(columns.map(({ name }) => name));
  return rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])));
}

function uniqueNames(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let n = 2; seen.has(unique); n += 1) unique = `${name}_${n}`;
    seen.add(unique);
    return unique;
  });
}

/** RFC 4180 with line feeds; null is an empty field, nested values are JSON. */
function toCsv({ columns, rows }: QueryResult): string {
  const quoted = (field: string) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  const field = (value: PlainValue) => quoted(value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
  return [columns.map(({ name }) => quoted(name)), ...rows.map((row) => row.map(field))].map((line) => line.join(",")).join("\n");
}

const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|U?INTEGER|DOUBLE|FLOAT|DECIMAL)/;

function columnsOf({ columns }: QueryResult): Column<readonly PlainValue[]>[] {
  return columns.map(({ name, type }, index) => ({
    header: name,
    align: NUMERIC.test(type) ? "right" : "left",
    value: (row) => cellOf(row[index] ?? null),
  }));
}

function cellOf(value: PlainValue): string {
  if (value === null) return "–";
  if (typeof value === "number") return formatNumber(value, 6);
  return plainText(typeof value === "object" ? JSON.stringify(value) : String(value));
}
