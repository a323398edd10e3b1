// A word to a campaign that runs, and whether it holds again afterwards.
import { setTimeout as sleep } from "node:timers/promises";
import type { BudgetConfig } from "#contracts/campaign-config.ts";
import type { CampaignStatus, StateName } from "#contracts/campaign-status.ts";
import { approveRewardUpdate, pauseUpdate, rejectRewardUpdate, setBudgetUpdate, stopUpdate } from "../../../workflows/messages.ts";
import { openRecord } from "../record.ts";
import { readSettings } from "../settings.ts";
import type { CampaignClient } from "./campaign-client.ts";
import { requireOpen, withClient } from "./launch.ts";
import { speaker } from "./speaker.ts";

/** What a person can say; `why` is kept in the record. */
export type CampaignWord = { readonly why: string } & (
  | { readonly type: "pause" | "approve" | "reject" }
  | { readonly type: "stop"; readonly withTest: boolean }
  | { readonly type: "budget"; readonly budget: BudgetConfig }
);

/** Answers the state that it led to. Throws campaign.unknown, campaign.ended, campaign.not-running, or the reason of a campaign that refuses. */
export async function steerCampaign(campaignId: string, word: CampaignWord): Promise<StateName> {
  const send = sender(word);
  const settings = readSettings();
  const record = openRecord(settings);
  await record.requireCampaign(campaignId);
  await requireOpen(record, campaignId);
  return withClient(settings, (client) => send(client, campaignId));
}

function sender(word: CampaignWord): (client: CampaignClient, campaignId: string) => Promise<StateName> {
  const who = speaker(word.why);
  switch (word.type) {
    case "stop":
      return (client, id) => client.steer(id, stopUpdate, { ...who, withTest: word.withTest });
    case "budget":
      return (client, id) => client.steer(id, setBudgetUpdate, { ...who, budget: word.budget });
    default: {
      const update = { pause: pauseUpdate, approve: approveRewardUpdate, reject: rejectRewardUpdate }[word.type];
      return (client, id) => client.steer(id, update, who);
    }
  }
}

const HELD_AGAIN_ATTEMPTS = 8;
const HELD_AGAIN_MILLISECONDS = 400;

/** The status of a campaign that a guard, or a limit below what is used, pauses again at once; null for one that goes on. */
export async function findHeldAgain(campaignId: string): Promise<CampaignStatus | null> {
  return withClient(readSettings(), async (client) => {
    for (let attempt = 0; attempt < HELD_AGAIN_ATTEMPTS; attempt += 1) {
      await sleep(HELD_AGAIN_MILLISECONDS);
      const status = await client.status(campaignId);
      if (status?.state === "paused") return status;
    }
    return null;
  });
}
