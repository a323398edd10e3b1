// A prior reward table of configs/rewards by its name.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { type RewardTable, RewardTableFile, type TierScheme } from "#contracts/reward-table.ts";
import { CampaignError } from "#core/errors.ts";
import { type Labeller, schemeOf } from "#core/reward/labeller.ts";
import { createRewardTable, tableForScheme } from "#core/reward/reward-table.ts";
import { schemeName } from "#core/reward/tiers.ts";
import { readYamlAs } from "../yaml/yaml-file.ts";

/** Throws config.file-missing for an unknown name, config.invalid for a file that is no table, reward.table-mismatch for one of other tiers. */
export async function loadRewardTable(directory: string, name: string, scheme: TierScheme): Promise<RewardTable> {
  const known = (await readdir(directory)).filter((file) => file.endsWith(".yaml")).map((file) => file.slice(0, -".yaml".length));
  if (!known.includes(name)) {
    throw new CampaignError("config.file-missing", `no reward table ${JSON.stringify(name)}; there are ${known.join(", ")}`, {
      next: "correct reward.table",
    });
  }
  return readRewardTable(join(directory, `${name}.yaml`), scheme);
}

/** A table from a file of the caller's own. Throws as `loadRewardTable`. */
export async function readRewardTable(path: string, scheme: TierScheme): Promise<RewardTable> {
  return tableForScheme(await readYamlAs(path, RewardTableFile, TABLE_FILE), scheme);
}

/**
 * The table that a campaign begins with: the one that it names, or else the one that its scheme begins with. Throws as `loadRewardTable`, and
 * config.invalid for a scheme that the environment's labeller does not know.
 */
export async function loadPriorTable(
  { tiers, table }: Pick<CampaignConfig["reward"], "tiers" | "table">,
  labeller: Labeller,
  directory: string,
): Promise<RewardTable> {
  const { scheme, defaultTable } = schemeOf(tiers, labeller);
  if (table !== undefined) return await loadRewardTable(directory, table, scheme);
  if (typeof defaultTable === "string") return await loadRewardTable(directory, defaultTable, scheme);
  return createRewardTable({ schemaVersion: 1, name: `default of ${schemeName(scheme)}`, scheme, ...defaultTable });
}

const TABLE_FILE = {
  what: "the reward table",
  nextWhenMissing: "check the path; ls configs/rewards",
  next: "correct the file; configs/rewards/finer-prior.yaml is a complete example",
};
