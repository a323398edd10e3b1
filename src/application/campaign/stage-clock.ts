// Time left in a stage, from its own speed so far.
import type { CampaignStatus } from "#contracts/campaign-status.ts";

export class StageClock {
  private key = "";
  private startedAt = 0;
  private doneAtStart = 0;

  /** Seconds; null while too little is done to tell. */
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
