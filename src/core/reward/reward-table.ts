// Reward tables as values: complete, consistent, hashed.
import type { RewardTable, RewardTableFile } from "#contracts/reward-table.ts";
import { hashJson } from "../canonical-json.ts";
import { CampaignError } from "../errors.ts";
import { tierScheme } from "./tiers.ts";

const HAND_SET: RewardTable["lineage"] = { parentSha256: null, bufferSha256: null, rule: "hand-set", iteration: null };

/**
 * A table from its values, with its sha256. Missing values are 0 and missing signs are those of the values.
 * Throws reward.table-mismatch for a tier that the scheme does not have.
 */
export function createRewardTable(input: RewardTableFile, lineage: RewardTable["lineage"] = HAND_SET): RewardTable {
  const { tiers } = tierScheme(input.scheme);
  const unknown = [...Object.keys(input.values), ...Object.keys(input.intendedSigns ?? {})].find((tier) => !tiers.includes(tier));
  if (unknown !== undefined) {
    throw new CampaignError("reward.table-mismatch", `reward table ${input.name}: ${input.scheme} has no tier ${unknown}`, {
      next: `use tiers of: ${tiers.join(", ")}`,
    });
  }
  const values = Object.fromEntries(tiers.map((tier) => [tier, input.values[tier] ?? 0]));
  const intendedSigns = Object.fromEntries(tiers.map((tier) => [tier, input.intendedSigns?.[tier] ?? signOfValue(values[tier] ?? 0)]));
  const body = { schemaVersion: 1 as const, name: input.name, scheme: input.scheme, values, intendedSigns, lineage };
  return { ...body, sha256: hashJson(body) };
}

/** Throws store.corrupt when the table is not what its hash says. */
export function verifyRewardTable(table: RewardTable): RewardTable {
  const { sha256, ...body } = table;
  if (hashJson(body) !== sha256)
    throw new CampaignError("store.corrupt", `reward table ${table.name} does not have the sha256 that it claims`);
  return table;
}

/** The sign that a value speaks for: "soft" pays, 0 says nothing. */
export function signOfValue(value: RewardTable["values"][string]): -1 | 0 | 1 {
  if (value === "soft") return 1;
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}
