// Calibration: what each tier has to do with the outcome, the table that follows from it, and whether the gate lets it through.
// Tasks are split into those that fit and those that judge; the unfitted prior is judged beside the fitted table.
import type { CalibrationReport } from "#contracts/calibration-report.ts";
import type { CalibrationConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "../errors.ts";
import type { LabelledRollout } from "../reward/label-rollout.ts";
import { schemeName, tierScheme } from "../reward/tiers.ts";
import type { ClusterSums } from "../statistics/bootstrap.ts";
import { analyse, assessTable, describeSplit, findingOf, type SplitFindings } from "./assess.ts";
import { chooseFolds, chooseJudges, groupByTask, type TaskRollouts } from "./buffer.ts";
import { crossFittedRows } from "./cross-fit.ts";
import { bootstrapOptions, type FitInput, fitInRounds, type RefinedTable } from "./fit-in-rounds.ts";
import { ruleVersion } from "./fit-table.ts";
import { applyGate } from "./gate.ts";
import { profileTable } from "./table-profile.ts";
import { type SumsLayout, selectRows, taskSums } from "./task-sums.ts";
import { proxyLambda, turnAdvantages } from "./turn-advantages.ts";
import { findWarnings } from "./warnings.ts";

export type { LabelledRollout } from "../reward/label-rollout.ts";

export interface CalibrationInput extends FitInput {
  readonly rollouts: readonly LabelledRollout[];
}

/**
 * The report of a buffer. A function of the set of rollouts and the seed: order does not matter, and the same input gives the same
 * JSON. Throws contract.invalid for an empty buffer and reward.table-mismatch for a prior of another scheme.
 */
export function calibrate(input: CalibrationInput): CalibrationReport {
  const { config, advantage, priorTable } = input;
  const tasks = requireTasks(input);
  const { fitted, judgeRows, fitTasks } = split(input, tasks);
  const layout: SumsLayout = { tiers: tierScheme(input.scheme).tiers, tables: [priorTable, fitted.table] };
  const advantages = layout.tables.map((table) => turnAdvantages(tasks, table, advantage));
  const sums = taskSums(tasks, layout, advantages);
  const revalued = new Set(layout.tiers.filter((tier) => fitted.table.values[tier] !== priorTable.values[tier]));
  const judged = { minTurns: config.minSupport, tiers: revalued };
  const analyseSplit = (name: SplitFindings["split"], rows: ClusterSums) =>
    analyse(name, rows, layout, judged, bootstrapOptions(input, name));
  const splits = {
    all: analyseSplit("all", sums),
    fit: analyseSplit(
      "fit",
      selectRows(sums, (row) => fitTasks.has(row)),
    ),
    judge: analyseSplit("judge", judgeRows ?? selectRows(sums, (row) => !fitTasks.has(row))),
  };
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
    doNothingFloor: doNothingFloor(tasks),
    splits: statistics,
    assessments: Object.values(splits).flatMap((findings) => layout.tables.map((_, table) => assessTable(findings, layout, table))),
    profiles: advantages.map((one, table) => profileTable(tasks, one, table === 0 ? "prior" : "fitted")),
    gate: judgeTable(splits.judge, layout, revalued, config),
    conflicts: fitted.conflicts,
    neutralized: fitted.neutralized,
    warnings: findWarnings(tasks, statistics, fitted.keptPrior, input.proposal),
    keptPrior: fitted.keptPrior,
    proposal: input.proposal ?? null,
  };
}

interface Split {
  readonly fitted: RefinedTable;
  /** Positions of the tasks that the fitted table was made from. */
  readonly fitTasks: ReadonlySet<number>;
  /** Rows of the judging tasks where these are not simply the other tasks. */
  readonly judgeRows: ClusterSums | null;
}

/** One split, or cross-fitting: then every task judges, under a table that was fitted without it, and the table is fitted on all. */
function split(input: CalibrationInput, tasks: readonly TaskRollouts[]): Split {
  const { config, seed } = input;
  if (config.folds > 1) {
    const fitTasks = new Set(tasks.keys());
    return {
      fitted: fitInRounds(input, tasks),
      fitTasks,
      judgeRows: crossFittedRows(input, tasks, chooseFolds(tasks, config.folds, seed)),
    };
  }
  const isJudge = chooseJudges(tasks, config.holdout, seed);
  const fitTasks = new Set([...tasks.keys()].filter((position) => !isJudge[position]));
  return {
    fitted: fitInRounds(
      input,
      tasks.filter((_, position) => fitTasks.has(position)),
    ),
    fitTasks,
    judgeRows: null,
  };
}

/** Share of the tasks that are passed by doing nothing; null when one of them does not say. */
function doNothingFloor(tasks: readonly TaskRollouts[]): number | null {
  const idle = tasks.map(({ rollouts }) => rollouts[0]?.passesIdle ?? null);
  return idle.includes(null) ? null : idle.filter((passes) => passes).length / tasks.length;
}

function requireTasks({ rollouts, scheme, priorTable }: CalibrationInput): TaskRollouts[] {
  if (rollouts.length === 0) {
    throw new CampaignError("contract.invalid", "there are no rollouts to calibrate on", {
      next: "give at least one rollout that carries an outcome",
    });
  }
  if (schemeName(priorTable.scheme) !== schemeName(scheme)) {
    throw new CampaignError(
      "reward.table-mismatch",
      `the prior table ${priorTable.name} is of ${schemeName(priorTable.scheme)}, the rollouts are labelled with ${schemeName(scheme)}`,
      {
        next: `choose a reward table of ${schemeName(scheme)}, or label with ${schemeName(priorTable.scheme)}`,
      },
    );
  }
  return groupByTask(rollouts);
}

/** The gate on the fitted table: the second of the layout, the prior being the first. What the fit left as it was is not in question. */
function judgeTable(
  judge: SplitFindings,
  layout: SumsLayout,
  revalued: ReadonlySet<string>,
  config: CalibrationConfig,
): CalibrationReport["gate"] {
  const fitted = 1;
  const signs = layout.tables[fitted]?.intendedSigns ?? {};
  return applyGate(
    {
      fitted: assessTable(judge, layout, fitted),
      proxyMismatches: findingOf(judge, judge.index.table(fitted, "proxyMismatches")),
      estimatorMismatches: findingOf(judge, judge.index.table(fitted, "estimatorMismatches")),
      accuracyGain: findingOf(judge, judge.index.table(fitted, "accuracyGain")),
      numPairs: describeSplit(judge, layout).numPairs,
      revaluedTiers: [...revalued],
      unjudgedTiers: layout.tiers.filter((tier, c) => revalued.has(tier) && (signs[tier] ?? 0) !== 0 && !judge.isJudged(c)),
    },
    config.gate,
  );
}
