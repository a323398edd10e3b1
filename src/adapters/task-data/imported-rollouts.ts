import type { Task } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";

/** A rollout that was made elsewhere, with the task that it was made for. */
export interface ImportedRollout {
  readonly task: Task;
  readonly trajectory: Trajectory;
}

export interface ImportedRollouts {
  readonly rollouts: readonly ImportedRollout[];
  /** Entries of the source without an outcome (harness or simulator errors): left out, never taken for failures. */
  readonly numExcluded: number;
}
