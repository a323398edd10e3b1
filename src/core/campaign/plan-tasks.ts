// Which tasks an iteration uses and with which seeds: data, decided before anything runs, so that a crash cannot change it.

import type { RolloutPurpose } from "#contracts/manifests.ts";
import { CampaignError } from "../errors.ts";
import { shuffled } from "../random.ts";
import { deriveSeed } from "../rng.ts";

/**
 * Training tasks of iteration n = 1, 2, …: the train split in a seeded order, cut into slices of `count`; a new order for every pass
 * through the split. A slice never holds a task twice.
 */
export function planTrainTasks(taskIds: readonly string[], count: number, seed: number, iteration: number): string[] {
  if (count > taskIds.length) {
    throw new CampaignError("config.invalid", `rollout.tasksPerIteration is ${count}, but the train split has ${taskIds.length} tasks`, {
      next: `set rollout.tasksPerIteration to at most ${taskIds.length}`,
    });
  }
  const slicesPerPass = Math.floor(taskIds.length / count);
  const pass = Math.floor((iteration - 1) / slicesPerPass);
  const slice = (iteration - 1) % slicesPerPass;
  const order = shuffled([...taskIds].sort(), deriveSeed(seed, "train-tasks", pass));
  return order.slice(slice * count, (slice + 1) * count);
}

/** Held-out tasks: the same in every iteration of every campaign with this seed. */
export function planEvaluationTasks(taskIds: readonly string[], count: number, seed: number): string[] {
  if (count > taskIds.length) {
    throw new CampaignError("config.invalid", `evaluation.tasks is ${count}, but the evaluation split has ${taskIds.length} tasks`, {
      next: `set evaluation.tasks to at most ${taskIds.length}`,
    });
  }
  return shuffled([...taskIds].sort(), deriveSeed(seed, "evaluation-tasks"))
    .slice(0, count)
    .sort();
}

/** Seed of one group. Evaluation seeds leave the iteration out: every policy meets the same users with the same luck. */
export function groupSeed(seed: number, purpose: RolloutPurpose, iteration: number, taskId: string): string {
  return purpose === "evaluation" ? deriveSeed(seed, purpose, taskId) : deriveSeed(seed, purpose, iteration, taskId);
}
