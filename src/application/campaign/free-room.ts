// Frees the room of what the record no longer needs. Safe beside running campaigns; needs no server.
import { openRecord } from "#adapters/record/open-record.ts";
import { collectGarbage, type GarbageReport } from "#adapters/retention/collect-garbage.ts";
import { readSettings } from "../settings.ts";

export type { Amount, GarbageReport, GarbageRow } from "#adapters/retention/collect-garbage.ts";

export interface FreeRoomRequest {
  /** Only what these let go; null for all of them, and files that belong to none. */
  readonly campaigns: readonly string[] | null;
  /** Say what would go, remove nothing. */
  readonly isDryRun: boolean;
}

export async function freeRoom({ campaigns, isDryRun }: FreeRoomRequest): Promise<GarbageReport> {
  const { recordRoot, policyRoot, jobRoot } = readSettings();
  return collectGarbage({ ...openRecord(recordRoot), policyRoot, jobRoot, now: Date.now(), isDryRun, campaigns });
}
