import { deriveSeed, seedToInt } from "../rng.ts";

/** The seed of a training job: it deals rows to minibatches. A batch that is exported for another engine is dealt by the same one. */
export const trainingSeed = (campaignSeed: number, iteration: number): number => seedToInt(deriveSeed(campaignSeed, "training", iteration));
