// The built-in airline as an input of the synthesis, made once for all tests.
import type { SynthesisOptions } from "#contracts/task-file.ts";
import { syntheticSource } from "#environments/synthetic-airline/airline.ts";
import { airlineDomain, TAU_AIRLINE_RULES } from "#synthesis/airline/domain.ts";
import type { AirlineWish } from "#synthesis/airline/wishes.ts";
import { type Synthesis, type SynthesisInput, synthesize } from "#synthesis/synthesize.ts";
import { createWorld } from "#synthesis/world.ts";

export const { environment, records } = syntheticSource(1);
export const world = createWorld(environment);

const OPTIONS: SynthesisOptions = {
  seed: 1,
  writes: [0, 1, 2, 3, 4, 5],
  evidence: [0, 1, 2, 3, 4, 5, 6],
  perCell: 3,
  refusals: 0.34,
  trainShare: 0.8,
  selectionShare: 0.4,
  contaminated: "drop",
  maxOverlap: 0.3,
};

export function inputWith(
  options: Partial<SynthesisOptions>,
  more: Partial<SynthesisInput<AirlineWish>> = {},
): SynthesisInput<AirlineWish> {
  return {
    world,
    domain: airlineDomain(world, TAU_AIRLINE_RULES),
    renderInstruction: ({ paragraph }) => paragraph,
    benchmarkTasks: [],
    options: { ...OPTIONS, ...options },
    ...more,
  };
}

export const synthesizeWith = (options: Partial<SynthesisOptions>): Synthesis => synthesize(inputWith(options));
