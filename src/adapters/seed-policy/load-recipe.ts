// Reads the recipe of a seed policy from its YAML file.
import type { SeedRecipe } from "#contracts/seed-recipe.ts";
import { StoredSeedRecipe } from "#contracts/upcast/seed-recipe.ts";
import { readYamlAs } from "../yaml/yaml-file.ts";

/** Throws config.file-missing, or config.invalid with the keys that are wrong. */
export async function loadRecipe(path: string): Promise<SeedRecipe> {
  return await readYamlAs(path, StoredSeedRecipe, {
    what: "the recipe",
    nextWhenMissing: "name one with --recipe",
    next: "correct the recipe; see src/contracts/seed-recipe.ts",
  });
}
