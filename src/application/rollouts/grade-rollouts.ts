// Rollouts graded again without a model: stored rewards beside those that the calls earn when they are played again.
import { basename } from "node:path";
import type { ImportedRollout } from "#adapters/rollout-files/imported-rollouts.ts";
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import type { Environment } from "#core/environment/environment.ts";
import { gradeable } from "#core/environment/told-task.ts";
import { CampaignError } from "#core/errors.ts";
import { type Counts, countNames } from "#core/reading/counts.ts";
import { passesIdle } from "#core/reward/passes-idle.ts";
import { type Regrade, regrade } from "#core/rollout/regrade.ts";
import { type RolloutSource, type RolloutSourceRequest, readRolloutSource } from "./rollout-source.ts";

/** Figures of the rollouts that can be graded. */
export interface Grades {
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

/** Throws what reading throws, and config.invalid when the environment is not known or not one rollout can be graded. */
export async function gradeRollouts(files: readonly string[], request: RolloutSourceRequest): Promise<GradeReport> {
  const source = await readRolloutSource(files, request);
  const { environment } = source;
  if (environment === null) {
    throw new CampaignError("config.invalid", "the rollouts' environment is not known", { next: "name it with --task-set" });
  }
  return gradeAll(source, environment);
}

function gradeAll({ rollouts, reading }: RolloutSource, environment: Environment): GradeReport {
  const ungraded: string[] = [];
  const graded = rollouts.flatMap((rollout): Graded[] => {
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
    reading,
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
