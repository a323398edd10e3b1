import type { SeedRecipe } from "#contracts/seed-recipe.ts";
import { airlineSeedEnvironment } from "./airline.ts";
import { codeSeedEnvironment } from "./code-reasoning.ts";
import type { SeedEnvironment } from "./seed-environment.ts";

/** What a recipe names. */
export function openSeedEnvironment(
  { environment, measure }: Pick<SeedRecipe, "environment" | "measure">,
  signal: AbortSignal,
): SeedEnvironment {
  return environment.type === "synthetic-airline"
    ? airlineSeedEnvironment(environment.seed)
    : codeSeedEnvironment(environment, measure, signal);
}
