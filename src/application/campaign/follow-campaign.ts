// Follows a campaign until it ends, pauses or asks.
import { setTimeout as sleep } from "node:timers/promises";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { CampaignError, type ErrorCode } from "#core/errors.ts";
import { openRecord } from "../record.ts";
import { readSettings } from "../settings.ts";
import type { CampaignClient } from "./campaign-client.ts";
import { withClient } from "./launch.ts";
import { reportPathOf } from "./show-campaigns.ts";
import { StageClock } from "./stage-clock.ts";
import { type CampaignSummary, summarizeCampaign } from "./summary.ts";
import type { Waiting } from "./worker-hint.ts";

/** Longer than any restart of a service; a server that stays away this long needs a person. */
const RECONNECT_SECONDS = 180;
const POLL_MILLISECONDS = 1_000;
/** What a restart of services looks like from here. */
const PASSING: ReadonlySet<ErrorCode> = new Set(["service.not-running", "service.no-worker"]);

export type FollowEvent =
  | {
      readonly type: "status";
      readonly status: CampaignStatus;
      /** In the stage; null while nobody can tell. */
      readonly secondsLeft: number | null;
      /** Why it does not go on at this moment; null when it does. */
      readonly waiting: Waiting | null;
    }
  /** Nobody answers, which a restart of services would explain. */
  | { readonly type: "absent"; readonly error: CampaignError };

export interface FollowOptions {
  /** Aborting it stops following, not the campaign. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: FollowEvent) => void;
  /** Called once, however following ends, before the result is put together. */
  readonly onEnd?: () => void;
}

export interface FollowedCampaign {
  readonly summary: CampaignSummary;
  /** Null when the campaign has ended. */
  readonly status: CampaignStatus | null;
  /** Where the report lies that a person is asked about; null when there is no question. */
  readonly reportPath: string | null;
}

/**
 * `isWhole`: the summary also tells what the stage at work has used so far. Throws campaign.unknown, campaign.not-running, service.not-running
 * and service.no-worker when the server or the workers stay away, and the signal's reason.
 */
export async function followCampaign(
  campaignId: string,
  options: FollowOptions & { readonly isWhole: boolean },
): Promise<FollowedCampaign> {
  const settings = readSettings();
  const record = openRecord(settings);
  await record.requireCampaign(campaignId);
  return withClient(settings, async (client) => {
    const end = await watchCampaign(client, record, campaignId, options);
    const status = end === "ended" ? null : await client.status(campaignId);
    const summary = await summarizeCampaign(record, campaignId, { isWhole: options.isWhole });
    return { summary, status, reportPath: reportPathOf(settings, summary, status) };
  });
}

type WatchEnd = "ended" | "paused" | "waiting-for-approval";

async function watchCampaign(
  client: CampaignClient,
  record: CampaignRecord,
  campaignId: string,
  { signal, onEvent, onEnd }: FollowOptions,
): Promise<WatchEnd> {
  const clock = new StageClock();
  let lastAnswer = Date.now();
  try {
    for (;;) {
      signal.throwIfAborted();
      if ((await record.readEnd(campaignId)) !== null) return "ended";
      try {
        const status = await client.status(campaignId);
        if (status === null) return await endOf(record, campaignId);
        lastAnswer = Date.now();
        onEvent({ type: "status", status, waiting: await client.waiting(status), secondsLeft: clock.timeLeft(status) });
        if (status.state === "waiting-for-approval" || status.state === "paused") return status.state;
      } catch (error) {
        const isPassing = error instanceof CampaignError && PASSING.has(error.code);
        if (!isPassing || Date.now() - lastAnswer > RECONNECT_SECONDS * 1000) throw error;
        onEvent({ type: "absent", error });
      }
      await sleep(POLL_MILLISECONDS, undefined, { signal });
    }
  } finally {
    onEnd?.();
  }
}

/** Of a campaign that Temporal does not know. Throws campaign.not-running when it has not ended. */
async function endOf(record: CampaignRecord, campaignId: string): Promise<WatchEnd> {
  if ((await record.readEnd(campaignId)) !== null) return "ended";
  throw new CampaignError("campaign.not-running", `campaign ${campaignId} is not running any more`, {
    next: `turnwise campaign resume ${campaignId}`,
  });
}
