// Trajectories in the bytes of Trajectories/1, which 0.1.0 wrote: what is played today is compared with what it played.
import { createHash } from "node:crypto";
import { encodeParquet } from "#adapters/duckdb/parquet.ts";
import type { TableColumn } from "#adapters/duckdb/table.ts";
import { TRAJECTORY_TABLE } from "#adapters/record/trajectories.ts";
import type { Trajectory } from "#contracts/trajectory.ts";

/** sha256 of the Parquet file of version 1. It had no `passed`, a reward of 0 or 1 as an integer, and no parts of it. */
export async function sha256AsTrajectories1(trajectories: readonly Trajectory[]): Promise<string> {
  return createHash("sha256")
    .update(await encodeParquet(TABLE_1, trajectories))
    .digest("hex");
}

const TABLE_1: readonly TableColumn<Trajectory>[] = TRAJECTORY_TABLE.flatMap((column): TableColumn<Trajectory>[] => {
  const [name, , value] = column;
  if (name === "passed") return [];
  if (name === "reward") return [[name, "INTEGER", value]];
  return name === "conversation_json" ? [[name, "VARCHAR", (trajectory) => JSON.stringify(conversation1(trajectory))]] : [column];
});

function conversation1({ rows: _, outcome, ...conversation }: Trajectory) {
  const { type, reward, stopReason, isDatabaseMatch, detail } = outcome;
  const { schemaVersion: __, usage, simulatorTroubles, ...rest } = conversation;
  const troubles = simulatorTroubles === undefined ? {} : { simulatorTroubles };
  return { schemaVersion: 1, ...rest, outcome: { type, reward, stopReason, isDatabaseMatch, detail }, usage, ...troubles };
}
