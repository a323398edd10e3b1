// Promise L6: every key of a campaign's config is read by code that acts on it. A key that is only shown, or that nothing reads, fails here.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { type Leaf, PropertyReads } from "../../support/property-reads.ts";

/** They tell what a config says and act on nothing of it. Of the command line, what creates a campaign acts. */
const TELLERS =
  /^src\/(adapters\/(history|tracking)\/|application\/(?!campaign\/create-campaign\.ts$)|cli\/|core\/campaign\/estimate\.ts$)/;
const acts = ({ readers }: Leaf) => readers.some((path) => !TELLERS.test(path));

/** Keys that act on nothing by themselves, and who reads them. */
const ONLY_TOLD: Readonly<Record<string, RegExp>> = {
  description: /^src\/application\/campaign\/summary\.ts$/,
};
/** Read by the upcasters, which this looks past. */
const VERSION = "schemaVersion";

/** Objects that go whole to the trainer: their keys are fields of its dataclasses in snake_case, and it reads them outside of these. */
const TRAINERS = ["training.hyperparameters.", "training.adapter."];
const TRAINER = join(REPOSITORY, "trainer/src/trainer");
const trainerSource = readdirSync(TRAINER, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".py") && name !== "contracts.py")
  .map((name) => readFileSync(join(TRAINER, name), "utf8"))
  .join("\n");
const isReadByTrainer = (path: string) => {
  const field = path.slice(path.lastIndexOf(".") + 1).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return TRAINERS.some((start) => path.startsWith(start)) && new RegExp(`\\.${field}\\b`).test(trainerSource);
};

const unread = (leaves: readonly Leaf[]) =>
  leaves
    .filter((leaf) => !acts(leaf) && !isReadByTrainer(leaf.path) && leaf.path !== VERSION && !(leaf.path in ONLY_TOLD))
    .map(({ path }) => path);

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

let reads: PropertyReads;
beforeAll(() => {
  reads = new PropertyReads({ "src/extended-config.ts": EXTENDED });
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

test("a key that is added and that nobody reads is found, also under a name that is read elsewhere", () => {
  const found = unread(reads.leaves("src/extended-config.ts", "Extended"));
  expect(found.sort()).toEqual(["budget.groupSize", "budget.maxFoo", "training.hyperparameters.fooRate"]);
});
