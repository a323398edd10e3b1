// A campaign's place and progress in words: on a terminal one line that renews itself, elsewhere a line per change.
import type { FollowEvent } from "#application/campaign/follow-campaign.ts";
import type { Waiting } from "#application/campaign/worker-hint.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { formatDuration } from "#core/format.ts";
import { style } from "../style.ts";

const QUIET_LINE_SECONDS = 15;

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

/** What `campaign watch` shows while it follows. */
export class StatusLine {
  private readonly isTerminal = process.stdout.isTTY === true;
  private lastKey = "";
  private lastAt = 0;
  private lastTold: string | null = null;

  update(event: FollowEvent): void {
    if (event.type === "absent") this.showAbsent(event.error);
    else this.showStatus(event);
  }

  private showStatus({ status, waiting, secondsLeft }: Extract<FollowEvent, { type: "status" }>): void {
    this.warn(waiting);
    const place = `${status.state} ${status.iteration} ${status.stage} ${waiting === null}`;
    this.show(`${describeStatus(status, secondsLeft)}${waiting === null ? "" : ` ${style.yellow("waiting")}`}`, place);
  }

  private showAbsent(error: Waiting & { readonly code: string }): void {
    const hasNoWorker = error.code === "service.no-worker";
    if (hasNoWorker) this.warn(error);
    this.show(style.yellow(hasNoWorker ? "no worker answers; waiting" : "the server does not answer; waiting"), error.code);
  }

  /** Says once, in lines that stay, why nothing goes on. */
  private warn(waiting: Waiting | null): void {
    if (waiting !== null && waiting.message !== this.lastTold) {
      this.end();
      console.log(describeWaiting(waiting));
    }
    this.lastTold = waiting?.message ?? null;
  }

  private show(text: string, key: string): void {
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
