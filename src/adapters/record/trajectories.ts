// Trajectories as Parquet: one row each, scalars in columns for SQL, and the whole contract as JSON in two columns, so that
// queries over conversations never read the tokens.
import { writeFile } from "node:fs/promises";
import { Trajectory } from "#contracts/trajectory.ts";
import { StoredTrajectory } from "#contracts/upcast/trajectory.ts";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";
import { connectInMemory, encodeParquet, withScratchFile } from "../duckdb/parquet.ts";
import { quote, type TableColumn } from "../duckdb/table.ts";

export const TRAJECTORIES_SCHEMA = "Trajectories/2";

/** The columns of Trajectories/2. Trajectories/1 had no `passed`, and rewards of 0 and 1 as integers: name, type, and the value of a trajectory. */
export const TRAJECTORY_TABLE: readonly TableColumn<Trajectory>[] = [
  ["task_id", "VARCHAR", (trajectory) => trajectory.taskId],
  ["trial", "INTEGER", (trajectory) => trajectory.trial],
  ["environment", "VARCHAR", (trajectory) => trajectory.environment],
  ["policy_name", "VARCHAR", (trajectory) => trajectory.policy.name],
  ["policy_hash", "VARCHAR", (trajectory) => trajectory.policy.hash],
  ["policy_format", "VARCHAR", (trajectory) => trajectory.policy.format],
  ["simulator_id", "VARCHAR", (trajectory) => trajectory.simulator.id],
  ["simulator_hash", "VARCHAR", (trajectory) => trajectory.simulator.hash],
  ["seed", "VARCHAR", (trajectory) => trajectory.seed],
  ["outcome_type", "VARCHAR", (trajectory) => trajectory.outcome.type],
  ["reward", "DOUBLE", (trajectory) => trajectory.outcome.reward],
  ["passed", "BOOLEAN", (trajectory) => trajectory.outcome.passed],
  ["stop_reason", "VARCHAR", (trajectory) => trajectory.outcome.stopReason],
  ["is_database_match", "BOOLEAN", (trajectory) => trajectory.outcome.isDatabaseMatch],
  ["detail", "VARCHAR", (trajectory) => trajectory.outcome.detail?.toWellFormed() ?? null],
  ["num_turns", "INTEGER", (trajectory) => trajectory.turns.length],
  ["num_tool_calls", "INTEGER", (trajectory) => countCalls(trajectory, () => true)],
  ["num_tool_errors", "INTEGER", (trajectory) => countCalls(trajectory, (call) => call.isError)],
  ["num_action_tokens", "INTEGER", (trajectory) => trajectory.rows.reduce((sum, row) => sum + row.logprobs.length, 0)],
  ["prompt_tokens", "INTEGER", (trajectory) => trajectory.usage.promptTokens],
  ["completion_tokens", "INTEGER", (trajectory) => trajectory.usage.completionTokens],
  ["simulator_prompt_tokens", "INTEGER", (trajectory) => trajectory.usage.simulatorPromptTokens],
  ["simulator_completion_tokens", "INTEGER", (trajectory) => trajectory.usage.simulatorCompletionTokens],
  ["model_calls", "INTEGER", (trajectory) => trajectory.usage.modelCalls],
  ["simulator_calls", "INTEGER", (trajectory) => trajectory.usage.simulatorCalls],
  ["conversation_json", "VARCHAR", ({ rows: _, ...conversation }) => JSON.stringify(conversation)],
  ["rows_json", "VARCHAR", (trajectory) => JSON.stringify(trajectory.rows)],
];

function countCalls(trajectory: Trajectory, isCounted: (call: Trajectory["turns"][number]["toolCalls"][number]) => boolean): number {
  return trajectory.turns.flatMap((turn) => turn.toolCalls).filter(isCounted).length;
}

/** Parquet (zstd) of trajectories, in the order given. Throws contract.invalid when one does not fit its contract. */
export async function encodeTrajectories(trajectories: readonly Trajectory[]): Promise<Uint8Array> {
  const rows = trajectories.map((trajectory) => parseTrajectory(trajectory, Trajectory)); // also puts keys into the contract's order, which JSON text keeps
  return await encodeParquet(TRAJECTORY_TABLE, rows);
}

/** Trajectories of Parquet bytes, in file order. Throws store.corrupt when the bytes are no Trajectories of any version. */
export async function decodeTrajectories(bytes: Uint8Array): Promise<Trajectory[]> {
  return await withScratchFile(async (path) => {
    await writeFile(path, bytes);
    return await decodeTrajectoryFile(path);
  });
}

/** The same from a local file. */
export async function decodeTrajectoryFile(path: string): Promise<Trajectory[]> {
  const connection = await connectInMemory();
  try {
    const sql = `SELECT conversation_json, rows_json FROM read_parquet(${quote(path)}, file_row_number = true) ORDER BY file_row_number`;
    const reader = await connection.runAndReadAll(sql);
    return reader
      .getRows()
      .map(([conversation, rows]) =>
        parseTrajectory({ ...JSON.parse(String(conversation)), rows: JSON.parse(String(rows)) }, StoredTrajectory),
      );
  } catch (error) {
    throw new CampaignError("store.corrupt", `not ${TRAJECTORIES_SCHEMA}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    connection.closeSync();
  }
}

function parseTrajectory(value: unknown, schema: typeof StoredTrajectory | typeof Trajectory): Trajectory {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new CampaignError("contract.invalid", `not a trajectory: ${describeProblems(result.error, value, Trajectory)}`, {
    cause: result.error,
  });
}
