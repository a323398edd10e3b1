// A prior reward table of configs/rewards by its name.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { type RewardTable, RewardTableFile, type TierScheme } from "#contracts/reward-table.ts";
import { CampaignError } from "#core/errors.ts";
import { tableForScheme } from "#core/reward/reward-table.ts";

/** Throws config.file-missing for an unknown name, config.invalid for a file that is no table, reward.table-mismatch for one of other tiers. */
export async function loadRewardTable(directory: string, name: string, scheme: TierScheme): Promise<RewardTable> {
  const known = (await readdir(directory)).filter((file) => file.endsWith(".yaml")).map((file) => file.slice(0, -".yaml".length));
  if (!known.includes(name)) {
    throw new CampaignError("config.file-missing", `no reward table ${JSON.stringify(name)}; there are ${known.join(", ")}`, {
      next: "correct reward.table",
    });
  }
  const parsed = RewardTableFile.safeParse(parse(await readFile(join(directory, `${name}.yaml`), "utf8")));
  if (!parsed.success) throw new CampaignError("config.invalid", `configs/rewards/${name}.yaml: ${z.prettifyError(parsed.error)}`);
  return tableForScheme(parsed.data, scheme);
}
