// Rows to Parquet bytes by way of DuckDB. Same rows, same bytes: one DuckDB version, one thread, no clock.
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { createTable, quote, type TableColumn } from "./table.ts";

let instance: Promise<DuckDBInstance> | null = null;

/** A connection to the one in-memory database of this process; its one thread keeps row order and compression the same everywhere. */
export async function connectInMemory(): Promise<DuckDBConnection> {
  instance ??= createInstance();
  return await (await instance).connect();
}

/** Loaded here: most of who reads a record reads manifests alone. */
async function createInstance(): Promise<DuckDBInstance> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  return DuckDBInstance.create(":memory:", { threads: "1" });
}

/** Runs `work` with a path for a scratch file, which is gone afterwards. */
export async function withScratchFile<Result>(work: (path: string, connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "turnwise-"));
  const connection = await connectInMemory();
  try {
    return await work(join(folder, "rows.parquet"), connection);
  } finally {
    connection.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Parquet (zstd) of rows, in the order given. */
export async function encodeParquet<Row>(columns: readonly TableColumn<Row>[], rows: readonly Row[]): Promise<Uint8Array> {
  return await withScratchFile(async (path, connection) => {
    const table = `t_${randomUUID().replaceAll("-", "")}`;
    try {
      await createTable(connection, table, columns, rows);
      await connection.run(`COPY ${table} TO ${quote(path)} (FORMAT parquet, COMPRESSION zstd)`);
      return new Uint8Array(await readFile(path));
    } finally {
      await connection.run(`DROP TABLE IF EXISTS ${table}`);
    }
  });
}
