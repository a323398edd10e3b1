import { expect, test } from "vitest";
import { SeedRecipe } from "#contracts/seed-recipe.ts";
import { firstForm, StoredSeedRecipe } from "#contracts/upcast/seed-recipe.ts";

const model = {
  hiddenSize: 32,
  numLayers: 2,
  numHeads: 2,
  numKeyValueHeads: 2,
  headDim: 16,
  intermediateSize: 64,
  ropeTheta: 10000,
  maxPositions: 512,
};
const rest = { model, stages: [{ name: "only", slipRate: 0.1, tokens: 1000, conversations: 10 }] };

test("a recipe of version 1 is one of the synthetic airline, and goes back to its own form", () => {
  const recipe = StoredSeedRecipe.parse({ schemaVersion: 1, airlineSeed: 3, ...rest });
  expect(recipe).toEqual(SeedRecipe.parse({ schemaVersion: 2, environment: { type: "synthetic-airline", seed: 3 }, ...rest }));
  expect(StoredSeedRecipe.parse(firstForm(recipe))).toEqual(recipe);
  expect(firstForm(recipe)).toMatchObject({ schemaVersion: 1, airlineSeed: 3 });
  expect(StoredSeedRecipe.parse({ schemaVersion: 1, ...rest }).environment).toEqual({ type: "synthetic-airline", seed: 1 });
});

test("a recipe of another environment has no older form", () => {
  const recipe = SeedRecipe.parse({ schemaVersion: 2, environment: { type: "code-reasoning", difficulties: [1] }, ...rest });
  expect(firstForm(recipe)).toEqual(recipe);
  expect(recipe.environment).toMatchObject({ seed: 1, families: ["arithmetic", "dates", "counting", "tables", "programs"] });
});

test("an environment is named, and version 1 knows none", () => {
  expect(StoredSeedRecipe.safeParse({ schemaVersion: 2, ...rest }).success).toBe(false);
  expect(StoredSeedRecipe.safeParse({ schemaVersion: 2, environment: { type: "retail" }, ...rest }).success).toBe(false);
  expect(StoredSeedRecipe.safeParse({ schemaVersion: 1, environment: { type: "code-reasoning" }, ...rest }).success).toBe(false);
});
