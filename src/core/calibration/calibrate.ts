// Calibration: what each tier has to do with the outcome, the table that follows from it, and whether the gate lets it through.
// Tasks are split into those that fit and those that judge; the unfitted prior is judged beside the fitted table.
import type { CalibrationReport } from "#contracts/calibration-report.ts";
import type { AdvantageConfig, CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable, TierScheme } from "#contracts/reward-table.ts";
import { CampaignError } from "../errors.ts";
import type { LabelledRollout } from "../reward/label-rollout.ts";
import { tierScheme } from "../reward/tiers.ts";
import { deriveSeed } from "../rng.ts";
import { analyse, assessTable, describeSplit, findingOf, type SplitFindings } from "./assess.ts";
import { chooseJudges, groupByTask, type TaskRollouts } from "./buffer.ts";
import { type FittedTable, fitTable, ruleVersion, type TierEvidence } from "./fit-table.ts";
import { applyGate } from "./gate.ts";
import { pooledCorrelation, withinTaskCorrelation } from "./statistics.ts";
import { selectRows, type SumsLayout, sumRows, taskSums, TIER, tierOffset } from "./task-sums.ts";
import { proxyLambda } from "./turn-advantages.ts";
import { findWarnings } from "./warnings.ts";

export type { LabelledRollout } from "../reward/label-rollout.ts";

/** Two-sided, for every interval of a report. */
export const CONFIDENCE = 0.95;

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
  const fitted = fit(input, tasks.filter((_, position) => !isJudge[position]));
  const layout: SumsLayout = { tiers: tierScheme(input.scheme).tiers, tables: [priorTable, fitted.table] };
  const sums = taskSums(tasks, layout, advantage);
  const splitOf = (split: SplitFindings["split"]) =>
    analyse(split, split === "all" ? sums : selectRows(sums, (row) => isJudge[row] === (split === "judge")), layout, config.minSupport, {
      resamples: config.bootstrapResamples,
      confidence: CONFIDENCE,
      seed: deriveSeed(input.seed, split),
    });
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
    confidence: CONFIDENCE,
    proxyLambda: proxyLambda(advantage),
    priorTable,
    fittedTable: fitted.table,
    splits: statistics,
    assessments: Object.values(splits).flatMap((findings) => layout.tables.map((_, table) => assessTable(findings, layout, table))),
    gate: judgeTable(splits.judge, layout, config),
    conflicts: fitted.conflicts,
    warnings: findWarnings(tasks, statistics, fitted.keptPrior),
    keptPrior: fitted.keptPrior,
  };
}

function requireTasks({ rollouts, scheme, priorTable }: CalibrationInput): TaskRollouts[] {
  if (rollouts.length === 0) {
    throw new CampaignError("contract.invalid", "there are no rollouts to calibrate on", { next: "give at least one rollout that carries an outcome" });
  }
  if (priorTable.scheme !== scheme) {
    throw new CampaignError("reward.table-mismatch", `the prior table ${priorTable.name} is of ${priorTable.scheme}, the rollouts are labelled with ${scheme}`, {
      next: `choose a reward table of ${scheme}, or label with ${priorTable.scheme}`,
    });
  }
  return groupByTask(rollouts);
}

/** Fits on the fitting tasks alone. */
function fit(input: CalibrationInput, tasks: readonly TaskRollouts[]): FittedTable {
  const scheme = tierScheme(input.scheme);
  const sums = sumRows(taskSums(tasks, { tiers: scheme.tiers, tables: [] }, input.advantage));
  const evidence = scheme.tiers.map((tier, position): TierEvidence => ({
    tier,
    pooled: numberOrNull(pooledCorrelation(sums, position)),
    withinTask: numberOrNull(withinTaskCorrelation(sums, position)),
    support: sums[tierOffset(position) + TIER.support] ?? 0,
  }));
  return fitTable({ scheme, evidence, priorTable: input.priorTable, config: input.config, iteration: input.iteration, bufferSha256: input.bufferSha256 });
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
        (tier, c) => (fittedTable?.intendedSigns[tier] ?? 0) !== 0 && fittedTable?.values[tier] !== priorTable?.values[tier] && !judge.isJudged(c),
      ),
    },
    config.gate,
  );
}

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
