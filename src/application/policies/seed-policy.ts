// Seed policies: the embedded policy made from scratch, and what one is.
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parseContractJson } from "#adapters/record/parse-contract.ts";
import { loadRecipe } from "#adapters/seed-policy/load-recipe.ts";
import { recipeFingerprint, trainSeed } from "#adapters/seed-policy/train-seed.ts";
import type { SeedRecipe, SeedReport } from "#contracts/seed-recipe.ts";
import { StoredSeedReport } from "#contracts/upcast/seed-recipe.ts";
import { CampaignError } from "#core/errors.ts";
import { REPOSITORY, readSettings } from "../settings.ts";

/** The embedded policy's model directory, and the recipe that makes it. */
export const EMBEDDED_POLICY = join(REPOSITORY, "configs", "models", "embedded-airline");
export const EMBEDDED_RECIPE = join(EMBEDDED_POLICY, "recipe.yaml");

/** What one core of a laptop trains at; turns --minutes into a budget of tokens without measuring, so that the result stays the same. */
export const NOMINAL_TOKENS_PER_MINUTE = 300_000;

export interface SeedRequest {
  /** Path of a recipe. */
  readonly recipe: string;
  /** The model directory to write; the recipe's own folder unless given. */
  readonly out?: string | undefined;
  /** Scales the recipe's budget; as it is unless given. */
  readonly minutes?: number | undefined;
  readonly threads: number;
}

/** Demonstrations, tokenizer, supervised stages, measured pass rate, model card. Throws config.* and trainer.*, and the signal's reason. */
export async function trainSeedPolicy(
  request: SeedRequest,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (message: string) => void },
): Promise<SeedReport> {
  const settings = readSettings();
  const recipe = scaled(await loadRecipe(resolve(request.recipe)), request.minutes);
  return trainSeed({
    recipe,
    python: settings.python,
    workDirectory: join(settings.jobRoot, `train-seed-${await recipeFingerprint(recipe, signal)}`),
    outputDirectory: resolve(request.out ?? dirname(request.recipe)),
    threads: request.threads,
    signal,
    onProgress,
  });
}

/** The recipe with its token budgets scaled in proportion; unchanged without a number of minutes. */
function scaled(recipe: SeedRecipe, minutes: number | undefined): SeedRecipe {
  if (minutes === undefined) return recipe;
  const factor = (minutes * NOMINAL_TOKENS_PER_MINUTE) / recipe.stages.reduce((sum, { tokens }) => sum + tokens, 0);
  const scale = (count: number): number => Math.ceil(count * factor);
  return {
    ...recipe,
    stages: recipe.stages.map((stage) => ({ ...stage, tokens: scale(stage.tokens), conversations: scale(stage.conversations) })),
  };
}

/** How a seed policy was made and what it passes. Throws config.file-missing for a folder without a report. */
export async function readSeedReport(folder: string): Promise<SeedReport> {
  const path = join(resolve(folder), "seed-report.json");
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new CampaignError("config.file-missing", `there is no ${path}`, {
      cause,
      next: "make a policy with `turnwise policy train-seed`",
    });
  });
  return parseContractJson(StoredSeedReport, Buffer.from(text), path);
}
