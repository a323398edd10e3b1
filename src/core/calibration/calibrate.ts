// Calibration: what each tier has to do with the outcome, the table that follows from it, and whether the gate lets it through.
// Tasks are split into those that fit and those that judge; the author's table and the one in force are judged beside the fitted one.
import type { CalibrationReport, DeedStatistics, TableRole } from "#contracts/calibration-report.ts";
import type { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { CampaignError } from "../errors.ts";
import type { LabelledRollout } from "../reward/label-rollout.ts";
import { schemeName, tierScheme } from "../reward/tiers.ts";
import type { ClusterSums } from "../statistics/bootstrap.ts";
import { analyse, assessTable, describeDeeds, describeSplit, findingOf, type SplitFindings } from "./assess.ts";
import { chooseFolds, chooseJudges, groupByTask, type TaskRollouts } from "./buffer.ts";
import { crossFittedRows } from "./cross-fit.ts";
import { type Deed, deedLayout } from "./deeds.ts";
import { bootstrapOptions, type FitInput, fitInRounds, fittedDeeds, type RefinedTable } from "./fit-in-rounds.ts";
import { applyGate } from "./gate.ts";
import { RULES } from "./rules.ts";
import { profileTable } from "./table-profile.ts";
import type { TableStatistic } from "./statistics.ts";
import { type SumsLayout, selectRows, taskSums } from "./task-sums.ts";
import { proxyLambda, type TurnAdvantages, turnAdvantages } from "./turn-advantages.ts";
import { findWarnings } from "./warnings.ts";

export type { LabelledRollout } from "../reward/label-rollout.ts";

export interface CalibrationInput extends FitInput {
  readonly rollouts: readonly LabelledRollout[];
}

/**
 * The report of a buffer. A function of the set of rollouts and the seed: order does not matter, and the same input gives the same
 * JSON. Throws contract.invalid for an empty buffer and reward.table-mismatch for tables of another scheme.
 */
export function calibrate(input: CalibrationInput): CalibrationReport {
  const { config, advantage, authorTable, inForceTable } = input;
  const tasks = requireTasks(input);
  const standing = standingTables(input);
  const { fitted, judgeRows, fitTasks } = split(input, tasks, standing);
  const judgedTables: JudgedTable[] = [...standing, { table: fitted.table, roles: ["fitted"] }];
  const layout: SumsLayout = { tiers: tierScheme(input.scheme).tiers, tables: judgedTables.map(({ table }) => table) };
  const advantages = layout.tables.map((table) => turnAdvantages(tasks, table, advantage));
  const sums = taskSums(tasks, layout, advantages);
  const revalued = new Set(layout.tiers.filter((tier) => fitted.table.values[tier] !== inForceTable.values[tier]));
  const judged = { minTurns: config.minSupport, tiers: revalued, deeds: fittedDeeds(input) };
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
  const isIn = { all: () => true, fit: (row: number) => fitTasks.has(row), judge: (row: number) => config.folds > 1 || !fitTasks.has(row) };
  const deeds = deedStatistics(input, tasks, isIn);
  const statistics = Object.values(splits).map((findings) => ({ ...describeSplit(findings, layout), deeds: deeds[findings.split] }));
  return {
    schemaVersion: 2,
    iteration: input.iteration,
    bufferSha256: input.bufferSha256,
    scheme: input.scheme,
    rule: RULES[config.rule].version,
    config,
    advantage,
    confidence: config.confidence,
    proxyLambda: proxyLambda(advantage),
    authorTable,
    inForceTable,
    fittedTable: fitted.table,
    scale: fitted.scale,
    doNothingFloor: doNothingFloor(tasks),
    splits: statistics,
    assessments: Object.values(splits).flatMap((findings) =>
      judgedTables.map(({ roles }, table) => assessTable(findings, layout, table, roles)),
    ),
    profiles: judgedTables.map(({ roles }, table) => profileTable(tasks, advantages[table] as TurnAdvantages, roles)),
    gate: judgeTable(splits.judge, layout, revalued, config),
    conflicts: fitted.conflicts,
    neutralized: fitted.neutralized,
    warnings: findWarnings(tasks, statistics, fitted.kept, input.proposal),
    kept: fitted.kept,
    proposal: input.proposal ?? null,
  };
}

interface JudgedTable {
  readonly table: RewardTable;
  readonly roles: readonly TableRole[];
}

/** The tables that the fitted one is judged against. Until the first adoption the author's is the one in force: it is judged once. */
function standingTables({ authorTable, inForceTable }: FitInput): JudgedTable[] {
  if (authorTable.sha256 === inForceTable.sha256) return [{ table: authorTable, roles: ["author", "in-force"] }];
  return [
    { table: authorTable, roles: ["author"] },
    { table: inForceTable, roles: ["in-force"] },
  ];
}

/** Of deeds that have several tiers, on the tasks of each split. Deeds of one tier are in the statistics of tiers. */
function deedStatistics(
  input: CalibrationInput,
  tasks: readonly TaskRollouts[],
  isIn: Readonly<Record<SplitFindings["split"], (row: number) => boolean>>,
): Record<SplitFindings["split"], DeedStatistics[]> {
  const deeds = fittedDeeds(input).filter((deed): deed is Deed => deed.length > 1);
  if (deeds.length === 0) return { all: [], fit: [], judge: [] };
  const layout = deedLayout(deeds);
  const sums = taskSums(tasks, layout);
  const of = (split: SplitFindings["split"]) => {
    const rows = selectRows(sums, isIn[split]);
    return describeDeeds(analyse(split, rows, layout, { minTurns: input.config.minSupport }, bootstrapOptions(input, split)), layout, deeds);
  };
  return { all: of("all"), fit: of("fit"), judge: of("judge") };
}

interface Split {
  readonly fitted: RefinedTable;
  /** Positions of the tasks that the fitted table was made from. */
  readonly fitTasks: ReadonlySet<number>;
  /** Rows of the judging tasks where these are not simply the other tasks. */
  readonly judgeRows: ClusterSums | null;
}

/** One split, or cross-fitting: then every task judges, under a table that was fitted without it, and the table is fitted on all. */
function split(input: CalibrationInput, tasks: readonly TaskRollouts[], standing: readonly JudgedTable[]): Split {
  const { config, seed } = input;
  if (config.folds > 1) {
    const fitTasks = new Set(tasks.keys());
    return {
      fitted: fitInRounds(input, tasks),
      fitTasks,
      judgeRows: crossFittedRows(
        input,
        tasks,
        chooseFolds(tasks, config.folds, seed),
        standing.map(({ table }) => table),
      ),
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

function requireTasks({ rollouts, scheme, authorTable, inForceTable }: CalibrationInput): TaskRollouts[] {
  if (rollouts.length === 0) {
    throw new CampaignError("contract.invalid", "there are no rollouts to calibrate on", {
      next: "give at least one rollout that carries an outcome",
    });
  }
  for (const table of [authorTable, inForceTable]) {
    if (schemeName(table.scheme) === schemeName(scheme)) continue;
    throw new CampaignError(
      "reward.table-mismatch",
      `the reward table ${table.name} is of ${schemeName(table.scheme)}, the rollouts are labelled with ${schemeName(scheme)}`,
      {
        next: `choose a reward table of ${schemeName(scheme)}, or label with ${schemeName(table.scheme)}`,
      },
    );
  }
  return groupByTask(rollouts);
}

/** The gate on the fitted table: the last of the layout, the author's being the first. What the fit left as it was is not in question. */
function judgeTable(
  judge: SplitFindings,
  layout: SumsLayout,
  revalued: ReadonlySet<string>,
  config: CalibrationConfig,
): CalibrationReport["gate"] {
  const fitted = layout.tables.length - 1;
  const signs = layout.tables[fitted]?.intendedSigns ?? {};
  const finding = (name: TableStatistic) => findingOf(judge, judge.index.table(fitted, name));
  return applyGate(
    {
      fitted: assessTable(judge, layout, fitted, ["fitted"]),
      proxyMismatches: finding("proxyMismatches"),
      estimatorMismatches: finding("estimatorMismatches"),
      gainOverAuthor: finding("gainOverFirst"),
      gainOverInForce: fitted === 1 ? null : finding("gainOverSecond"),
      numPairs: describeSplit(judge, layout).numPairs,
      revaluedTiers: [...revalued],
      unjudgedTiers: layout.tiers.filter((tier, c) => revalued.has(tier) && (signs[tier] ?? 0) !== 0 && !judge.judged.has(c)),
    },
    config.gate,
  );
}
