// Reward tables as values: complete, consistent, hashed.
import type { RewardTable, RewardTableFile, TierScheme, TierSplit, TierValue } from "#contracts/reward-table.ts";
import { hashJson } from "../canonical-json.ts";
import { CampaignError } from "../errors.ts";
import { inherit } from "./tier-splits.ts";
import { extendScheme, schemeName, tierScheme } from "./tiers.ts";

const HAND_SET: RewardTable["lineage"] = { parentSha256: null, authorSha256: null, bufferSha256: null, rule: "hand-set", iteration: null };

/** A file whose scheme is at hand. */
type TableValues = Omit<RewardTableFile, "scheme"> & { readonly scheme: TierScheme };

/**
 * A table from its values, with its sha256. Missing values are 0 and missing signs are those of the values.
 * Throws reward.table-mismatch for a tier that the scheme does not have.
 */
export function createRewardTable(input: TableValues, lineage: RewardTable["lineage"] = HAND_SET): RewardTable {
  const { tiers } = tierScheme(input.scheme);
  const unknown = [...Object.keys(input.values), ...Object.keys(input.intendedSigns ?? {})].find((tier) => !tiers.includes(tier));
  if (unknown !== undefined) {
    throw new CampaignError("reward.table-mismatch", `reward table ${input.name}: ${schemeName(input.scheme)} has no tier ${unknown}`, {
      next: `use tiers of: ${tiers.join(", ")}`,
    });
  }
  const values = Object.fromEntries(tiers.map((tier) => [tier, input.values[tier] ?? 0]));
  const intendedSigns = Object.fromEntries(tiers.map((tier) => [tier, input.intendedSigns?.[tier] ?? signOfValue(values[tier] ?? 0)]));
  const body = { schemaVersion: 2 as const, name: input.name, scheme: input.scheme, values, intendedSigns, lineage };
  return { ...body, sha256: hashJson(body) };
}

/**
 * A table for the rollouts of a campaign or an analysis: that of the file, or, where the file is for the scheme that `scheme` splits,
 * the same with the split tiers, each worth what the file says or else what the tier that it was split from is worth.
 * Throws reward.table-mismatch when the file is for other tiers.
 */
export function tableForScheme(file: RewardTableFile, scheme: TierScheme): RewardTable {
  if (schemeName(file.scheme) === schemeName(scheme)) return createRewardTable({ ...file, scheme });
  if (typeof scheme === "string" || "id" in scheme || file.scheme !== scheme.base) {
    throw new CampaignError(
      "reward.table-mismatch",
      `reward table ${file.name} is for tiers ${schemeName(file.scheme)}, not for ${schemeName(scheme)}`,
      { next: `choose a reward table of ${schemeName(scheme)}, or the tiers ${schemeName(file.scheme)}` },
    );
  }
  return createRewardTable(inheritTiers({ ...file, scheme: scheme.base }, scheme, scheme.splits));
}

/** Lineage of a table that only got more tiers. */
export const SPLIT_RULE = "tier-split/1";

/** The same table over more tiers: with no value changed, no turn reward changes. */
export function splitTable(table: RewardTable, splits: readonly TierSplit[], name: string): RewardTable {
  if (splits.length === 0) return table;
  const { values, intendedSigns } = table;
  const file = { schemaVersion: 1 as const, name: table.name, scheme: table.scheme, values, intendedSigns };
  return createRewardTable(inheritTiers(file, extendScheme(table.scheme, [...splits], name), splits), {
    ...table.lineage,
    parentSha256: table.sha256,
    authorSha256: authorSha256Of(table),
    rule: SPLIT_RULE,
  });
}

/** The hash of the author's table that a table comes from: its own when it is the author's; null for a fitted one of 0.1.0. */
export function authorSha256Of({ lineage, sha256 }: RewardTable): string | null {
  return lineage.authorSha256 ?? (lineage.bufferSha256 === null ? sha256 : null);
}

/** The table over the tiers of a scheme that is its own, or splits its own further. Throws reward.table-mismatch for any other. */
export function carryTable(table: RewardTable, scheme: TierScheme): RewardTable {
  if (schemeName(table.scheme) === schemeName(scheme)) return table;
  const splits = furtherSplits(table.scheme, scheme);
  if (splits === null || typeof scheme === "string" || "id" in scheme) {
    throw new CampaignError(
      "reward.table-mismatch",
      `reward table ${table.name} is of ${schemeName(table.scheme)}, which ${schemeName(scheme)} does not split further`,
      { next: `choose a reward table of ${schemeName(scheme)}, or label with ${schemeName(table.scheme)}` },
    );
  }
  return splitTable(table, splits, scheme.name);
}

/** What `to` splits beyond `from`; null when it is not made from it. */
function furtherSplits(from: TierScheme, to: TierScheme): readonly TierSplit[] | null {
  if (typeof to === "string" || "id" in to || (typeof from !== "string" && "id" in from)) return null;
  if (typeof from === "string") return to.base === from ? to.splits : null;
  const isExtended =
    to.name === from.name && to.base === from.base && hashJson(to.splits.slice(0, from.splits.length)) === hashJson(from.splits);
  return isExtended ? to.splits.slice(from.splits.length) : null;
}

function inheritTiers(file: TableValues, scheme: TierScheme, splits: readonly TierSplit[]): TableValues {
  const signs = file.intendedSigns === undefined ? {} : { intendedSigns: inherit(file.intendedSigns, splits) };
  return { ...file, ...signs, scheme, values: inherit(file.values, splits) };
}

/** Throws store.corrupt when the table is not what its hash says. A table of version 1 has the hash of what was written then. */
export function verifyRewardTable(table: RewardTable): RewardTable {
  const { sha256, ...body } = table;
  if (hashJson(body) !== sha256 && hashVersion1(body) !== sha256)
    throw new CampaignError("store.corrupt", `reward table ${table.name} does not have the sha256 that it claims`);
  return table;
}

/** The hash of a table as version 1 wrote it, without its author's hash; null for a table that version 1 could not say. */
function hashVersion1({ lineage: { authorSha256, ...lineage }, ...body }: Omit<RewardTable, "sha256">): string | null {
  return authorSha256 === null ? hashJson({ ...body, schemaVersion: 1, lineage }) : null;
}

/** The sign that a value speaks for: "soft" pays, 0 says nothing. */
export function signOfValue(value: TierValue): -1 | 0 | 1 {
  if (value === "soft") return 1;
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}
