// Seeds derived by hash: the same names give the same numbers on every machine, in any order, after any crash.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

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
