// Follows a campaign until it ends, pauses or asks: on a terminal one line that renews itself, elsewhere a line per change.
import { setTimeout as sleep } from "node:timers/promises";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import type { CampaignClient } from "#application/campaign/campaign-client.ts";
import type { Waiting } from "#application/campaign/worker-hint.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { CampaignError, type ErrorCode } from "#core/errors.ts";
import { formatDuration } from "../output.ts";
import { style } from "../style.ts";

const POLL_MILLISECONDS = 1_000;
const QUIET_LINE_SECONDS = 15;
/** Longer than any restart of a service; a server that stays away this long needs a person. */
const PATIENCE_SECONDS = 180;
/** What a restart of services looks like from here. */
const PASSING: ReadonlySet<ErrorCode> = new Set(["service.not-running", "service.no-worker"]);

export type WatchEnd = "ended" | "paused" | "waiting-for-approval";

/** Throws service.not-running or service.no-worker when the server or the workers stay away. Aborting `signal` stops watching, not the campaign. */
export async function watchCampaign(
  client: CampaignClient,
  record: CampaignRecord,
  campaignId: string,
  signal: AbortSignal,
): Promise<WatchEnd> {
  const line = new StatusLine();
  const clock = new StageClock();
  let lastAnswer = Date.now();
  try {
    for (;;) {
      signal.throwIfAborted();
      if ((await record.readEnd(campaignId)) !== null) return "ended";
      try {
        const status = await client.status(campaignId);
        if (status === null) {
          if ((await record.readEnd(campaignId)) !== null) return "ended";
          throw new CampaignError("campaign.not-running", `campaign ${campaignId} is not running any more`, {
            next: `turnwise campaign resume ${campaignId}`,
          });
        }
        lastAnswer = Date.now();
        const waiting = await client.waiting(status);
        line.tell(waiting);
        const place = `${status.state} ${status.iteration} ${status.stage} ${waiting === null}`;
        line.show(`${describeStatus(status, clock.timeLeft(status))}${waiting === null ? "" : ` ${style.yellow("waiting")}`}`, place);
        if (status.state === "waiting-for-approval") return "waiting-for-approval";
        if (status.state === "paused") return "paused";
      } catch (error) {
        const isPassing = error instanceof CampaignError && PASSING.has(error.code);
        if (!isPassing || Date.now() - lastAnswer > PATIENCE_SECONDS * 1000) throw error;
        if (error.code === "service.no-worker") line.tell(error);
        line.show(
          style.yellow(error.code === "service.no-worker" ? "no worker answers; waiting" : "the server does not answer; waiting"),
          error.code,
        );
      }
      await sleep(POLL_MILLISECONDS, undefined, { signal });
    }
  } finally {
    line.end();
  }
}

/** Two lines for a person: why nothing goes on, and what helps. */
export function describeWaiting({ message, next }: Waiting): string {
  return `${style.yellow(message)}${next === null ? "" : `\n  ${style.dim("next:")} ${next}`}`;
}

/** What a campaign that waits for a person wants from one; null when it wants nothing. */
export function nextStep({ campaignId, state, reason }: CampaignStatus): string | null {
  if (state === "waiting-for-approval") return `turnwise campaign approve ${campaignId}   (or: … approve ${campaignId} --reject)`;
  return state === "paused" ? (reason?.next ?? `turnwise campaign resume ${campaignId}`) : null;
}

export function describeStatus(
  { iteration, maxIterations, stage, progress, state, reason }: CampaignStatus,
  secondsLeft: number | null,
): string {
  const places = { "base-selection": "base policy", test: "campaign's end" };
  const place = stage === "base-selection" || stage === "test" ? places[stage] : `iteration ${iteration}/${maxIterations}`;
  const name = stage === "base-selection" ? "selection" : (stage ?? "starting");
  const unit = stage === "training" ? "steps" : "groups";
  const done =
    progress === null || progress.total === 0
      ? ""
      : ` ${bar(progress.done / Math.max(1, progress.total))} ${progress.done}/${progress.total} ${unit}`;
  const left = secondsLeft === null || secondsLeft < 1 ? "" : style.dim(` about ${formatDuration(secondsLeft)} left in this stage`);
  const halt = state === "running" ? "" : ` ${style.yellow(state)}${reason === null ? "" : `: ${reason.message}`}`;
  return `${style.bold(place)} ${name.padEnd(11)}${done}${left}${halt}`;
}

function bar(share: number): string {
  const width = 20;
  const filled = Math.round(width * Math.min(1, share));
  return style.cyan("━".repeat(filled)) + style.dim("━".repeat(width - filled));
}

/** Time left in a stage, from its own speed so far. */
class StageClock {
  private key = "";
  private startedAt = 0;
  private doneAtStart = 0;

  timeLeft({ iteration, stage, progress }: CampaignStatus): number | null {
    const key = `${iteration} ${stage} ${progress === null}`;
    if (key !== this.key) {
      this.key = key;
      this.startedAt = Date.now();
      this.doneAtStart = progress?.done ?? 0;
    }
    const done = (progress?.done ?? 0) - this.doneAtStart;
    if (progress === null || done < 2) return null;
    return ((Date.now() - this.startedAt) / 1000 / done) * (progress.total - progress.done);
  }
}

class StatusLine {
  private readonly isTerminal = process.stdout.isTTY === true;
  private lastKey = "";
  private lastAt = 0;
  private lastTold: string | null = null;

  /** Says once, in lines that stay, why nothing goes on. */
  tell(waiting: Waiting | null): void {
    if (waiting !== null && waiting.message !== this.lastTold) {
      this.end();
      console.log(describeWaiting(waiting));
    }
    this.lastTold = waiting?.message ?? null;
  }

  show(text: string, key: string): void {
    if (this.isTerminal) process.stdout.write(`\r\u001b[2K${text}`);
    else if (key !== this.lastKey || Date.now() - this.lastAt > QUIET_LINE_SECONDS * 1000) {
      console.log(text);
      this.lastAt = Date.now();
    }
    this.lastKey = key;
  }

  end(): void {
    if (this.isTerminal && this.lastKey !== "") process.stdout.write("\r\u001b[2K");
  }
}
