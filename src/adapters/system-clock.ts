import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "#core/ports.ts";

/** The clock of the machine. */
export const systemClock: Clock = { now: () => Date.now(), sleep: (milliseconds, signal) => delay(milliseconds, undefined, { signal }) };
