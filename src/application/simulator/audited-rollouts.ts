// Which of the given rollouts an audit can replay, and in which task set.
import type { ImportedRollout } from "#adapters/rollout-files/imported-rollouts.ts";
import { findData } from "#adapters/task-data/find-data.ts";
import type { GoldenTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { gradeable } from "#core/environment/told-task.ts";
import { type Counts, countNames } from "#core/reading/counts.ts";
import { type RolloutSourceRequest, readRolloutSource } from "../rollouts/rollout-source.ts";
import { findTaskSet } from "../rollouts/task-set-fit.ts";
import { readSettings } from "../settings.ts";

/** The known set that the rollouts of the files fit best. Throws config.invalid when none fits. */
export async function guessTaskSet(files: readonly string[], options: RolloutSourceRequest): Promise<string> {
  const { rollouts } = await readRolloutSource(files, options);
  return findTaskSet(rollouts, findData(options.data, readSettings()));
}

export interface Division {
  readonly graded: readonly { readonly task: GoldenTask; readonly trajectory: Trajectory }[];
  /** Notes for the account of the reading. */
  readonly ungraded: Counts;
}

/** Rollouts whose replays can be graded, and how many cannot, by why. */
export function divideByGrading(rollouts: readonly ImportedRollout[]): Division {
  const notes: string[] = [];
  const graded = rollouts.flatMap(({ task: told, trajectory }) => {
    const found = gradeable(told);
    if (found.task === null) notes.push(`rollouts not replayed: ${found.why}`);
    else if (found.isByDatabase) notes.push("rollouts graded by the database alone: their required outputs are not told");
    return found.task === null ? [] : [{ task: found.task, trajectory }];
  });
  return { graded, ungraded: countNames(notes) };
}
