// What reading one entry of a file needs beside the entry.
import type { z } from "zod";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import type { PyValue } from "#environments/tau/python/values.ts";

export interface EntryContext {
  /** The entry with nothing lost, for exports. */
  readonly exact: PyValue;
  /** What names the policy where the entry does not. */
  readonly source: string;
  readonly catalog: ToolCatalog;
  readonly check: Check;
  /** How many entries of this task came before in the file, for those that number no trial. */
  readonly position: (taskId: string) => number;
}

/** The value under its schema. Throws contract.invalid that says where, what is allowed and what was there. */
export type Check = <Output>(schema: z.ZodType<Output>, value: unknown) => Output;
