// SQL over the record. Built anew in memory each time it is opened: there is no index to go stale, and readers never meet.
// Read only, and on a short leash: one SELECT at a time, no file outside the record, no extension, no setting.
import { resolve } from "node:path";
import { type DuckDBConnection, DuckDBInstance, type DuckDBPreparedStatement, StatementType } from "@duckdb/node-api";
import { CampaignError } from "#core/errors.ts";
import { LocalArtifactStore } from "../artifact-store/local.ts";
import { quote } from "../duckdb/table.ts";
import { CampaignRecord } from "../record/campaign-record.ts";
import { loadCampaigns } from "./load.ts";
import { createManifestTables } from "./tables.ts";
import { type PlainValue, toPlain } from "./values.ts";
import { createViews } from "./views.ts";

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly PlainValue[])[];
}

export interface History {
  /** Runs one SELECT. Throws query.invalid with DuckDB's message. */
  query(sql: string): Promise<QueryResult>;
  close(): void;
}

/**
 * Opens the history of the record at `recordRoot` as it is now. Tables: campaigns, iterations, stages, metrics, rewards, evaluations,
 * evaluation_tasks, steering, meters, groups, trajectories, turns, turn_credit. A record without campaigns gives empty tables.
 */
export async function openHistory(recordRoot: string): Promise<History> {
  const root = resolve(recordRoot);
  const instance = await DuckDBInstance.create(":memory:", { autoinstall_known_extensions: "false", autoload_known_extensions: "false" });
  const connection = await instance.connect();
  const close = () => {
    connection.closeSync();
    instance.closeSync();
  };
  try {
    await createManifestTables(connection, await loadCampaigns(new CampaignRecord(new LocalArtifactStore(root))));
    await createViews(connection, root);
    await lock(connection, root);
  } catch (error) {
    close();
    if (error instanceof CampaignError) throw error;
    throw new CampaignError("store.corrupt", `the record cannot be read as tables: ${messageOf(error)}`, { cause: error });
  }
  return { query: (sql) => query(connection, sql), close };
}

/** From here on files are read only below the record, and no setting changes any more. */
async function lock(connection: DuckDBConnection, root: string): Promise<void> {
  await connection.run(`SET allowed_directories = [${quote(root)}]`);
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
}

async function query(connection: DuckDBConnection, sql: string): Promise<QueryResult> {
  try {
    const statement = await prepareSelect(connection, sql);
    const reader = await statement.runAndReadAll();
    const types = reader.columnTypes();
    return {
      columns: reader.columnNames().map((name, index) => ({ name, type: String(types[index]) })),
      rows: reader.getRowsJS().map((row) => row.map(toPlain)),
    };
  } catch (error) {
    if (error instanceof CampaignError) throw error;
    throw invalid(messageOf(error), error);
  }
}

async function prepareSelect(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  if (sql.trim() === "") throw invalid("the query is empty");
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw invalid(`one statement at a time, this has ${statements.count}`);
  const statement = await statements.prepare(0);
  if (statement.statementType === StatementType.SELECT) return statement;
  throw invalid(`history is read only: a query is a SELECT, not ${StatementType[statement.statementType]}`);
}

function invalid(message: string, cause?: unknown): CampaignError {
  return new CampaignError("query.invalid", message, { cause, next: 'turnwise query "SHOW TABLES", turnwise query "DESCRIBE iterations"' });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
