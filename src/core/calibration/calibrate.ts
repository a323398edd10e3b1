// Calibration: what each tier has to do with the outcome, the table that follows from it, and whether the gate lets it through.
// Tasks are split into those that fit and those that judge; the unfitted prior is judged beside the fitted table.
import type { CalibrationReport } from "#contracts/calibration-report.ts";
import type { AdvantageConfig, CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable, TierScheme } from "#contracts/reward-table.ts";
import { CampaignError } from "../errors.ts";
import type { LabelledRollout } from "../reward/label-rollout.ts";
import { tierScheme } from "../reward/tiers.ts";
import { deriveSeed } from "../rng.ts";
import type { BootstrapOptions } from "../statistics/bootstrap.ts";
import { analyse, assessTable, describeSplit, findingOf, type SplitFindings } from "./assess.ts";
import { chooseJudges, groupByTask, type TaskRollouts } from "./buffer.ts";
import { type FittedTable, fitTable, ruleVersion, type TierEvidence } from "./fit-table.ts";
import { applyGate } from "./gate.ts";
import { profileTable } from "./table-profile.ts";
import { type SumsLayout, selectRows, sumRows, TIER, taskSums, tierOffset } from "./task-sums.ts";
import { proxyLambda, turnAdvantages } from "./turn-advantages.ts";
import { findWarnings } from "./warnings.ts";

export type { LabelledRollout } from "../reward/label-rollout.ts";

export interface CalibrationInput {
  readonly rollouts: readonly LabelledRollout[];
  readonly scheme: TierScheme;
  readonly priorTable: RewardTable;
  readonly config: CalibrationConfig;
  readonly advantage: AdvantageConfig;
  readonly seed: string;
  readonly iteration: number;
  readonly bufferSha256: string;
}

/**
 * The report of a buffer. A function of the set of rollouts and the seed: order does not matter, and the same input gives the same
 * JSON. Throws contract.invalid for an empty buffer and reward.table-mismatch for a prior of another scheme.
 */
export function calibrate(input: CalibrationInput): CalibrationReport {
  const { config, advantage, priorTable } = input;
  const tasks = requireTasks(input);
  const isJudge = chooseJudges(tasks, config.holdout, input.seed);
  const fitted = fitInRounds(
    input,
    tasks.filter((_, position) => !isJudge[position]),
  );
  const layout: SumsLayout = { tiers: tierScheme(input.scheme).tiers, tables: [priorTable, fitted.table] };
  const advantages = layout.tables.map((table) => turnAdvantages(tasks, table, advantage));
  const sums = taskSums(tasks, layout, advantages);
  const splitOf = (split: SplitFindings["split"]) =>
    analyse(
      split,
      split === "all" ? sums : selectRows(sums, (row) => isJudge[row] === (split === "judge")),
      layout,
      config.minSupport,
      bootstrapOptions(input, split),
    );
  const splits = { all: splitOf("all"), fit: splitOf("fit"), judge: splitOf("judge") };
  const statistics = Object.values(splits).map((findings) => describeSplit(findings, layout));
  return {
    schemaVersion: 1,
    iteration: input.iteration,
    bufferSha256: input.bufferSha256,
    scheme: input.scheme,
    rule: ruleVersion(config.rule),
    config,
    advantage,
    confidence: config.confidence,
    proxyLambda: proxyLambda(advantage),
    priorTable,
    fittedTable: fitted.table,
    splits: statistics,
    assessments: Object.values(splits).flatMap((findings) => layout.tables.map((_, table) => assessTable(findings, layout, table))),
    profiles: advantages.map((one, table) => profileTable(tasks, one, table === 0 ? "prior" : "fitted")),
    gate: judgeTable(splits.judge, layout, config),
    conflicts: fitted.conflicts,
    neutralized: fitted.neutralized,
    warnings: findWarnings(tasks, statistics, fitted.keptPrior),
    keptPrior: fitted.keptPrior,
  };
}

function requireTasks({ rollouts, scheme, priorTable }: CalibrationInput): TaskRollouts[] {
  if (rollouts.length === 0) {
    throw new CampaignError("contract.invalid", "there are no rollouts to calibrate on", {
      next: "give at least one rollout that carries an outcome",
    });
  }
  if (priorTable.scheme !== scheme) {
    throw new CampaignError(
      "reward.table-mismatch",
      `the prior table ${priorTable.name} is of ${priorTable.scheme}, the rollouts are labelled with ${scheme}`,
      {
        next: `choose a reward table of ${scheme}, or label with ${priorTable.scheme}`,
      },
    );
  }
  return groupByTask(rollouts);
}

interface RefinedTable extends FittedTable {
  readonly neutralized: { readonly round: number; readonly tier: string }[];
}

/**
 * Fits on the fitting tasks, then looks at the advantages there: a tier that was revalued, but whose turns do not get the sign that
 * the value speaks for, becomes neutral, and so on until none is left or the rounds are used up. The judging tasks are not touched.
 */
function fitInRounds(input: CalibrationInput, tasks: readonly TaskRollouts[]): RefinedTable {
  const { config } = input;
  const scheme = tierScheme(input.scheme);
  const evidence = tierEvidence(input, tasks);
  const neutral = new Map<string, number>();
  const refit = () => fitTable({ ...input, scheme, evidence, neutral: new Set(neutral.keys()) });
  let fitted = refit();
  const numRounds = config.rule === "within-task" ? config.maxRounds : 1;
  for (let round = 1; round < numRounds && fitted.revalued.length > 0; round += 1) {
    const unfollowed = findUnfollowed(input, tasks, fitted);
    if (unfollowed.length === 0) break;
    for (const tier of unfollowed) neutral.set(tier, round);
    fitted = refit();
  }
  return { ...fitted, neutralized: [...neutral].map(([tier, round]) => ({ tier, round })) };
}

/** Tier statistics of the fitting tasks. Several tiers are tested at once, so the risk of error is shared among them (Bonferroni). */
function tierEvidence(input: CalibrationInput, tasks: readonly TaskRollouts[]): TierEvidence[] {
  const { minSupport, confidence } = input.config;
  const layout: SumsLayout = { tiers: tierScheme(input.scheme).tiers, tables: [] };
  const sums = taskSums(tasks, layout);
  const totals = sumRows(sums);
  const numTested = layout.tiers.filter((_, tier) => (totals[tierOffset(tier) + TIER.support] ?? 0) >= minSupport).length;
  const options = { ...bootstrapOptions(input, "fit"), confidence: 1 - (1 - confidence) / Math.max(1, numTested) };
  return describeSplit(analyse("fit", sums, layout, minSupport, options), layout).tiers.map(({ tier, pooled, withinTask, support }) => ({
    tier,
    pooled: pooled.value,
    withinTask,
    support,
  }));
}

/** Revalued tiers whose mean advantage has not certainly the intended sign on the fitting tasks. */
function findUnfollowed(input: CalibrationInput, tasks: readonly TaskRollouts[], fitted: FittedTable): string[] {
  const layout: SumsLayout = { tiers: tierScheme(input.scheme).tiers, tables: [fitted.table] };
  const findings = analyse(
    "fit",
    taskSums(tasks, layout, [turnAdvantages(tasks, fitted.table, input.advantage)]),
    layout,
    input.config.minSupport,
    bootstrapOptions(input, "fit"),
  );
  return assessTable(findings, layout, 0)
    .tiers.filter(
      ({ tier, proxyAlignment, estimatorAlignment }) =>
        fitted.revalued.includes(tier) && (proxyAlignment !== "aligned" || estimatorAlignment !== "aligned"),
    )
    .map(({ tier }) => tier);
}

function bootstrapOptions({ config, seed }: CalibrationInput, split: SplitFindings["split"]): BootstrapOptions {
  return { resamples: config.bootstrapResamples, confidence: config.confidence, seed: deriveSeed(seed, split) };
}

/** The gate on the fitted table: the second of the layout, the prior being the first. */
function judgeTable(judge: SplitFindings, layout: SumsLayout, config: CalibrationConfig): CalibrationReport["gate"] {
  const fitted = 1;
  const [priorTable, fittedTable] = layout.tables;
  return applyGate(
    {
      fitted: assessTable(judge, layout, fitted),
      proxyMismatches: findingOf(judge, judge.index.table(fitted, "proxyMismatches")),
      estimatorMismatches: findingOf(judge, judge.index.table(fitted, "estimatorMismatches")),
      accuracyGain: findingOf(judge, judge.index.table(fitted, "accuracyGain")),
      numPairs: describeSplit(judge, layout).numPairs,
      unjudgedTiers: layout.tiers.filter(
        (tier, c) =>
          (fittedTable?.intendedSigns[tier] ?? 0) !== 0 && fittedTable?.values[tier] !== priorTable?.values[tier] && !judge.isJudged(c),
      ),
    },
    config.gate,
  );
}
