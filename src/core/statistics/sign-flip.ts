// The paired permutation test: under no difference a cluster's difference is as likely to have the other sign.
import { createIndexGenerator } from "../random.ts";
import { deriveSeed } from "../rng.ts";

const DRAWS = 100_000;
/** Additions that the exact distribution may cost: a second at most. Differences of campaigns need a thousandth of it. */
const MAX_ADDITIONS = 2 ** 28;

/**
 * Two-sided p-value of the sum of whole-numbered cluster differences when every sign is a fair coin; at most 1, never 0.
 * Exact where the distribution of the sum can be built cluster by cluster (Pagano and Tritchler 1983, JASA 78, 435), which counts all
 * 2^n flips; else from 100,000 seeded flips with the observed one among them (Phipson and Smyth 2010, SAGMB 9, 39).
 */
export function signFlipPValue(differences: readonly number[], seed: string): number {
  const sizes = differences.map(Math.abs).filter((size) => size > 0);
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return total * sizes.length <= MAX_ADDITIONS ? exactPValue(sizes, total, observed) : drawnPValue(sizes, observed, seed);
}

/** A sum is the total less twice what became negative, so the distribution is that of the sum of a random subset. */
function exactPValue(sizes: readonly number[], total: number, observed: number): number {
  const chances = new Float64Array(total + 1);
  chances[0] = 1;
  let reached = 0;
  for (const size of sizes) {
    reached += size;
    for (let sum = reached; sum >= 0; sum -= 1) {
      chances[sum] = ((chances[sum] as number) + (sum >= size ? (chances[sum - size] as number) : 0)) / 2;
    }
  }
  let tail = 0;
  for (const [sum, chance] of chances.entries()) if (Math.abs(total - 2 * sum) >= observed) tail += chance;
  return Math.min(1, Math.max(tail, Number.MIN_VALUE));
}

function drawnPValue(sizes: readonly number[], observed: number, seed: string): number {
  const { nextIndex } = createIndexGenerator(deriveSeed(seed, "sign-flip"));
  let numAsFar = 0;
  for (let draw = 0; draw < DRAWS; draw += 1) {
    let sum = 0;
    for (const size of sizes) sum += nextIndex(2) === 0 ? size : -size;
    if (Math.abs(sum) >= observed) numAsFar += 1;
  }
  return (numAsFar + 1) / (DRAWS + 1);
}
