// SQL over the record, read only.
import type { QueryResult } from "#adapters/history/history.ts";
import { openRecord } from "#adapters/record/open-record.ts";
import { readSettings } from "../settings.ts";

export type { QueryResult } from "#adapters/history/history.ts";
export type { PlainValue } from "#adapters/history/values.ts";

const DESCRIBE_TABLES = `SELECT table_name AS "table", string_agg(column_name, ', ' ORDER BY ordinal_position) AS columns
  FROM information_schema.columns WHERE table_schema = 'main' GROUP BY table_name ORDER BY table_name`;

/** The result of a SELECT; without one, the tables and their columns. Throws query.*. */
export async function queryRecord(sql?: string): Promise<QueryResult> {
  const history = await openRecord(readSettings().recordRoot).history.open();
  try {
    return await history.query(sql ?? DESCRIBE_TABLES);
  } finally {
    history.close();
  }
}
