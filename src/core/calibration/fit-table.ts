// From tier statistics to a reward table: a function of the fitting rollouts, the author's table and the one in force alone.
// The author's table says what is intended and in which units; the one in force says what stays where nothing was found out.
import type { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable, TierValue } from "#contracts/reward-table.ts";
import { authorSha256Of, createRewardTable, signOfValue } from "../reward/reward-table.ts";
import type { SchemeTiers } from "../reward/tier-scheme.ts";
import { convert, type Rate, rateOf } from "./author-scale.ts";
import { type Deed, deedsOf } from "./deeds.ts";
import { contradicts, type Fit, RULES, type Sign, type TierEvidence } from "./rules.ts";

export interface FittedTable {
  readonly table: RewardTable;
  /** Tiers where the data contradicts the sign that the author intends. */
  readonly conflicts: { readonly tier: string; readonly intendedSign: number; readonly fittedValue: number }[];
  /** Tiers without enough evidence: the value in force stays. */
  readonly kept: string[];
  /** Deeds with a value from the data that is not 0, by the tier that speaks for them. */
  readonly revalued: string[];
  /** The author's units per unit of the fit; null when the rule does not convert, or nothing was fitted. */
  readonly scale: number | null;
}

export interface FitTableInput {
  readonly scheme: SchemeTiers;
  /** One entry per deed, by the tier that speaks for it. */
  readonly evidence: readonly TierEvidence[];
  readonly authorTable: RewardTable;
  readonly inForceTable: RewardTable;
  readonly config: CalibrationConfig;
  readonly iteration: number;
  readonly bufferSha256: string;
  /** Values by tier that a model proposed. */
  readonly proposed?: ReadonlyMap<string, number>;
  /** Deeds that an earlier round found not to be followed by their advantages, by the tier that speaks for them: worth 0. */
  readonly neutral?: ReadonlySet<string>;
}

interface DeedFit {
  readonly deed: Deed;
  /** Null: nothing was found out. */
  readonly fit: Fit | null;
}

/** The table that a rule makes from the evidence, with its lineage. Deterministic: equal evidence, equal sha256. */
export function fitTable(input: FitTableInput): FittedTable {
  const { authorTable, inForceTable, config, scheme } = input;
  const rule = RULES[config.rule];
  const fits = deedsOf(scheme, authorTable, config.rule).map((deed) => fitDeed(deed, input));
  const rate = rule.isInAuthorsTerms ? rateOfFits(fits, authorTable, config.alpha) : null;
  const tiers = fits.flatMap((one) => one.deed.map((tier) => ({ tier, ...tierValue(tier, one, rate, input) })));
  const table = createRewardTable(
    {
      schemaVersion: 1,
      name: `${config.rule.replace("/", "-")}-${input.iteration}`,
      scheme: scheme.scheme,
      values: Object.fromEntries(tiers.map(({ tier, value }) => [tier, value])),
      intendedSigns: Object.fromEntries(tiers.map(({ tier, sign }) => [tier, sign])),
    },
    {
      parentSha256: inForceTable.sha256,
      authorSha256: authorSha256Of(authorTable),
      bufferSha256: input.bufferSha256,
      rule: rule.version,
      iteration: input.iteration,
    },
  );
  return {
    table,
    conflicts: fits.flatMap((one) => conflictsOf(one, authorTable)),
    kept: fits.flatMap(({ deed, fit }) => (fit === null ? [...deed] : [])),
    revalued: fits.flatMap(({ deed, fit }) => (fit !== null && fit.value !== 0 ? [deed[0]] : [])),
    scale: rate === null ? null : convert(1, rate),
  };
}

function fitDeed(deed: Deed, { evidence, authorTable, config, proposed, neutral }: FitTableInput): DeedFit {
  const [speaker] = deed;
  const found = evidence.find(({ tier }) => tier === speaker) ?? { tier: speaker, pooled: null, withinTask: UNDEFINED, support: 0 };
  const fit = RULES[config.rule].revalue(found, intendedSign(deed, authorTable), config, proposed?.get(speaker));
  return { deed, fit: fit !== null && neutral?.has(speaker) === true ? { ...fit, value: 0, sign: 0 } : fit };
}

const UNDEFINED = { value: null, low: null, high: null };

/** Of a deed: that of any of its tiers which has one; they do not contradict each other. */
function intendedSign(deed: Deed, { intendedSigns }: RewardTable): Sign {
  return deed.map((tier) => intendedSigns[tier] ?? 0).find((sign) => sign !== 0) ?? 0;
}

/** The rate of the author's units to alpha times a correlation; alpha itself is what the author's scale is multiplied by. */
function rateOfFits(fits: readonly DeedFit[], { values }: RewardTable, alpha: number): Rate | null {
  const fitted = fits.filter(({ fit }) => fit !== null && fit.value !== 0);
  if (fitted.length === 0) return null;
  return rateOf(
    fitted.map(({ deed: [speaker], fit }) => ({ author: numberOf(values[speaker]), fitted: (fit?.value ?? 0) / alpha })),
    Object.values(values).map(numberOf),
  );
}

/** A graded value has no single weight, so it says nothing about units. */
function numberOf(value: TierValue | undefined): number {
  return typeof value === "number" ? value : 0;
}

/** Value and sign of one tier of a deed: all move together, in the proportions that the author gave them. */
function tierValue(
  tier: string,
  { deed: [speaker], fit }: DeedFit,
  rate: Rate | null,
  { authorTable, inForceTable }: FitTableInput,
): { readonly value: TierValue; readonly sign: Sign } {
  if (fit === null) return { value: inForceTable.values[tier] ?? 0, sign: inForceTable.intendedSigns[tier] ?? 0 };
  const whole = rate === null ? fit.value : convert(fit.value, rate);
  if (tier === speaker) return { value: whole, sign: fit.sign };
  const [own, most] = [numberOf(authorTable.values[tier]), numberOf(authorTable.values[speaker])];
  const value = most === 0 ? whole : (whole / most) * own;
  return { value, sign: signOfValue(value) };
}

/** Every tier of the deed of which the author intends something. */
function conflictsOf({ deed, fit }: DeedFit, authorTable: RewardTable): FittedTable["conflicts"] {
  if (fit === null || !contradicts(fit, intendedSign(deed, authorTable))) return [];
  return deed.flatMap((tier) => {
    const sign = authorTable.intendedSigns[tier] ?? 0;
    return sign === 0 ? [] : [{ tier, intendedSign: sign, fittedValue: fit.wanted }];
  });
}
