import { describe, expect, test } from "vitest";
import { createIndexGenerator, shuffled } from "#core/random.ts";
import { randomFrom } from "#core/random-source.ts";
import { deriveSeed } from "#core/rng.ts";

const NUM_SEEDS = 20_000;
const NUM_BINS = 10;
/** 99.99 % of chi-squared with 9 degrees of freedom. */
const MOST = 33.72;

function chiSquared(binOf: (seed: string) => number): number {
  const counts = new Array<number>(NUM_BINS).fill(0);
  for (let i = 0; i < NUM_SEEDS; i += 1) {
    const bin = binOf(deriveSeed("random", i));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const expected = NUM_SEEDS / NUM_BINS;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** The draw after `numBefore` others. */
function drawn(nextIndex: (bound: number) => number, numBefore: number): number {
  for (let i = 0; i < numBefore; i += 1) nextIndex(NUM_BINS);
  return nextIndex(NUM_BINS);
}

describe("over seeds, a draw is uniform, be it the first or a later one", () => {
  test.each([0, 1, 2, 5])("after %i draws", (numBefore) => {
    expect(chiSquared((seed) => drawn(createIndexGenerator(seed).nextIndex, numBefore))).toBeLessThan(MOST);
    const fromNames = (seed: string) => {
      const random = randomFrom(seed);
      return drawn((bound) => random.int(0, bound - 1), numBefore);
    };
    expect(chiSquared(fromNames)).toBeLessThan(MOST);
  });

  test("and so is where an item is shuffled to", () => {
    const items = Array.from({ length: NUM_BINS }, (_, i) => i);
    for (const item of [0, 4, 9]) expect(chiSquared((seed) => shuffled(items, seed).indexOf(item))).toBeLessThan(MOST);
  });

  test("one draw does not tell the next", () => {
    const pair = (seed: string) => {
      const { nextIndex } = createIndexGenerator(seed);
      return (nextIndex(NUM_BINS) + nextIndex(NUM_BINS)) % NUM_BINS;
    };
    expect(chiSquared(pair)).toBeLessThan(MOST);
  });
});
