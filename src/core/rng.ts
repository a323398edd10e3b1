// Seeds derived by hash: the same names give the same numbers on every machine, in any order, after any crash.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/**
 * The seed of a piece of randomness, from the names that identify it, e.g. (campaign seed, iteration, task, trial, turn).
 * Parts are joined unambiguously: ("a", "bc") and ("ab", "c") differ. The result is 64 hexadecimal digits.
 */
export function deriveSeed(...parts: readonly (string | number)[]): string {
  return bytesToHex(sha256(utf8ToBytes(parts.map((part) => `${String(part).length}:${part}`).join("|"))));
}

/** A derived seed as an integer in [0, 2^31 - 1], for interfaces that take a number. */
export function seedToInt(seed: string): number {
  return Number.parseInt(seed.slice(0, 8), 16) & 0x7fffffff;
}

/** Whole numbers drawn uniformly from [0, bound), one after the other, from a derived seed. `bound` is at most 2^31. */
export interface IndexGenerator {
  nextIndex(bound: number): number;
}

export function createIndexGenerator(seed: string): IndexGenerator {
  const generator = xoroshiro128plus(seedToInt(seed));
  return { nextIndex: (bound) => Math.floor(((generator.next() >>> 0) / 0x1_0000_0000) * bound) };
}
