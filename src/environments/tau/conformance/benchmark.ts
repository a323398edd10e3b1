// A benchmark as the golden vectors see it: a database, tools, hashes, tasks by split.
import type { GoldenTask } from "#contracts/task.ts";
import type { Database } from "../database.ts";
import { CANONICAL, DatabaseHasher, type HashDialect, type Sha256Stream, TAU, TAU2 } from "../database-hash.ts";
import type { Toolkit } from "../tool-environment.ts";

export interface Benchmark {
  readonly id: "airline" | "retail" | "tau2-airline";
  readonly database: Database;
  readonly toolkit: Toolkit;
  /** By the field of the vectors that holds the hash. */
  readonly hashers: ReadonlyMap<"tau_hash" | "tau2_hash" | "db_sha256", DatabaseHasher>;
  /** By split, in the order of the benchmark. */
  readonly tasks: ReadonlyMap<string, readonly GoldenTask[]>;
}

/** The hashers of a benchmark's vectors. */
export function hashersOf(id: Benchmark["id"], database: Database, newSha256?: () => Sha256Stream): Benchmark["hashers"] {
  const hasher = (dialect: HashDialect) => new DatabaseHasher(database, dialect, newSha256);
  return new Map([
    id === "tau2-airline" ? (["tau2_hash", hasher(TAU2)] as const) : (["tau_hash", hasher(TAU)] as const),
    ["db_sha256", hasher(CANONICAL)],
  ]);
}
