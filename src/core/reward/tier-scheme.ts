// What a tier scheme is: facts about a call in, a tier out.
import type { TierScheme } from "#contracts/reward-table.ts";

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
  /** Equal to a golden or an earlier call, in more arguments than is certain, only if a string of digits and a number are the same to the tool. */
  readonly isDoubtful: boolean;
  /** Effect of a write that is not gold, against the golden writes of that name; unknown without an environment to replay in. */
  readonly effect: "equivalent" | "different" | "unknown";
  /** Every argument of a write stands in a user message or a tool result. */
  readonly isGrounded: boolean;
  /** Position of its turn in the trajectory, from 0. */
  readonly turn: number;
}

/** What is known about a turn that called nothing. */
export type SilentTurnFacts = Pick<CallFacts, "turn">;

/** What tables and statistics need of a scheme. */
export interface SchemeTiers {
  readonly scheme: TierScheme;
  readonly tiers: readonly string[];
  /** Tiers that mean the same deed under different names: what is found out about one of them is found out about all. */
  readonly sameDeed: readonly (readonly string[])[];
}

/** A scheme of calls that are compared with golden actions. */
export interface TierSchemeDefinition extends SchemeTiers {
  /** For turns of several calls: the tier that speaks for the turn is the first of these. Does not depend on any reward table. */
  readonly salience: readonly string[];
  classify(facts: CallFacts): string;
  /** The tier of a turn that calls nothing, `tier` being message or error. */
  classifySilent(tier: string, facts: SilentTurnFacts): string;
}
