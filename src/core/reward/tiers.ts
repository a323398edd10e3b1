// Tier schemes: what a call is worth knowing as. A scheme is a list of tiers and a function of the facts about one call.
import { FINER_TIERS, GROUNDED_TIERS, PAPER_TIERS, type TierScheme } from "#contracts/reward-table.ts";

/** What is known about one executed call, before any scheme names it. */
export interface CallFacts {
  readonly name: string;
  readonly isError: boolean;
  /** Equal to a golden call that no earlier call had matched. */
  readonly isGold: boolean;
  /** Same name and arguments as an earlier executed call of the trajectory. */
  readonly isDuplicate: boolean;
  /** Changes the database, or ends the conversation. */
  readonly isWrite: boolean;
  readonly isTransfer: boolean;
  /** 0.5 to 0.99 when some arguments equal those of a golden call of that name, else null. */
  readonly partialMatch: number | null;
  /** Effect of a write that is not gold, against the golden writes of that name; unknown without an environment to replay in. */
  readonly effect: "equivalent" | "different" | "unknown";
  /** Every argument of a write stands in a user message or a tool result. */
  readonly isGrounded: boolean;
}

export interface TierSchemeDefinition {
  readonly id: TierScheme;
  readonly tiers: readonly string[];
  /** For turns of several calls: the tier that speaks for the turn is the first of these. Does not depend on any reward table. */
  readonly salience: readonly string[];
  classify(facts: CallFacts): string;
}

/** The tier of a turn that calls no tool. */
export const MESSAGE_TIER = "message";

/** The seven tiers of arXiv:2604.02869, section 5.3, in the order of rules of methods.md 13.6. */
const PAPER: TierSchemeDefinition = {
  id: "paper/1",
  tiers: PAPER_TIERS,
  salience: ["gold", "state", "error", "duplicate", "soft", "read", "message"],
  classify: (facts) => {
    if (facts.isError) return "error";
    if (facts.isGold) return "gold";
    if (facts.isDuplicate) return "duplicate";
    if (facts.partialMatch !== null) return "soft";
    return facts.isWrite ? "state" : "read";
  },
};

/** Reads and writes apart, transfers apart, and writes judged by what they do rather than by how they are written. methods.md 12.4, 13.6. */
const FINER: TierSchemeDefinition = {
  id: "finer/1",
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
  id: "grounded/1",
  tiers: GROUNDED_TIERS,
  salience: ["gold_write", "equiv_write", "ungrounded_arg", ...FINER.salience.slice(2)],
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

const SCHEMES: Readonly<Record<TierScheme, TierSchemeDefinition>> = { "paper/1": PAPER, "finer/1": FINER, "grounded/1": GROUNDED };

export function tierScheme(id: TierScheme): TierSchemeDefinition {
  return SCHEMES[id];
}
