// From tier statistics to a reward table. Both rules are functions of the fitting rollouts and the prior alone.
import type { Finding } from "#contracts/calibration-report.ts";
import type { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { createRewardTable, signOfValue } from "../reward/reward-table.ts";
import type { TierSchemeDefinition } from "../reward/tier-scheme.ts";

/** What a rule may look at, per tier of the fitting split. */
export interface TierEvidence {
  readonly tier: string;
  readonly pooled: number | null;
  readonly withinTask: Finding;
  readonly support: number;
}

export interface FittedTable {
  readonly table: RewardTable;
  /** Tiers where the data contradicts the prior's sign: neutral in the table. */
  readonly conflicts: { readonly tier: string; readonly intendedSign: number; readonly fittedValue: number }[];
  /** Tiers without enough evidence: the prior's value stays. */
  readonly keptPrior: string[];
  /** Tiers with a value of their own, from the data. */
  readonly revalued: string[];
}

const UNDEFINED: Finding = { value: null, low: null, high: null };

type Sign = -1 | 0 | 1;
interface Fit {
  readonly value: RewardTable["values"][string];
  readonly sign: Sign;
  readonly state: "fitted" | "kept" | "conflict";
  readonly wanted: number;
}
type Rule = (
  evidence: TierEvidence,
  prior: { readonly value: Fit["value"]; readonly sign: Sign },
  config: CalibrationConfig,
  proposed: number | undefined,
) => Fit;

/**
 * arXiv:2604.02869, Algorithm 1: alpha * pooled correlation above delta, else 0. The intended sign stays the author's, so that the
 * gate sees where the data turned it around; a tier worth nothing intends nothing.
 */
const algorithm1: Rule = ({ pooled }, prior, { alpha, delta }) => {
  const value = pooled !== null && Math.abs(pooled) > delta ? alpha * pooled : 0;
  return { value, sign: value === 0 ? 0 : prior.sign, state: "fitted", wanted: value };
};

/**
 * methods.md 13.9: alpha * within-task correlation above delta, else 0. Without support, or with an interval that holds 0 although
 * the value does not, the prior stays; where the data and a prior sign disagree the tier becomes neutral, since one of the two is wrong.
 */
const withinTask: Rule = ({ withinTask: rho, support }, prior, { alpha, delta, minSupport, requireCertainty }) => {
  const kept: Fit = { value: prior.value, sign: prior.sign, state: "kept", wanted: 0 };
  if (rho.value === null || support < minSupport) return kept;
  const wanted = Math.abs(rho.value) > delta ? alpha * rho.value : 0;
  if (wanted !== 0 && requireCertainty && !excludesZero(rho)) return kept;
  const isConflict = wanted !== 0 && prior.sign !== 0 && signOfValue(wanted) !== prior.sign;
  const value = isConflict ? 0 : wanted;
  return { value, sign: signOfValue(value), state: isConflict ? "conflict" : "fitted", wanted };
};

/** What a model proposed, as it is: the gate alone decides. Tiers that it does not speak of keep the prior's value. */
const llmProposed: Rule = (_, prior, __, proposed) =>
  proposed === undefined
    ? { value: prior.value, sign: prior.sign, state: "kept", wanted: 0 }
    : { value: proposed, sign: signOfValue(proposed), state: "fitted", wanted: proposed };

function excludesZero({ low, high }: Finding): boolean {
  return low !== null && high !== null && (low > 0 || high < 0);
}

const RULES: Readonly<Record<CalibrationConfig["rule"], { readonly version: string; readonly revalue: Rule }>> = {
  "algorithm-1": { version: "algorithm-1/1", revalue: algorithm1 },
  "within-task": { version: "within-task/1", revalue: withinTask },
  "llm-proposed": { version: "llm-proposed/1", revalue: llmProposed },
};

export function ruleVersion(rule: CalibrationConfig["rule"]): string {
  return RULES[rule].version;
}

/** The table that a rule makes from the evidence, with its lineage. Deterministic: equal evidence, equal sha256. */
export function fitTable(input: {
  readonly scheme: TierSchemeDefinition;
  readonly evidence: readonly TierEvidence[];
  readonly priorTable: RewardTable;
  readonly config: CalibrationConfig;
  readonly iteration: number;
  readonly bufferSha256: string;
  /** Values by tier that a model proposed. */
  readonly proposed?: ReadonlyMap<string, number>;
  /** Tiers that an earlier round found not to be followed by their advantages: worth 0. */
  readonly neutral?: ReadonlySet<string>;
}): FittedTable {
  const { version, revalue } = RULES[input.config.rule];
  const byTier = new Map(input.evidence.map((evidence) => [evidence.tier, evidence]));
  const fits = input.scheme.tiers.map((tier) => {
    const evidence = byTier.get(tier) ?? { tier, pooled: null, withinTask: UNDEFINED, support: 0 };
    const prior = { value: input.priorTable.values[tier] ?? 0, sign: input.priorTable.intendedSigns[tier] ?? 0 };
    const fitted = revalue(evidence, prior, input.config, input.proposed?.get(tier));
    return { tier, prior, ...(input.neutral?.has(tier) === true ? { ...fitted, value: 0, sign: 0 as const } : fitted) };
  });
  const table = createRewardTable(
    {
      schemaVersion: 1,
      name: `${input.config.rule}-${input.iteration}`,
      scheme: input.scheme.scheme,
      values: Object.fromEntries(fits.map(({ tier, value }) => [tier, value])),
      intendedSigns: Object.fromEntries(fits.map(({ tier, sign }) => [tier, sign])),
    },
    { parentSha256: input.priorTable.sha256, bufferSha256: input.bufferSha256, rule: version, iteration: input.iteration },
  );
  return {
    table,
    conflicts: fits
      .filter(({ state }) => state === "conflict")
      .map(({ tier, prior, wanted }) => ({ tier, intendedSign: prior.sign, fittedValue: wanted })),
    revalued: fits.filter(({ state, value }) => state === "fitted" && value !== 0).map(({ tier }) => tier),
    keptPrior: fits.filter(({ state }) => state === "kept").map(({ tier }) => tier),
  };
}
