// Rows of plain cells into a DuckDB table, by one list of columns: name, type, and the cell of a row.
import type { DuckDBAppender, DuckDBConnection } from "@duckdb/node-api";

export type Cell = string | number | boolean | null;
/** JSON and TIMESTAMP cells are given as text; timestamps in ISO 8601, UTC. */
type ColumnType = "VARCHAR" | "INTEGER" | "BIGINT" | "DOUBLE" | "BOOLEAN" | "TIMESTAMP" | "JSON";
export type TableColumn<Row> = readonly [name: string, type: ColumnType, cell: (row: Row) => Cell];

/** Makes the table and fills it, rows in the order given. `name` may have a schema: `files.rows`. */
export async function createTable<Row>(
  connection: DuckDBConnection,
  name: string,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
): Promise<void> {
  await connection.run(`CREATE TABLE ${name} (${columns.map(([column, type]) => `${column} ${type}`).join(", ")})`);
  const [table = name, schema] = name.split(".").reverse();
  const appender = await connection.createAppender(table, schema ?? null);
  for (const row of rows) {
    for (const [, type, cell] of columns) appendCell(appender, type, cell(row));
    appender.endRow();
  }
  appender.closeSync();
}

function appendCell(appender: DuckDBAppender, type: ColumnType, cell: Cell): void {
  if (cell === null) appender.appendNull();
  else if (type === "INTEGER") appender.appendInteger(Number(cell));
  else if (type === "BIGINT") appender.appendBigInt(BigInt(cell));
  else if (type === "DOUBLE") appender.appendDouble(Number(cell));
  else if (type === "BOOLEAN") appender.appendBoolean(Boolean(cell));
  else appender.appendVarchar(String(cell));
}

/** A text as an SQL literal. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
