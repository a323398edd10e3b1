// The committed policies are what their reports and recipes say they are.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { createTokenizer } from "#adapters/inference/tokenizer.ts";
import { openSeedEnvironment } from "#adapters/seed-policy/environments/open.ts";
import { loadRecipe } from "#adapters/seed-policy/load-recipe.ts";
import { modelCard } from "#adapters/seed-policy/model-card.ts";
import { recipeFingerprint } from "#adapters/seed-policy/train-seed.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { StoredSeedReport } from "#contracts/upcast/seed-recipe.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const MODELS = join(REPOSITORY, "configs", "models");
const signal = new AbortController().signal;

/** Their recipes' fingerprints: what is demonstrated today is what these policies were made from. */
const FINGERPRINTS = { "embedded-airline": "088c1e9ba327", "embedded-code": "cb37d5628b20" };

describe.each(Object.entries(FINGERPRINTS))("%s", (name, fingerprint) => {
  const folder = join(MODELS, name);
  const report = StoredSeedReport.parse(JSON.parse(readFileSync(join(folder, "seed-report.json"), "utf8")));
  const tokenizer = createTokenizer(join(folder, "tokenizer.json"));
  const environment = openSeedEnvironment(report.recipe, signal);
  afterAll(() => environment.close());

  test("the committed files are the report's", () => {
    for (const [file, { sha256, numBytes }] of Object.entries(report.files)) {
      const bytes = readFileSync(join(folder, file));
      expect([createHash("sha256").update(bytes).digest("hex"), bytes.length], file).toEqual([sha256, numBytes]);
    }
  });

  test("the card is the report's, and the committed recipe is the one that was followed", async () => {
    expect(readFileSync(join(folder, "README.md"), "utf8")).toBe(modelCard(report));
    expect(await loadRecipe(join(folder, "recipe.yaml"))).toEqual(report.recipe);
  });

  test("the recipe still gives the same demonstrations", { timeout: 180_000 }, async () => {
    expect(await recipeFingerprint(report.recipe, signal)).toBe(fingerprint);
  });

  test("the policy is small, competent and sloppy: room for training on both sides", () => {
    expect(report.numParameters).toBeLessThan(2_000_000);
    expect(report.files["model.safetensors"]?.numBytes).toBeLessThan(8_000_000);
    expect(report.evaluation.passRate).toBeGreaterThan(0.3);
    expect(report.evaluation.passRate).toBeLessThan(0.65);
    expect(report.training.mixedShare).toBeGreaterThan(0.6);
  });

  test("control tokens, handles and tool names are one token each", () => {
    for (const token of environment.specialTokens) expect(tokenizer.encode(token)).toEqual([tokenizer.specialId(token)]);
    for (const token of environment.atomicTokens) expect(tokenizer.encode(token), token).toHaveLength(1);
  });

  test("demonstrations survive the tokenizer and fit into the model", { timeout: 120_000 }, async () => {
    for (let index = 0; index < 50; index++) {
      const { segments } = (await environment.demonstrate(index, 0.5)).row;
      const tokens = segments.map(({ text }) => tokenizer.encode(text));
      expect(tokens.map((ids) => tokenizer.decode(ids))).toEqual(segments.map(({ text }) => text));
      expect(tokens.flat().length).toBeLessThanOrEqual(environment.limits.maxContextTokens);
      segments.forEach(({ trained }, at) => {
        if (trained) expect(tokens[at]?.length).toBeLessThanOrEqual(environment.limits.maxTokensPerTurn);
      });
    }
  });
});

test.each(Object.keys(FINGERPRINTS))("a recipe of %s with an unknown key is refused by name", async (name) => {
  const path = join(temporaryFolder(), "recipe.yaml");
  writeFileSync(path, `${readFileSync(join(MODELS, name, "recipe.yaml"), "utf8")}\nslips: 1\n`);
  await expect(loadRecipe(path)).rejects.toMatchObject({ code: "config.invalid", message: expect.stringContaining("slips") });
  await expect(loadRecipe(join(MODELS, name, "no.yaml"))).rejects.toMatchObject({ code: "config.file-missing" });
});
