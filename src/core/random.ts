// Draws from a derived seed (rng.ts). A generator is local to one function: nothing shares a stream, so nothing depends on call order.
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { seedToInt } from "./rng.ts";

/** A copy in an order that depends on the seed alone (Fisher-Yates). */
export function shuffled<Item>(items: readonly Item[], seed: string): Item[] {
  const generator = xoroshiro128plus(seedToInt(seed));
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = uniformInt(generator, 0, last);
    [result[last], result[other]] = [result[other] as Item, result[last] as Item];
  }
  return result;
}

/** Whole numbers drawn uniformly from [0, bound), one after the other, from a derived seed. `bound` is at most 2^31. */
export interface IndexGenerator {
  nextIndex(bound: number): number;
}

/** The first number of this generator is its seed less one, which has 31 bits: never below the middle, so it is thrown away. */
export function createIndexGenerator(seed: string): IndexGenerator {
  const generator = xoroshiro128plus(seedToInt(seed));
  generator.next();
  return { nextIndex: (bound) => Math.floor(((generator.next() >>> 0) / 0x1_0000_0000) * bound) };
}
