// code/1: what a turn of tool-integrated reasoning is.
import type { LabelledScheme } from "#core/reward/labeller.ts";

export const CODE_SCHEME = "code/1";

/**
 * gold_run   its code ended well, and the last line that it gave is the task's answer (tasks with an answer)
 * run        its code ended well
 * duplicate  its code ended well, and is that of an earlier turn
 * error      its code raised
 * limit      its code was ended by a limit (time, memory, output, number of cells), or broke its interpreter
 * format     a call that cannot be read, a message that cannot be read, or a first turn without a call
 * answer     calls nothing and has an answer in it, or calls the final tool
 * message    calls nothing and has no answer in it
 */
export const CODE_TIERS = ["gold_run", "run", "duplicate", "error", "limit", "format", "answer", "message"] as const;
export type CodeTier = (typeof CODE_TIERS)[number];

/**
 * Turn rewards of GTPO, and the default: -0.1 for a turn that breaks the format is the paper's; code that raises or meets a limit costs the
 * same, which is ours. What a tier is meant to do is the sign of its value.
 *
 * source   arXiv:2511.14846, Eq. 5
 */
const GTPO_VALUES: Partial<Record<CodeTier, number>> = { format: -0.1, error: -0.1, limit: -0.1 };

export const CODE_TIER_SCHEME: LabelledScheme = { tiers: CODE_TIERS, sameDeed: [], defaultTable: { values: GTPO_VALUES } };
