// Calibration: what each tier has to do with the outcome, the table that follows from it, and whether the gate lets it through.
// Tasks are split into those that fit and those that judge; the author's table and the one in force are judged beside the fitted one.
import type { CalibrationReport, DeedStatistics, TableRole } from "#contracts/calibration-report.ts";
import type { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import { idleShare } from "../environment/do-nothing-floor.ts";
import { CampaignError } from "../errors.ts";
import type { LabelledRollout } from "../reward/label-rollout.ts";
import { schemeName, tierScheme } from "../reward/tiers.ts";
import type { ClusterSums } from "../statistics/bootstrap.ts";
import { analyse, assessTable, describeDeeds, describeSplit, findingOf, type SplitFindings } from "./assess.ts";
import { chooseFolds, chooseJudges, groupByTask, type TaskRollouts } from "./buffer.ts";
import { crossFit, crossFittedRows, type Fold } from "./cross-fit.ts";
import { deedLayout } from "./deeds.ts";
import { bootstrapOptions, type FitInput, fitInRounds, fittedDeeds, type RefinedTable } from "./fit-in-rounds.ts";
import { applyGate } from "./gate.ts";
import { RULES } from "./rules.ts";
import type { TableStatistic } from "./statistics.ts";
import { profileTable } from "./table-profile.ts";
import { type SumsLayout, selectRows, taskSums } from "./task-sums.ts";
import { proxyLambda, type TurnAdvantages, turnAdvantages } from "./turn-advantages.ts";
import { findWarnings } from "./warnings.ts";

export interface CalibrationInput extends FitInput {
  readonly rollouts: readonly LabelledRollout[];
  /** Of rollouts from files. */
  readonly reading?: RolloutReading;
}

/**
 * The report of a buffer. A function of the set of rollouts and the seed: order does not matter, and the same input gives the same
 * JSON. Throws contract.invalid for an empty buffer and reward.table-mismatch for tables of another scheme.
 */
export function calibrate(input: CalibrationInput): CalibrationReport {
  const { config, advantage, authorTable, inForceTable } = input;
  const tasks = requireTasks(input);
  const baselines = baselineTables(input);
  const parts = split(input, tasks);
  const { fitted } = parts;
  const judgedTables: JudgedTable[] = [...baselines, { table: fitted.table, roles: ["fitted"] }];
  const tablesWith = (last: RewardTable) => [...baselines.map(({ table }) => table), last];
  const tiersWith = (last: RewardTable): SumsLayout => ({ tiers: tierScheme(input.scheme).tiers, tables: tablesWith(last) });
  const layout = tiersWith(fitted.table);
  const advantages = layout.tables.map((table) => turnAdvantages(tasks, table, advantage));
  const deeds = fittedDeeds(input);
  const revalued = new Set(deeds.filter((deed) => deed.some((tier) => isRevalued(tier, fitted.table, inForceTable))).map(([tier]) => tier));
  const judged = { minTurns: config.minSupport, tiers: revalued };
  const rows = splitRows(input, tasks, parts, tiersWith, advantages);
  const analyseSplit = (name: SplitFindings["split"]) => analyse(name, rows[name], layout, judged, bootstrapOptions(input, name));
  const splits = { all: analyseSplit("all"), fit: analyseSplit("fit"), judge: analyseSplit("judge") };
  /** The gate looks at deeds. Where every tier is one of its own that is the judging split as it stands. */
  const deedsWith = (last: RewardTable) => deedLayout(deeds, tablesWith(last));
  const judge = deeds.every((deed) => deed.length === 1)
    ? splits.judge
    : analyse(
        "judge",
        splitRows(input, tasks, parts, deedsWith, advantages).judge,
        deedsWith(fitted.table),
        judged,
        bootstrapOptions(input, "judge"),
      );
  const ofDeeds = deedStatistics(input, tasks, parts);
  const statistics = Object.values(splits).map((findings) => ({ ...describeSplit(findings, layout), deeds: ofDeeds[findings.split] }));
  return {
    schemaVersion: 2,
    iteration: input.iteration,
    bufferSha256: input.bufferSha256,
    ...(input.reading === undefined ? {} : { reading: input.reading }),
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
    gate: judgeTable(judge, deedsWith(fitted.table), revalued, config),
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
function baselineTables({ authorTable, inForceTable }: FitInput): JudgedTable[] {
  if (authorTable.sha256 === inForceTable.sha256) return [{ table: authorTable, roles: ["author", "in-force"] }];
  return [
    { table: authorTable, roles: ["author"] },
    { table: inForceTable, roles: ["in-force"] },
  ];
}

function isRevalued(tier: string, fitted: RewardTable, inForce: RewardTable): boolean {
  return fitted.values[tier] !== inForce.values[tier];
}

/** Of deeds that have several tiers, on the tasks of each split. Deeds of one tier are in the statistics of tiers. */
function deedStatistics(
  input: CalibrationInput,
  tasks: readonly TaskRollouts[],
  parts: Split,
): Record<SplitFindings["split"], DeedStatistics[]> {
  const tied = fittedDeeds(input).filter((deed) => deed.length > 1);
  if (tied.length === 0) return { all: [], fit: [], judge: [] };
  const layout = deedLayout(tied);
  const rows = splitRows(input, tasks, parts, () => layout, []);
  const judged = { minTurns: input.config.minSupport };
  const of = (name: SplitFindings["split"]) =>
    describeDeeds(analyse(name, rows[name], layout, judged, bootstrapOptions(input, name)), layout, tied);
  return { all: of("all"), fit: of("fit"), judge: of("judge") };
}

interface Split {
  readonly fitted: RefinedTable;
  /** Positions of the tasks that the fitted table was made from. */
  readonly fitTasks: ReadonlySet<number>;
  /** With cross-fitting: the tables that judge, one per fold. Null: the fitted table itself, on the other tasks. */
  readonly folds: readonly Fold[] | null;
}

/** One split, or cross-fitting: then every task judges, under a table that was fitted without it, and the table is fitted on all. */
function split(input: CalibrationInput, tasks: readonly TaskRollouts[]): Split {
  const { config, seed } = input;
  if (config.folds > 1) {
    return {
      fitted: fitInRounds(input, tasks),
      fitTasks: new Set(tasks.keys()),
      folds: crossFit(input, tasks, chooseFolds(tasks, config.folds, seed)),
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
    folds: null,
  };
}

/** Rows of each split. `layoutWith` makes the layout for a fitted table; `advantages` are those of the whole buffer under its tables. */
function splitRows(
  input: FitInput,
  tasks: readonly TaskRollouts[],
  { fitted, fitTasks, folds }: Split,
  layoutWith: (fitted: RewardTable) => SumsLayout,
  advantages: readonly TurnAdvantages[],
): Record<SplitFindings["split"], ClusterSums> {
  const all = taskSums(tasks, layoutWith(fitted.table), advantages);
  return {
    all,
    fit: selectRows(all, (row) => fitTasks.has(row)),
    judge: folds === null ? selectRows(all, (row) => !fitTasks.has(row)) : crossFittedRows(input, tasks, folds, layoutWith),
  };
}

/** Share of the tasks that are passed by doing nothing; null when one of them does not say. */
function doNothingFloor(tasks: readonly TaskRollouts[]): number | null {
  return idleShare(tasks.map(({ rollouts }) => rollouts[0]?.passesIdle ?? null));
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
      unjudgedTiers: layout.tiers.filter((tier, c) => revalued.has(tier) && (signs[tier] ?? 0) !== 0 && !judge.isJudged(c)),
    },
    config.gate,
  );
}
