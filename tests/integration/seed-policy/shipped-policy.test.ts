// The committed policy is what its report and recipe say it is.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTokenizer } from "#adapters/inference/tokenizer.ts";
import { loadRecipe } from "#adapters/seed-policy/load-recipe.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { SeedReport } from "#contracts/seed-recipe.ts";
import { syntheticSource } from "#environments/synthetic-airline/airline.ts";
import { COMPACT_SPECIAL_TOKENS } from "#environments/synthetic-airline/compact-format/compact.ts";
import { COMPACT_ATOMIC_TOKENS, demonstration } from "#environments/synthetic-airline/demonstrations.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const FOLDER = join(REPOSITORY, "configs", "models", "embedded-airline");
const report = SeedReport.parse(JSON.parse(readFileSync(join(FOLDER, "seed-report.json"), "utf8")));
const tokenizer = createTokenizer(join(FOLDER, "tokenizer.json"));

test("the committed files are the report's", () => {
  for (const [name, { sha256, numBytes }] of Object.entries(report.files)) {
    const bytes = readFileSync(join(FOLDER, name));
    expect([createHash("sha256").update(bytes).digest("hex"), bytes.length], name).toEqual([sha256, numBytes]);
  }
});

test("the committed recipe is the one that was followed", async () => {
  expect(await loadRecipe(join(FOLDER, "recipe.yaml"))).toEqual(report.recipe);
});

test("the policy is small, competent and sloppy: room for training on both sides", () => {
  expect(report.numParameters).toBeLessThan(2_000_000);
  expect(report.files["model.safetensors"]?.numBytes).toBeLessThan(8_000_000);
  expect(report.evaluation.passRate).toBeGreaterThan(0.4);
  expect(report.evaluation.passRate).toBeLessThan(0.65);
  expect(report.training.mixedShare).toBeGreaterThan(0.6);
});

test("control tokens, handles and tool names are one token each", () => {
  for (const token of COMPACT_SPECIAL_TOKENS) expect(tokenizer.encode(token)).toEqual([tokenizer.specialId(token)]);
  for (const token of COMPACT_ATOMIC_TOKENS) expect(tokenizer.encode(token), token).toHaveLength(1);
});

test("demonstrations survive the tokenizer", () => {
  const source = syntheticSource(1);
  for (let index = 0; index < 50; index++) {
    for (const { text } of demonstration(source, "sft", index, 0.5).row.segments)
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  }
});

test("a recipe with an unknown key is refused by name", async () => {
  const path = join(temporaryFolder(), "recipe.yaml");
  writeFileSync(path, `${readFileSync(join(FOLDER, "recipe.yaml"), "utf8")}\nslips: 1\n`);
  await expect(loadRecipe(path)).rejects.toMatchObject({ code: "config.invalid", message: expect.stringContaining("slips") });
  await expect(loadRecipe(join(FOLDER, "no.yaml"))).rejects.toMatchObject({ code: "config.file-missing" });
});
