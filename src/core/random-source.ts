// A small deterministic random source over pure-rand. One value per purpose: derive a seed, make a source, use it locally.
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { deriveSeed, seedToInt } from "./rng.ts";

export interface Random {
  /** Uniform integer in [low, high], both included. */
  int(low: number, high: number): number;
  /** True with the given probability (resolution 1e-6). */
  chance(probability: number): boolean;
  /** One element of a non-empty list. */
  pick<T>(items: readonly T[]): T;
  /** A new list in random order. */
  shuffle<T>(items: readonly T[]): T[];
}

/** The random source that the given names identify; see deriveSeed. */
export function randomFrom(...names: readonly (string | number)[]): Random {
  const generator = xoroshiro128plus(seedToInt(deriveSeed(...names)));
  const int = (low: number, high: number): number => uniformInt(generator, low, high);
  return {
    int,
    chance: (probability) => int(0, 999_999) < probability * 1_000_000,
    pick<T>(items: readonly T[]): T {
      return items[int(0, items.length - 1)] as T;
    },
    shuffle<T>(items: readonly T[]): T[] {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = int(0, last);
        [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
      }
      return shuffled;
    },
  };
}
