// Tiers that mean the same deed are fitted as one. The scheme says which do; whether they are fitted together depends on the rule, and
// on the author's table: tiers to which it gives opposite signs, or a graded value, are meant as different deeds.
import type { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import type { SchemeTiers } from "../reward/tier-scheme.ts";
import { RULES } from "./rules.ts";
import type { SumsLayout } from "./task-sums.ts";

/** Tiers that get one fit, the one that speaks for them first: the most valued by the author. Most deeds have one tier. */
export type Deed = readonly [string, ...string[]];

/** Every tier of the scheme in exactly one deed, in the scheme's order. */
export function deedsOf(scheme: SchemeTiers, authorTable: RewardTable, rule: CalibrationConfig["rule"]): Deed[] {
  const tied = RULES[rule].isInAuthorsTerms ? scheme.sameDeed.filter((tiers) => areTied(tiers, authorTable)) : [];
  return scheme.tiers.flatMap((tier): Deed[] => {
    const group = tied.find((tiers) => tiers.includes(tier));
    if (group === undefined) return [[tier]];
    const isFirst = scheme.tiers.find((one) => group.includes(one)) === tier;
    return isFirst ? [byMagnitude(group, authorTable) as unknown as Deed] : [];
  });
}

/** A layout that counts deeds rather than tiers, each as the tier that speaks for it. Tiers of other deeds are not counted. */
export function deedLayout(deeds: readonly Deed[], tables: readonly RewardTable[] = []): SumsLayout {
  return {
    tiers: deeds.map(([speaker]) => speaker),
    tables,
    standsFor: new Map(deeds.flatMap(([speaker, ...others]) => others.map((tier) => [tier, speaker] as const))),
  };
}

function areTied(tiers: readonly string[], { values, intendedSigns }: RewardTable): boolean {
  const signs = tiers.map((tier) => intendedSigns[tier] ?? 0);
  return !(signs.includes(1) && signs.includes(-1)) && tiers.every((tier) => values[tier] !== "soft");
}

/** The largest value first, then what has an intended sign; the scheme's order among equals. */
function byMagnitude(tiers: readonly string[], { values, intendedSigns }: RewardTable): string[] {
  const magnitude = (tier: string) => Math.abs(Number(values[tier] ?? 0));
  const hasSign = (tier: string) => Math.abs(intendedSigns[tier] ?? 0);
  return tiers.toSorted((a, b) => magnitude(b) - magnitude(a) || hasSign(b) - hasSign(a));
}
