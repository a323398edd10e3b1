import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "#core/ports.ts";

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(milliseconds, signal) {
    try {
      await delay(milliseconds, undefined, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  },
};
