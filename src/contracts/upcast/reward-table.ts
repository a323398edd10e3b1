// Reward tables of 0.1.0: they did not keep the author's table that their campaign began with.
import { z } from "zod";

const Version1 = z.looseObject({ schemaVersion: z.literal(1), lineage: z.looseObject({}) });

/** A table of version 1 as one of version 2. Its sha256 stays: it is the hash of the table as it was written (core/reward/reward-table.ts). */
export function upcastRewardTable(value: unknown): unknown {
  const parsed = Version1.safeParse(value);
  if (!parsed.success) return value;
  return { ...parsed.data, schemaVersion: 2, lineage: { ...parsed.data.lineage, authorSha256: null } };
}
