import type { GoldenTask } from "#contracts/task.ts";
import type { Environment } from "#core/environment/environment.ts";
import type { Database, DatabaseState } from "../database.ts";

/** A domain as the benchmark has it, tasks by the benchmark's own splits. */
export interface BenchmarkData {
  readonly database: Database;
  readonly environment: Environment<DatabaseState>;
  readonly tasks: ReadonlyMap<string, readonly GoldenTask[]>;
  /** The environment over the same database with these tasks as its own. */
  environmentWith(tasks: readonly GoldenTask[]): Environment<DatabaseState>;
}
