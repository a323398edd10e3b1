// A tier scheme of one's own: tiers of a built-in scheme, told apart further by predicates over the facts about a call.
import type { CallPredicate, OwnTierScheme, TierSplit } from "#contracts/reward-table.ts";
import { CampaignError } from "../errors.ts";
import type { CallFacts, SilentTurnFacts, TierSchemeDefinition } from "./tier-scheme.ts";

/**
 * The base scheme with its splits applied in order: a call that is of `from` when its turn comes, and for which `when` holds, becomes
 * `tier`. A split tier speaks for a turn just before the tier that it was split from, and is a deed of its own. Throws config.invalid for a tier that is not
 * there to be split, or a new one that is.
 */
export function splitTiers(base: TierSchemeDefinition, scheme: OwnTierScheme): TierSchemeDefinition {
  const { splits } = scheme;
  const [tiers, salience] = [[...base.tiers], [...base.salience]];
  for (const { tier, from } of splits) {
    if (tiers.includes(tier)) throw invalid(scheme, `tier ${tier} is there already`, "give the split a name of its own");
    if (!tiers.includes(from))
      throw invalid(scheme, `tier ${tier} is split from ${from}, which is not there`, `use one of ${tiers.join(", ")}`);
    tiers.splice(tiers.indexOf(from), 0, tier);
    salience.splice(salience.indexOf(from), 0, tier);
  }
  const refine = (first: string, facts: CallFacts | SilentTurnFacts) =>
    splits.reduce((tier, split) => (tier === split.from && holds(split.when, facts) ? split.tier : tier), first);
  return {
    scheme,
    tiers,
    salience,
    sameDeed: base.sameDeed,
    classify: (facts) => refine(base.classify(facts), facts),
    classifySilent: (tier, facts) => refine(base.classifySilent(tier, facts), facts),
  };
}

/** Values of a table of the base, carried over to the split tiers: each begins with what the tier it came from has. */
export function inherit<Value>(values: Readonly<Record<string, Value>>, splits: readonly TierSplit[]): Record<string, Value> {
  const inherited = { ...values };
  for (const { tier, from } of splits) {
    const value = inherited[tier] ?? inherited[from];
    if (value !== undefined) inherited[tier] = value;
  }
  return inherited;
}

function holds({ tool, partialMatch, turn, ...equal }: CallPredicate, facts: Partial<CallFacts> & SilentTurnFacts): boolean {
  if (tool !== undefined && !tool.includes(facts.name ?? "")) return false;
  if (partialMatch !== undefined && !isWithin(facts.partialMatch ?? null, partialMatch)) return false;
  if (turn !== undefined && !isWithin(facts.turn, turn)) return false;
  return Object.entries(equal).every(([name, wanted]) => wanted === undefined || facts[name as keyof typeof equal] === wanted);
}

function isWithin(value: number | null, { min, max }: { min: number; max?: number | undefined }): boolean {
  return value !== null && value >= min && value <= (max ?? Number.POSITIVE_INFINITY);
}

function invalid(scheme: OwnTierScheme, what: string, next: string): CampaignError {
  return new CampaignError("config.invalid", `tier scheme ${scheme.name}: ${what}`, { next });
}
