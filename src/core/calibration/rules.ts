// The rules: from the evidence about a tier to its value. Each looks at one tier alone; fit-table.ts makes a table of them.
import type { Finding } from "#contracts/calibration-report.ts";
import type { CalibrationConfig } from "#contracts/campaign-config.ts";
import { signOfValue } from "../reward/reward-table.ts";

/** What a rule may look at, per tier of the fitting split. */
export interface TierEvidence {
  readonly tier: string;
  readonly pooled: number | null;
  readonly withinTask: Finding;
  readonly support: number;
}

export type Sign = -1 | 0 | 1;

/** `wanted` is what the evidence asks for, `value` what becomes of it, and `sign` what the gate holds the tier's advantages to. */
export interface Fit {
  readonly wanted: number;
  readonly value: number;
  readonly sign: Sign;
}

/** Null leaves the tier as it is in the table in force. `intended` is the author's sign, whatever has been fitted since. */
type Revalue = (evidence: TierEvidence, intended: Sign, config: CalibrationConfig, proposed: number | undefined) => Fit | null;

export interface Rule {
  readonly version: string;
  readonly revalue: Revalue;
  /** Values in the author's units, and tiers that mean the same deed as one. */
  readonly isInAuthorsTerms: boolean;
  /** Whether tiers whose advantages do not follow on the fitting tasks become neutral, round by round. */
  readonly hasRounds: boolean;
}

/** Whether the evidence asks for another sign than the author intends. */
export function contradicts({ wanted }: Fit, intended: Sign): boolean {
  return wanted !== 0 && intended !== 0 && signOfValue(wanted) !== intended;
}

/** What the author intends, for a value that may go against it; a tier worth nothing intends nothing, and a tier without intention what it pays. */
function heldToAuthor(value: number, intended: Sign, otherwise: Sign): Sign {
  if (value === 0) return 0;
  return intended === 0 ? otherwise : intended;
}

/**
 * arXiv:2604.02869, Algorithm 1: alpha * pooled correlation above delta, else 0. The sign stays the author's, so that the gate sees
 * where the data turned it around.
 */
const algorithm1: Revalue = ({ pooled }, intended, { alpha, delta }) => {
  const value = pooled !== null && Math.abs(pooled) > delta ? alpha * pooled : 0;
  return { wanted: value, value, sign: heldToAuthor(value, intended, 0) };
};

/**
 * methods.md 13.9: alpha * within-task correlation above delta, else 0. Without support, or with an interval that holds 0 although
 * the value does not, nothing changes; where the data and the author's sign disagree the tier becomes neutral, since one of the two is wrong.
 */
const withinTask: Revalue = ({ withinTask: rho, support }, intended, { alpha, delta, minSupport, requireCertainty }) => {
  if (rho.value === null || support < minSupport) return null;
  const wanted = Math.abs(rho.value) > delta ? alpha * rho.value : 0;
  if (wanted !== 0 && requireCertainty && !excludesZero(rho)) return null;
  const sign = signOfValue(wanted);
  const fit: Fit = { wanted, value: wanted, sign };
  return contradicts(fit, intended) ? { wanted, value: 0, sign: 0 } : fit;
};

/** What a model proposed, as it is: the gate alone decides, and it holds the table to the author's signs. */
const llmProposed: Revalue = (_, intended, __, proposed) =>
  proposed === undefined ? null : { wanted: proposed, value: proposed, sign: heldToAuthor(proposed, intended, signOfValue(proposed)) };

function excludesZero({ low, high }: Finding): boolean {
  return low !== null && high !== null && (low > 0 || high < 0);
}

export const RULES: Readonly<Record<CalibrationConfig["rule"], Rule>> = {
  "within-task": { version: "within-task/2", revalue: withinTask, isInAuthorsTerms: true, hasRounds: true },
  "within-task/1": { version: "within-task/1", revalue: withinTask, isInAuthorsTerms: false, hasRounds: true },
  "algorithm-1": { version: "algorithm-1/1", revalue: algorithm1, isInAuthorsTerms: false, hasRounds: false },
  "llm-proposed": { version: "llm-proposed/2", revalue: llmProposed, isInAuthorsTerms: false, hasRounds: false },
};
