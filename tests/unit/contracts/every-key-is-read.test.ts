// Promise L6: every key of a campaign's config, of an environment's, of a recipe and of a job is read by code that acts on it. A key that is
// only shown, or that nothing reads, fails here.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { ENVIRONMENTS } from "#environments/registry.ts";
import { type Leaf, PropertyReads } from "../../support/property-reads.ts";

/** They tell what a config says and act on nothing of it. Of the command line, what creates a campaign acts. */
const TELLERS =
  /^src\/(adapters\/(history|tracking)\/|application\/(?!campaign\/create-campaign\.ts$)|cli\/|adapters\/seed-policy\/model-card\.ts$|core\/campaign\/estimate\.ts$)/;
const acts = ({ readers }: Leaf) => readers.some((path) => !TELLERS.test(path));

/** Keys that act on nothing by themselves, and who reads them. */
const ONLY_TOLD: Readonly<Record<string, RegExp>> = {
  description: /^src\/application\/campaign\/summary\.ts$/,
};
/** Read by the upcasters, which this looks past. */
const VERSION = "schemaVersion";

/** Objects that go whole to the trainer: their keys are fields of its dataclasses in snake_case, and it reads them outside of these. */
const TRAINERS = ["training.hyperparameters.", "training.adapter.", "model."];
const TRAINER = join(REPOSITORY, "trainer/src");
const trainerSource = readdirSync(TRAINER, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".py") && !name.endsWith("trainer/contracts.py"))
  .map((name) => readFileSync(join(TRAINER, name), "utf8"))
  .join("\n");
const isReadInPython = (path: string) => {
  const field = path.slice(path.lastIndexOf(".") + 1).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return new RegExp(`\\.${field}\\b`).test(trainerSource);
};
/** Of these tests/laws/estimators.ts holds more: each switch of each estimator changes advantages. */
const isSwitch = (path: string) => path.startsWith("advantage.");
const isReadByTrainer = (path: string) => TRAINERS.some((start) => path.startsWith(start)) && isReadInPython(path);

const unread = (leaves: readonly Leaf[]) =>
  leaves
    .filter(
      (leaf) => !acts(leaf) && !isReadByTrainer(leaf.path) && !isSwitch(leaf.path) && leaf.path !== VERSION && !(leaf.path in ONLY_TOLD),
    )
    .map(({ path }) => path);

const PLUGIN_IMPORT = /^import \{ ([^}]+) \} from "\.\/(.+\/plugins?\.ts)";$/gm;

/** A schema with keys that nobody reads: one of a new name, and one whose name is read of something else. */
const EXTENDED = `
  import { z } from "zod";
  import { BudgetConfig, type CampaignConfig, TrainingHyperparameters } from "#contracts/campaign-config.ts";
  const Budget = BudgetConfig.extend({ maxFoo: z.number(), groupSize: z.number() });
  const Hyperparameters = TrainingHyperparameters.extend({ fooRate: z.number() });
  export type Extended = Omit<CampaignConfig, "budget" | "training"> & {
    budget: z.infer<typeof Budget>;
    training: Omit<CampaignConfig["training"], "hyperparameters"> & { hyperparameters: z.infer<typeof Hyperparameters> };
  };
`;

/** The plugins' names, by the file that they come from. */
const plugins = [...readFileSync(join(REPOSITORY, "src/environments/registry.ts"), "utf8").matchAll(PLUGIN_IMPORT)].map(
  ([, names = "", path = ""]) => ({ names: names.split(", "), path }),
);
const PLUGIN_CONFIGS = [
  'import type { EnvironmentPlugin } from "#environments/plugin.ts";',
  "type ConfigOf<Plugin> = Plugin extends EnvironmentPlugin<infer Config> ? Config : never;",
  ...plugins.map(({ names, path }) => `import { ${names.join(", ")} } from "#environments/${path}";`),
  ...plugins.flatMap(({ names }) => names.map((name) => `export type ${name} = ConfigOf<typeof ${name}>;`)),
].join("\n");

let reads: PropertyReads;
beforeAll(() => {
  reads = new PropertyReads({ "src/extended-config.ts": EXTENDED, "src/plugin-configs.ts": PLUGIN_CONFIGS });
}, 240_000);

const leaves = () => reads.leaves("src/contracts/campaign-config.ts", "CampaignConfig");

test("every key of the config is read by code that acts on it", () => {
  expect(leaves().length).toBeGreaterThan(150);
  expect(unread(leaves())).toEqual([]);
});

test("what is only told is told where the table says", () => {
  for (const [path, reader] of Object.entries(ONLY_TOLD))
    expect(
      leaves()
        .find((leaf) => leaf.path === path)
        ?.readers.some((name) => reader.test(name)),
    ).toBe(true);
});

test.each(plugins.flatMap(({ names }) => names))("every key of the environment %s is read", (name) => {
  const found = reads.leaves("src/plugin-configs.ts", name).filter(({ path }) => path !== "type"); // the registry's
  expect(found.length).toBeGreaterThan(0);
  expect(unread(found)).toEqual([]);
});

test("every environment is among them", () => {
  expect(plugins.flatMap(({ names }) => names)).toHaveLength(ENVIRONMENTS.length);
});

test.each(["SeedRecipe", "SeedStage"])("every key of a seed policy's %s is read, by us or by the trainer", (name) => {
  const found = reads.leaves("src/contracts/seed-recipe.ts", name);
  expect(found.length).toBeGreaterThan(8);
  expect(unread(found)).toEqual([]);
});

test.each([
  ["training", "TrainingJob"],
  ["sft", "SftJob"],
  ["sft", "TokenizerJob"],
])("every key of %s's %s is read in Python", (file, name) => {
  const found = reads.leaves(`src/contracts/${file}.ts`, name).map(({ path }) => path);
  expect(found.length).toBeGreaterThan(3);
  expect(found.filter((path) => !isReadInPython(path) && path !== VERSION)).toEqual([]);
});

test("a key that is added and that nobody reads is found, also under a name that is read elsewhere", () => {
  const found = unread(reads.leaves("src/extended-config.ts", "Extended"));
  expect(found.sort()).toEqual(["budget.groupSize", "budget.maxFoo", "training.hyperparameters.fooRate"]);
});
