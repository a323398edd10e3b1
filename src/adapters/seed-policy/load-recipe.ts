// Reads the recipe of a seed policy from its YAML file.
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";
import { SeedRecipe } from "#contracts/seed-recipe.ts";
import { CampaignError } from "#core/errors.ts";

/** Throws config.file-missing, or config.invalid with the keys that are wrong. */
export async function loadRecipe(path: string): Promise<SeedRecipe> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new CampaignError("config.file-missing", `there is no recipe ${path}`, { cause, next: "name one with --recipe" });
  });
  const result = SeedRecipe.safeParse(parseYaml(path, text));
  if (result.success) return result.data;
  throw new CampaignError("config.invalid", `${path}: ${z.prettifyError(result.error)}`, {
    next: "correct the recipe; see src/contracts/seed-recipe.ts",
  });
}

function parseYaml(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new CampaignError("config.invalid", `${path} is no YAML: ${String(cause)}`, { cause });
  }
}
