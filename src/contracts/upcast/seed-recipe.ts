// Recipes of every version, as those of today. Version 1 (0.1.0 to 0.3.0) knew one environment, the synthetic airline.
import { z } from "zod";
import { SeedRecipe, SeedReport } from "../seed-recipe.ts";
import { olderVersion, upcasting } from "./upcasting.ts";

/** Frozen: what stands in version 1 in the place of the environment. The rest is as it is today, defaults too. */
const SeedRecipe1 = SeedRecipe.omit({ environment: true }).extend({
  schemaVersion: z.literal(1),
  airlineSeed: z.int().nonnegative().default(1),
});

export const StoredSeedRecipe = upcasting(SeedRecipe, {
  1: olderVersion(SeedRecipe1, ({ airlineSeed, ...recipe }) => ({
    ...recipe,
    schemaVersion: 2,
    environment: { type: "synthetic-airline", seed: airlineSeed },
  })),
});

export const StoredSeedReport = SeedReport.extend({ recipe: StoredSeedRecipe });

/** A recipe as the first version that could say it: what it is named by does not change when the contract gets a new version. */
export function firstForm(recipe: SeedRecipe): unknown {
  const { environment, ...rest } = recipe;
  return environment.type === "synthetic-airline" ? { ...rest, schemaVersion: 1, airlineSeed: environment.seed } : recipe;
}
