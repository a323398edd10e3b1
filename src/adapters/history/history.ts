// SQL over the record, whatever store it lies in. Built anew in memory each time it is opened: there is no index to go stale, and readers
// never meet. Read only, and on a short leash: one SELECT at a time, no file but the rollouts', no extension, no setting.
import { type DuckDBConnection, DuckDBInstance, type DuckDBPreparedStatement, StatementType } from "@duckdb/node-api";
import { CampaignError } from "#core/errors.ts";
import { quote } from "../duckdb/table.ts";
import type { CampaignRecord } from "../record/campaign-record.ts";
import { loadGroups, locateRows, NO_ROWS, type RowFiles, type StoredGroup } from "./groups.ts";
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
 * Opens the history of the record as it is now. Tables: campaigns, iterations, stages, metrics, rewards, evaluations,
 * evaluation_tasks, steering, meters, groups, trajectories, turns, turn_credit. A record without campaigns gives empty tables.
 */
export async function openHistory(record: CampaignRecord): Promise<History> {
  return new RecordHistory(record, { campaigns: await loadCampaigns(record), groups: await loadGroups(record.store) });
}

interface Loaded {
  readonly campaigns: Awaited<ReturnType<typeof loadCampaigns>>;
  readonly groups: readonly StoredGroup[];
}

/** What names a table of rollouts, or may put its name together. */
const NEEDS_ROWS = /trajectories|turns|turn_credit|\bfiles\b|\bquery/i;

/** Rollouts are fetched from the store, and verified, when a query first asks for them: most ask for figures alone. */
class RecordHistory implements History {
  readonly #record: CampaignRecord;
  readonly #loaded: Loaded;
  readonly #databases = new Map<"figures" | "rollouts", Promise<Database>>();

  constructor(record: CampaignRecord, loaded: Loaded) {
    this.#record = record;
    this.#loaded = loaded;
  }

  async query(sql: string): Promise<QueryResult> {
    const { connection } = await this.#databaseFor(NEEDS_ROWS.test(sql) ? "rollouts" : "figures");
    return await query(connection, sql);
  }

  close(): void {
    for (const database of this.#databases.values()) void database.then(({ close }) => close()).catch(() => undefined); // who asked was told
    this.#databases.clear();
  }

  #databaseFor(kind: "figures" | "rollouts"): Promise<Database> {
    const database = this.#databases.get(kind) ?? this.#makeDatabase(kind);
    this.#databases.set(kind, database);
    return database;
  }

  async #makeDatabase(kind: "figures" | "rollouts"): Promise<Database> {
    return await createDatabase(this.#loaded, kind === "figures" ? NO_ROWS : await locateRows(this.#record.store, this.#loaded));
  }
}

interface Database {
  readonly connection: DuckDBConnection;
  close(): void;
}

async function createDatabase({ campaigns, groups }: Loaded, files: RowFiles): Promise<Database> {
  const instance = await DuckDBInstance.create(":memory:", { autoinstall_known_extensions: "false", autoload_known_extensions: "false" });
  const connection = await instance.connect();
  const close = () => {
    connection.closeSync();
    instance.closeSync();
  };
  try {
    await createManifestTables(connection, campaigns);
    await createViews(connection, groups, files);
    await lock(connection, files);
  } catch (error) {
    close();
    if (error instanceof CampaignError) throw error;
    throw new CampaignError("store.corrupt", `the record cannot be read as tables: ${messageOf(error)}`, { cause: error });
  }
  return { connection, close };
}

/** From here on no file is read but the rollouts', and no setting changes any more. */
async function lock(connection: DuckDBConnection, { trajectories, credit }: RowFiles): Promise<void> {
  const paths = [...trajectories, ...credit].map(({ path }) => quote(path));
  await connection.run(`SET allowed_paths = [${paths.join(", ")}]`);
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
