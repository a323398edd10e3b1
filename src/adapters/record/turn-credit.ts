// What each training turn was called, paid and credited in its iteration: tier, turn reward, advantage. A Parquet blob of the training stage.
import type { TurnCredit } from "#core/training/turn-credit.ts";
import type { TableColumn } from "../duckdb/table.ts";

export const TURN_CREDIT_SCHEMA = "TurnCredit/1";

/** The columns of TurnCredit/1; one row per turn. */
export const TURN_CREDIT_TABLE: readonly TableColumn<TurnCredit>[] = [
  ["task_id", "VARCHAR", (turn) => turn.taskId],
  ["trial", "INTEGER", (turn) => turn.trial],
  ["turn_index", "INTEGER", (turn) => turn.turn],
  ["tier", "VARCHAR", (turn) => turn.tier],
  ["turn_reward", "DOUBLE", (turn) => turn.reward],
  ["advantage", "DOUBLE", (turn) => turn.advantage],
];
