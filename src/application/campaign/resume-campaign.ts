// A campaign goes on from every state that does not run: paused, lost by Temporal, left behind by an earlier release.
import type { StateName } from "#contracts/campaign-status.ts";
import { endReason } from "#core/campaign/progress.ts";
import { resumeUpdate } from "../../../workflows/messages.ts";
import { openRecord } from "../record.ts";
import { ensureServices } from "../services/ensure-services.ts";
import { readSettings } from "../settings.ts";
import { requireOpen, withClient } from "./launch.ts";
import { rebuildInput } from "./rebuild-state.ts";
import { speaker } from "./speaker.ts";

export interface ResumedCampaign {
  /** `joined`: its workflow ran already. */
  readonly how: "started" | "joined" | "taken-over";
  readonly state: StateName;
  /** Whether it was paused until now. */
  readonly wasPaused: boolean;
  readonly nextIteration: number;
  /** Whether no iteration is left: it goes on with its end. */
  readonly isAtEnd: boolean;
}

/** Throws campaign.unknown, campaign.ended, and what starting services throws. `onStarting`: services are started first. */
export async function resumeCampaign(campaignId: string, why: string, onStarting: () => void): Promise<ResumedCampaign> {
  const record = openRecord(readSettings());
  await record.requireCampaign(campaignId);
  await requireOpen(record, campaignId);
  const settings = await ensureServices(onStarting);
  return withClient(settings, async (client) => {
    const input = await rebuildInput(record, campaignId);
    const how = await client.start(input);
    const before = await client.status(campaignId);
    const wasPaused = before?.state === "paused";
    const state = wasPaused ? await client.steer(campaignId, resumeUpdate, speaker(why)) : (before?.state ?? "running");
    const { progress } = input.state;
    return { how, state, wasPaused, nextIteration: progress.nextIteration, isAtEnd: endReason(progress, input.settings) !== null };
  });
}
