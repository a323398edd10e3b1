// What `turnwise rollouts grade` prints: stored rewards beside those that the calls earn when they are played again.
import { basename } from "node:path";
import type { ImportedRollout } from "#adapters/rollout-files/imported-rollouts.ts";
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import type { Environment } from "#core/environment/environment.ts";
import { gradeable } from "#core/environment/told-task.ts";
import { CampaignError } from "#core/errors.ts";
import { type Counts, countNames } from "#core/reading/counts.ts";
import { describeReading } from "#core/reading/describe-reading.ts";
import { passesIdle } from "#core/reward/passes-idle.ts";
import { type Regrade, regrade } from "#core/rollout/regrade.ts";
import { formatPercent, plainText, renderPairs } from "./output.ts";
import type { RolloutSource } from "./rollout-source.ts";

/** Figures of the rollouts that can be graded. */
interface Grades {
  readonly rollouts: number;
  readonly storedPassRate: number;
  readonly passRate: number;
  readonly sameReward: number;
  readonly sameResults: number;
  readonly calls: number;
}

export interface GradeReport extends Grades {
  readonly tasks: number;
  readonly reading: RolloutReading;
  /** Null when a task does not tell whether doing nothing passes it. */
  readonly doNothingFloor: number | null;
  /** Rollouts that no replay can grade, by why: in none of the figures. */
  readonly ungraded: Counts;
  /** Rollouts whose required outputs are not told: the database alone graded them. */
  readonly gradedByDatabase: number;
  readonly files: readonly ({ readonly file: string } & Grades)[];
  readonly warnings: readonly string[];
  readonly differences: readonly { readonly taskId: string; readonly trial: number; readonly difference: string }[];
}

interface Graded extends Regrade {
  readonly rollout: ImportedRollout;
  readonly isByDatabase: boolean;
}

/** Throws config.invalid when not one rollout can be graded. */
export function gradeReport(source: RolloutSource, environment: Environment): GradeReport {
  const ungraded: string[] = [];
  const graded = source.rollouts.flatMap((rollout): Graded[] => {
    const found = gradeable(rollout.task);
    if (found.task === null) {
      ungraded.push(found.why);
      return [];
    }
    return [{ rollout, isByDatabase: found.isByDatabase, ...regrade(environment, found.task, rollout.trajectory) }];
  });
  if (graded.length === 0) throw nothingToGrade(ungraded);
  const tasks = new Map(graded.map(({ rollout: { task } }) => [task.id, task]));
  const files = Array.from(
    Map.groupBy(graded, ({ rollout }) => rollout.file ?? rollout.trajectory.policy.name),
    ([file, members]) => ({ file, ...gradesOf(members), warnings: warningsOf(basename(file), members) }),
  );
  const idle = Array.from(tasks.values(), (task) => passesIdle(task, environment));
  return {
    ...gradesOf(graded),
    tasks: tasks.size,
    reading: source.reading,
    doNothingFloor: idle.includes(null) ? null : idle.filter((passes) => passes).length / idle.length,
    ungraded: countNames(ungraded),
    gradedByDatabase: graded.filter(({ isByDatabase }) => isByDatabase).length,
    files: files.map(({ warnings: _, ...file }) => file),
    warnings: files.flatMap(({ warnings }) => warnings),
    differences: graded.flatMap(({ rollout: { task, trajectory }, difference }) =>
      difference === null ? [] : [{ taskId: task.id, trial: trajectory.trial, difference }],
    ),
  };
}

function nothingToGrade(ungraded: readonly string[]): CampaignError {
  const why = Object.entries(countNames(ungraded)).map(([reason, count]) => `${count} rollouts: ${reason}`);
  return new CampaignError("config.invalid", `no rollout can be graded: ${why.join("; ")}`, {
    next: "give rollouts with golden_actions, or the benchmark's own result file",
  });
}

function gradesOf(graded: readonly Graded[]): Grades {
  const sum = (value: (one: Graded) => number) => graded.reduce((total, one) => total + value(one), 0);
  return {
    rollouts: graded.length,
    storedPassRate: sum(({ rollout }) => (rollout.trajectory.outcome.passed === true ? 1 : 0)) / graded.length,
    passRate: sum(({ passed }) => (passed ? 1 : 0)) / graded.length,
    sameReward: sum(({ difference }) => (difference === null ? 1 : 0)),
    sameResults: sum(({ numSameResults }) => numSameResults),
    calls: sum(({ numCalls }) => numCalls),
  };
}

/** Rewards that differ are explained by results that differ. Where all results are equal, something else is not as it was. */
function warningsOf(file: string, graded: readonly Graded[]): string[] {
  const different = graded.filter(({ difference }) => difference !== null);
  const idle = different.filter(({ numCalls }) => numCalls === 0).length;
  const unexplained = different.filter(({ numCalls, numSameResults }) => numCalls > 0 && numCalls === numSameResults);
  const explained = different.length - unexplained.length - idle;
  return [
    ...(idle > 0
      ? [`${file}: ${idle} rollouts earn another reward and have no call that was run: what earned the stored one is not in the file`]
      : []),
    ...(unexplained.length > 0
      ? [
          `${file}: ${unexplained.length} rollouts earn another reward though every call gives its stored result: the stored reward comes from other golden actions, outputs or rules`,
        ]
      : []),
    ...(explained > 0 ? [`${file}: ${explained} rollouts earn another reward, and calls of theirs give another result than stored`] : []),
  ];
}

export function renderGrades(report: GradeReport): string {
  const floor =
    report.doNothingFloor === null
      ? "what doing nothing passes is not known"
      : `doing nothing passes ${formatPercent(report.doNothingFloor)}`;
  const byDatabase =
    report.gradedByDatabase === 0
      ? []
      : [["database alone", `grades ${report.gradedByDatabase}: their required outputs are not told`] as const];
  const pairs = renderPairs([
    ...describeReading(report.reading),
    ...Object.entries(report.ungraded).map(([why, count]) => ["not graded", `${count}: ${why}`] as const),
    ...byDatabase,
    ["stored pass rate", formatPercent(report.storedPassRate)],
    ["replayed pass rate", `${formatPercent(report.passRate)}; ${floor}`],
    ["same reward", `${report.sameReward} of ${report.rollouts}`],
    ["same tool result", `${report.sameResults} of ${report.calls}`],
    ...(report.files.length < 2 ? [] : report.files.map((file) => [basename(file.file), describeGrades(file)] as const)),
  ]);
  const lines = report.differences.map(({ taskId, trial, difference }) => plainText(`${taskId} trial ${trial}: ${difference}`));
  return [pairs, ...section(report.warnings), ...section(lines)].join("\n");
}

const section = (lines: readonly string[]) => (lines.length === 0 ? [] : ["", ...lines]);

function describeGrades({ rollouts, storedPassRate, passRate, sameReward, sameResults, calls }: Grades): string {
  return `stored ${formatPercent(storedPassRate)}, replayed ${formatPercent(passRate)}; same reward ${sameReward} of ${rollouts}, same tool result ${sameResults} of ${calls}`;
}
