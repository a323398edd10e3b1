// What calibration found and what the gate says: tier statistics, three reward tables judged on the same rollouts, the decision.
import { z } from "zod";
import { Sha256 } from "./artifact-ref.ts";
import { CalibrationConfig } from "./campaign-config.ts";
import { RewardTable, TierScheme, TierValue } from "./reward-table.ts";
import { RolloutReading } from "./rollout-reading.ts";
import { ProposalRecord } from "./table-proposal.ts";
import { StoredAdvantageConfig } from "./upcast/advantage.ts";
import { upcastCalibrationReport } from "./upcast/calibration-report.ts";
import { upcastingBy } from "./upcast/upcasting.ts";

/** A statistic with its interval. Null where the data does not define it: never NaN, never a guess. */
export const Finding = z
  .strictObject({ value: z.number().nullable(), low: z.number().nullable(), high: z.number().nullable() })
  .meta({ id: "Finding" });
export type Finding = z.infer<typeof Finding>;
const NOT_KNOWN = { value: null, low: null, high: null };

/** Which rollouts: all of them, those that the table was fitted on, those that only judge. Tasks (and users) are disjoint. */
export const Split = z.enum(["all", "fit", "judge"]);
export type Split = z.infer<typeof Split>;

/** How the presence of a tier in a rollout goes with its outcome. Correlations are point-biserial. */
export const TierStatistics = z
  .strictObject({
    tier: z.string(),
    numTurns: z.int().nonnegative().describe("turns that the tier speaks for"),
    numRollouts: z.int().nonnegative().describe("rollouts in which the tier occurs"),
    passRateGivenTurn: z.number().nullable().describe("share of the tier's turns that lie in passing rollouts"),
    passRate: Finding.default(NOT_KNOWN).describe("share of its rollouts that pass; Wilson, as if rollouts were independent"),
    pooled: Finding.describe("correlation over all rollouts: mixes the tier's effect with the difficulty of tasks"),
    withinTask: Finding.describe("correlation after the task means are taken off: what a group-normalised advantage can see"),
    support: z.int().nonnegative().describe("rollouts of tasks in which both presence and outcome vary"),
  })
  .meta({ id: "TierStatistics" });
export type TierStatistics = z.infer<typeof TierStatistics>;

/** A deed that has several tiers: how its presence, under any of them, goes with the outcome. */
export const DeedStatistics = TierStatistics.omit({ tier: true })
  .extend({ tiers: z.array(z.string()).min(2) })
  .meta({ id: "DeedStatistics" });
export type DeedStatistics = z.infer<typeof DeedStatistics>;

export const SplitStatistics = z
  .strictObject({
    split: Split,
    numTasks: z.int().nonnegative(),
    numRollouts: z.int().nonnegative(),
    numTurns: z.int().nonnegative(),
    numPasses: z.int().nonnegative(),
    passRate: Finding.default(NOT_KNOWN).describe("share of rollouts that pass; Wilson, as if rollouts were independent"),
    numMixedTasks: z.int().nonnegative().describe("tasks with both passing and failing rollouts"),
    numPairs: z
      .int()
      .nonnegative()
      .describe("pairs of rollouts of the same task that earned unequally: a passing and a failing one, where rewards are not graded"),
    tiers: z.array(TierStatistics),
    deeds: z.array(DeedStatistics).describe("tiers that mean the same deed, together: what the rule within-task fits them on"),
  })
  .meta({ id: "SplitStatistics" });
export type SplitStatistics = z.infer<typeof SplitStatistics>;

/** aligned, misaligned: the whole interval is on one side of 0; uncertain: it holds 0; none: no intended sign, or no such turn. */
export const Alignment = z.enum(["aligned", "misaligned", "uncertain", "none"]);
export type Alignment = z.infer<typeof Alignment>;

/** Mean advantages of a tier's turns under one reward table, by four ways to compute an advantage. */
export const TierAdvantages = z
  .strictObject({
    tier: z.string(),
    value: TierValue,
    intendedSign: z.union([z.literal(-1), z.literal(0), z.literal(1)]),
    numTurns: z.int().nonnegative(),
    immediate: Finding.describe("A^I: the turn reward against the group at the same turn index"),
    proxy: Finding.describe("A^I + lambda A^O, what the published check looks at"),
    summed: Finding.describe("A^I summed over the remaining turns, + lambda A^O"),
    estimator: Finding.describe("the advantage that training uses"),
    proxyAlignment: Alignment,
    estimatorAlignment: Alignment,
    isProxyMismatch: z.boolean().describe("the sign of the mean is not the intended one; 0 counts as a mismatch"),
    isEstimatorMismatch: z.boolean(),
    gradientShare: z.number().nullable().describe("share of |advantage| x tokens, under the estimator in use"),
  })
  .meta({ id: "TierAdvantages" });
export type TierAdvantages = z.infer<typeof TierAdvantages>;

/**
 * What a judged table is: the author's, with the values and intended signs that the campaign began with; the one in force, which
 * training would go on with; or the fitted one. Until the first adoption the author's is the one in force: one table, two roles.
 */
export const TableRole = z.enum(["author", "in-force", "fitted"]).meta({ id: "TableRole" });
export type TableRole = z.infer<typeof TableRole>;

/** One reward table, judged on one split. */
export const TableAssessment = z
  .strictObject({
    split: Split,
    roles: z.array(TableRole).min(1),
    tableSha256: Sha256,
    numProxyMismatches: z.int().nonnegative(),
    numEstimatorMismatches: z.int().nonnegative(),
    turnMisalignment: Finding.describe("share of turns in tiers with an intended sign whose advantage has another sign"),
    deadTurns: Finding.describe("share of turns without any advantage"),
    rewardOutcomePooled: Finding.describe("correlation of a rollout's mean turn reward with its outcome"),
    rewardOutcomeWithinTask: Finding,
    advantageOutcome: Finding.describe(
      "correlation of a turn's advantage with the outcome; never gated on: the sparse reward maximises it",
    ),
    discriminativeAccuracy: Finding.describe(
      "share of pass/fail pairs of a task in which the passing rollout has the larger mean turn reward; ties count one half",
    ),
    advantageCorrelation: Finding.describe("correlation over tiers of within-task correlation and mean advantage, weighted by turns"),
    tiers: z.array(TierAdvantages),
  })
  .meta({ id: "TableAssessment" });
export type TableAssessment = z.infer<typeof TableAssessment>;

export const Verdict = z.enum(["accept", "reject", "insufficient"]);
export type Verdict = z.infer<typeof Verdict>;

export const GateCriterion = z.enum([
  "proxy-mismatches",
  "estimator-mismatches",
  "within-task-correlation",
  "discriminative-accuracy",
  "advantage-correlation",
  "pairs",
  "not-worse-than-author",
  "not-worse-than-in-force",
]);
export type GateCriterion = z.infer<typeof GateCriterion>;

/** One line of the gate. `interval` is null where the statistic is a count or is not defined. */
export const GateRow = z
  .strictObject({
    criterion: GateCriterion,
    value: z.number().nullable(),
    interval: z.strictObject({ low: z.number(), high: z.number() }).nullable(),
    relation: z.enum([">", ">=", "=="]),
    threshold: z.number(),
    verdict: Verdict,
    note: z.string().nullable(),
  })
  .meta({ id: "GateRow" });
export type GateRow = z.infer<typeof GateRow>;

export const CalibrationWarning = z
  .strictObject({
    code: z.enum([
      "confounded-by-task",
      "low-support",
      "no-pairs",
      "one-task",
      "one-user",
      "no-variation",
      "no-usable-proposal",
      "doubtful-calls",
    ]),
    tier: z.string().nullable(),
    message: z.string(),
  })
  .meta({ id: "CalibrationWarning" });
export type CalibrationWarning = z.infer<typeof CalibrationWarning>;

/** Distributions under one reward table, over all tasks: what plots are drawn from. */
export const TableProfile = z
  .strictObject({
    roles: z.array(TableRole).min(1),
    deadTurnsByIndex: z.array(z.strictObject({ turn: z.int().nonnegative(), numTurns: z.int(), numDead: z.int() })),
    meanRewards: z
      .strictObject({ low: z.number(), high: z.number(), failing: z.array(z.int()), passing: z.array(z.int()) })
      .describe("rollouts by mean turn reward, in bins of equal width from low to high"),
  })
  .meta({ id: "TableProfile" });
export type TableProfile = z.infer<typeof TableProfile>;

const CalibrationReport2 = z
  .strictObject({
    schemaVersion: z.literal(2),
    iteration: z.int().nonnegative(),
    bufferSha256: Sha256,
    reading: RolloutReading.optional().describe("of rollouts from files: what was read, and what was not; absent in a campaign's own"),
    scheme: TierScheme,
    rule: z.string().describe("how the fitted table was made, with its version"),
    config: CalibrationConfig,
    advantage: StoredAdvantageConfig,
    confidence: z.number(),
    proxyLambda: z.number().describe("weight of the outcome advantage in the proxy"),
    authorTable: RewardTable.nullable().describe("constant through a campaign; null in reports of 0.1.0 after the first adoption"),
    inForceTable: RewardTable.describe("what training goes on with unless the fitted table is adopted"),
    fittedTable: RewardTable.describe("its sha256 is what a person approves"),
    scale: z
      .number()
      .positive()
      .nullable()
      .describe("rule within-task: the author's units per unit of alpha x correlation; null with other rules, or when nothing was fitted"),
    doNothingFloor: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .default(null)
      .describe("share of the tasks that are passed by doing nothing; null when golden actions are not known"),
    splits: z.array(SplitStatistics),
    assessments: z.array(TableAssessment),
    profiles: z.array(TableProfile),
    gate: z.strictObject({ decision: Verdict, rows: z.array(GateRow) }),
    conflicts: z
      .array(z.strictObject({ tier: z.string(), intendedSign: z.number(), fittedValue: z.number() }))
      .describe("tiers where the data contradicts the sign that the author intends"),
    neutralized: z
      .array(z.strictObject({ tier: z.string(), round: z.int().positive() }))
      .describe("tiers whose fitted value their advantages did not follow on the fitting tasks: worth 0"),
    warnings: z.array(CalibrationWarning),
    kept: z.array(z.string()).describe("tiers without the evidence to be fitted: they keep the value in force"),
    proposal: ProposalRecord.nullable().default(null).describe("rule llm-proposed: what the model was shown and what it said"),
  })
  .meta({ id: "CalibrationReport" });

/** One calibration. Reads reports of 0.1.0, too. */
export const CalibrationReport = upcastingBy(CalibrationReport2, upcastCalibrationReport);
export type CalibrationReport = z.infer<typeof CalibrationReport2>;
