// Tier schemes: what a call is worth knowing as. A scheme is a list of tiers and a function of the facts about one call.
import {
  type BuiltInTierScheme,
  type EnvironmentTierScheme,
  FINER_TIERS,
  GROUNDED_TIERS,
  type NamedTierScheme,
  type OwnTierScheme,
  PAPER_TIERS,
  type TierScheme,
} from "#contracts/reward-table.ts";
import { hashJson } from "../canonical-json.ts";
import { CampaignError } from "../errors.ts";
import type { CallFacts, SchemeTiers, TierSchemeDefinition } from "./tier-scheme.ts";
import { splitTiers } from "./tier-splits.ts";

/** The tier of a turn that calls no tool. */
export const MESSAGE_TIER = "message";

/** The seven tiers of arXiv:2604.02869, section 5.3, in the order of rules of methods.md 13.6. */
const PAPER: TierSchemeDefinition = {
  scheme: "paper/1",
  classifySilent: (tier) => tier,
  tiers: PAPER_TIERS,
  salience: ["gold", "state", "error", "duplicate", "soft", "read", "message"],
  sameDeed: [],
  classify: (facts) => {
    if (facts.isError) return "error";
    if (facts.isGold) return "gold";
    if (facts.isDuplicate) return "duplicate";
    if (facts.partialMatch !== null) return "soft";
    return facts.isWrite ? "state" : "read";
  },
};

/**
 * Reads and writes apart, transfers apart, and writes judged by what they do rather than by how they are written. methods.md 12.4, 13.6.
 * A golden write and one of equal effect are the same deed, spelt differently. Others are not: `wrong_write` is a near miss of a golden
 * call and `state` a write that nobody asked for; `soft_write` is a near miss whose effect is not known, so it mixes wrong and equal ones.
 */
const FINER: TierSchemeDefinition = {
  scheme: "finer/1",
  classifySilent: (tier) => tier,
  tiers: FINER_TIERS,
  salience: [
    "gold_write",
    "equiv_write",
    "wrong_write",
    "state",
    "soft_write",
    "transfer",
    "error",
    "duplicate",
    "gold_read",
    "soft_read",
    "read",
    "message",
  ],
  sameDeed: [["gold_write", "equiv_write"]],
  classify: (facts) => {
    if (facts.isError) return "error";
    if (facts.isGold) return facts.isWrite ? "gold_write" : "gold_read";
    if (facts.isDuplicate) return "duplicate";
    if (facts.isTransfer) return "transfer";
    if (facts.isWrite) return classifyWrite(facts);
    return facts.partialMatch === null ? "read" : "soft_read";
  },
};

/** The finer tiers; a write that would be a wrong or unknown one is told apart when an argument of it was made up. */
const GROUNDED: TierSchemeDefinition = {
  scheme: "grounded/1",
  classifySilent: (tier) => tier,
  tiers: GROUNDED_TIERS,
  salience: ["gold_write", "equiv_write", "ungrounded_arg", ...FINER.salience.slice(2)],
  sameDeed: FINER.sameDeed,
  classify: (facts) => {
    const isMadeUp = facts.isWrite && !facts.isTransfer && !facts.isGrounded && facts.effect !== "equivalent";
    return isMadeUp && !facts.isError && !facts.isGold && !facts.isDuplicate ? "ungrounded_arg" : FINER.classify(facts);
  },
};

function classifyWrite(facts: CallFacts): string {
  if (facts.effect === "equivalent") return "equiv_write";
  if (facts.partialMatch === null) return "state";
  return facts.effect === "different" ? "wrong_write" : "soft_write";
}

const BUILT_IN: Readonly<Record<BuiltInTierScheme, TierSchemeDefinition>> = { "paper/1": PAPER, "finer/1": FINER, "grounded/1": GROUNDED };

/** The tiers of a scheme. Throws config.invalid when the splits of one's own scheme contradict each other. */
export function tierScheme(scheme: TierScheme): SchemeTiers {
  return isOfEnvironment(scheme) ? { scheme, tiers: scheme.tiers, sameDeed: scheme.sameDeed } : callScheme(scheme);
}

/** The whole definition, for labelling by golden actions. Throws as `tierScheme`, and for a scheme that another labeller brings. */
export function callScheme(scheme: TierScheme): TierSchemeDefinition {
  if (typeof scheme === "string") return BUILT_IN[scheme];
  if (!isOfEnvironment(scheme)) return splitTiers(BUILT_IN[scheme.base], scheme);
  throw new CampaignError("reward.table-mismatch", `the tiers ${scheme.id} are those of another environment's labeller`, {
    next: `use one of ${Object.keys(BUILT_IN).join(", ")}`,
  });
}

function isOfEnvironment(scheme: TierScheme): scheme is EnvironmentTierScheme {
  return typeof scheme !== "string" && "id" in scheme;
}

/** How a scheme is called in tables and messages: its id, or its name with the beginning of its hash. */
export function schemeName(scheme: TierScheme | NamedTierScheme): string {
  if (typeof scheme === "string") return scheme;
  return "id" in scheme ? scheme.id : `${scheme.name}@${hashJson(scheme).slice(0, 8)}`;
}

/** The scheme with further splits, under the same name; a built-in one gets the name given. Throws config.invalid for one that an environment brings. */
export function extendScheme(scheme: TierScheme, splits: OwnTierScheme["splits"], name: string): TierScheme {
  if (splits.length === 0) return scheme;
  if (isOfEnvironment(scheme)) {
    throw new CampaignError("config.invalid", `the tiers of ${scheme.id} cannot be split: predicates are about calls with golden actions`, {
      next: "leave the tiers as they are, or bring a finer scheme with the environment",
    });
  }
  if (typeof scheme === "string") return { name, base: scheme, splits };
  return { ...scheme, splits: [...scheme.splits, ...splits] };
}
