// Tiny recipes through the real trainer and the real policy server: minutes become seconds, everything else is as it is shipped.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { trainSeed } from "#adapters/seed-policy/train-seed.ts";
import { SeedRecipe } from "#contracts/seed-recipe.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython, PYTHON } from "../../support/python.ts";

const ENVIRONMENTS = [{ type: "synthetic-airline" }, { type: "code-reasoning", families: ["arithmetic"], difficulties: [1] }] as const;

const tinyRecipe = (environment: (typeof ENVIRONMENTS)[number]): SeedRecipe =>
  SeedRecipe.parse({
    schemaVersion: 2,
    environment,
    tokenizer: { conversations: 100 },
    model: {
      hiddenSize: 32,
      numLayers: 2,
      numHeads: 2,
      numKeyValueHeads: 2,
      headDim: 16,
      intermediateSize: 64,
      ropeTheta: 10000,
      maxPositions: 1024,
    },
    stages: [
      { name: "first", slipRate: 0, tokens: 8000, conversations: 80 },
      { name: "second", slipRate: 0.5, tokens: 4000, conversations: 40 },
    ],
    measure: { evaluationTasks: 2, trials: 1, mixedTasks: 1, groupSize: 2 },
  });

test.skipIf(!hasPython).each(ENVIRONMENTS)(
  "$type: the same recipe gives the same bytes, and the second making of a finished one trains nothing",
  { timeout: 600_000 },
  async (environment) => {
    const recipe = tinyRecipe(environment);
    const make = async (workDirectory: string) => {
      const outputDirectory = temporaryFolder();
      const progress: string[] = [];
      const signal = new AbortController().signal;
      const report = await trainSeed({
        recipe,
        python: PYTHON,
        workDirectory,
        outputDirectory,
        threads: 1,
        signal,
        onProgress: (line) => progress.push(line),
      });
      return { report, progress, outputDirectory };
    };
    const workDirectory = temporaryFolder();
    const first = await make(workDirectory);
    const again = await make(workDirectory);
    const elsewhere = await make(temporaryFolder());

    expect(first.report.stages.every(({ tokens }, index) => tokens >= (recipe.stages[index]?.tokens ?? 0) - 1000)).toBe(true);
    expect(first.report.evaluation.numTasks).toBe(2);
    expect(elsewhere.report).toEqual(first.report);
    expect(again.report).toEqual(first.report);
    expect(again.progress.some((line) => line.includes("validation loss"))).toBe(false);
    expect(await readFile(join(first.outputDirectory, "README.md"), "utf8")).toContain(first.report.files["model.safetensors"]?.sha256);
  },
);
