// What running campaigns say of themselves, where anybody can be asked: the record answers the rest.
import type { Settings } from "#adapters/settings.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { CampaignError } from "#core/errors.ts";
import { CampaignClient } from "./campaign-client.ts";
import type { Waiting } from "./worker-hint.ts";

export interface Answer {
  /** Null when the campaign does not run, or nobody can say. */
  readonly status: CampaignStatus | null;
  /** Why it does not go on at this moment; null when it does. */
  readonly waiting: Waiting | null;
}

const NOTHING: Answer = { status: null, waiting: null };

/** One answer per id, in order. All are asked at once. No server is no failure: nothing runs then. */
export async function askCampaigns(settings: Settings, ids: readonly string[]): Promise<Answer[]> {
  if (ids.length === 0) return [];
  const client = await CampaignClient.connect(settings).catch(unlessAbsent);
  if (client === null) return ids.map(() => NOTHING);
  try {
    return await Promise.all(ids.map((id) => askCampaign(client, id)));
  } finally {
    await client.close();
  }
}

async function askCampaign(client: CampaignClient, id: string): Promise<Answer> {
  try {
    const status = await client.status(id);
    return { status, waiting: status === null ? null : await client.waiting(status) };
  } catch (error) {
    if (error instanceof CampaignError && error.code === "service.no-worker") return { status: null, waiting: error };
    return unlessAbsent(error) ?? NOTHING;
  }
}

/** Null for a server that is not there; anything else is thrown. */
function unlessAbsent(error: unknown): null {
  if (error instanceof CampaignError && error.code === "service.not-running") return null;
  throw error;
}
