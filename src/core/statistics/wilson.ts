// Interval of a rate from independent trials.
import { normalQuantile } from "./normal.ts";

/**
 * Wilson score interval of `successes` out of `trials`; null without trials.
 * Only for independent trials: rollouts of one task need the bootstrap over tasks.
 */
export function wilsonInterval(successes: number, trials: number, confidence: number): { value: number; low: number; high: number } | null {
  if (trials <= 0) return null;
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const rate = successes / trials;
  const scale = 1 + (z * z) / trials;
  const centre = (rate + (z * z) / (2 * trials)) / scale;
  const half = (z / scale) * Math.sqrt((rate * (1 - rate)) / trials + (z * z) / (4 * trials * trials));
  return { value: rate, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
