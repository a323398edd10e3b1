// Wall time without pauses, by the workflow's own clock, which replays.

export class RunningClock {
  private secondsBefore: number;
  private since: number | null = null;

  constructor(secondsBefore = 0) {
    this.secondsBefore = secondsBefore;
  }

  /** Starts or stops the clock; saying the same twice changes nothing. */
  run(isRunning: boolean): void {
    if (isRunning === (this.since !== null)) return;
    this.secondsBefore = this.seconds();
    this.since = isRunning ? Date.now() : null;
  }

  seconds(): number {
    return this.secondsBefore + (this.since === null ? 0 : (Date.now() - this.since) / 1000);
  }
}
