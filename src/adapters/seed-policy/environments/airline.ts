import { pureWorld } from "#core/environment/pure-episode.ts";
import { createSyntheticAirline, syntheticSource } from "#environments/synthetic-airline/airline.ts";
import { COMPACT_SPECIAL_TOKENS, compactFormat } from "#environments/synthetic-airline/compact-format/compact.ts";
import { COMPACT_ATOMIC_TOKENS, demonstration } from "#environments/synthetic-airline/demonstrations.ts";
import type { SeedEnvironment } from "./seed-environment.ts";

/** Demonstrations are about users of the SFT split. */
export function airlineSeedEnvironment(seed: number): SeedEnvironment {
  const source = syntheticSource(seed);
  const { environment, splits } = createSyntheticAirline(seed);
  const heldOut = [...splits.selection, ...splits.test].sort((left, right) => (left.id < right.id ? -1 : 1));
  return {
    format: compactFormat,
    specialTokens: COMPACT_SPECIAL_TOKENS,
    atomicTokens: COMPACT_ATOMIC_TOKENS,
    demonstrate: async (index, slipRate) => demonstration(source, "sft", index, slipRate),
    world: pureWorld(environment),
    tasks: { heldOut, training: splits.train },
    limits: { maxTurns: 30, maxTokensPerTurn: 110, maxContextTokens: 1024 },
    close: async () => {},
  };
}
