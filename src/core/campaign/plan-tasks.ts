// Which tasks an iteration uses and with which seeds: data, decided before anything runs, so that a crash cannot change it.
// What is held out depends on `evaluation.seed` alone: campaigns that differ in their own seed meet the same tasks and users.
import type { SplitScheme } from "#contracts/campaign-config.ts";
import { CampaignError } from "../errors.ts";
import { shuffled } from "../random.ts";
import { deriveSeed } from "../rng.ts";

/** What of a campaign's config decides the seeds. */
export interface SeedConfig {
  readonly seed: number;
  readonly evaluation: { readonly seed: number };
  /** Absent: train-selection-test. */
  readonly environment: { readonly splits?: SplitScheme | undefined };
}

type HeldOutSplit = "selection" | "test";

/**
 * Training tasks of iteration n = 1, 2, …: the train split in a seeded order, cut into slices of `count`; a new order for every pass
 * through the split. A slice never holds a task twice.
 */
export function planTrainTasks(taskIds: readonly string[], count: number, seed: number, iteration: number): string[] {
  requireTasks(taskIds, count, { split: "train", key: "rollout.tasksPerIteration" });
  const slicesPerPass = Math.floor(taskIds.length / count);
  const pass = Math.floor((iteration - 1) / slicesPerPass);
  const slice = (iteration - 1) % slicesPerPass;
  const order = shuffled([...taskIds].sort(), deriveSeed(seed, "train-tasks", pass));
  return order.slice(slice * count, (slice + 1) * count);
}

/** Tasks that choose the policy: the same in every iteration. Throws config.invalid when the split has fewer. */
export function planSelectionTasks(taskIds: readonly string[], count: number, config: SeedConfig): string[] {
  return planHeldOutTasks(taskIds, count, "selection", config);
}

/** Tasks that measure the result, once. Throws config.invalid when the split has fewer. */
export function planTestTasks(taskIds: readonly string[], count: number, config: SeedConfig): string[] {
  return planHeldOutTasks(taskIds, count, "test", config);
}

function planHeldOutTasks(taskIds: readonly string[], count: number, split: HeldOutSplit, config: SeedConfig): string[] {
  requireTasks(taskIds, count, { split, key: `${split}.tasks` });
  return shuffled([...taskIds].sort(), deriveSeed(config.evaluation.seed, `${seedName(split, config)}-tasks`))
    .slice(0, count)
    .sort();
}

const NONE_HELD_OUT: Readonly<Record<"train" | HeldOutSplit, string>> = {
  train: "hold fewer tasks out (environment.selectionTasks and testTasks, where it has them), or give the environment more tasks",
  selection: "set selection to null, or hold tasks out with environment.selectionTasks or what the environment has for it",
  test: "set test to null, or hold tasks out with environment.testTasks or what the environment has for it",
};

function requireTasks(taskIds: readonly string[], count: number, { split, key }: { split: "train" | HeldOutSplit; key: string }): void {
  if (count <= taskIds.length) return;
  throw new CampaignError("config.invalid", `${key} is ${count}, but the ${split} split has ${taskIds.length} tasks`, {
    next: taskIds.length === 0 ? NONE_HELD_OUT[split] : `set ${key} to at most ${taskIds.length}`,
  });
}

/** Seed of one group. Those of held-out groups leave campaign and iteration out: every policy meets the same users with the same luck. */
export function groupSeed(config: SeedConfig, purpose: "train" | HeldOutSplit, iteration: number, taskId: string): string {
  return purpose === "train"
    ? deriveSeed(config.seed, purpose, iteration, taskId)
    : deriveSeed(config.evaluation.seed, seedName(purpose, config), taskId);
}

/** 0.1.0 said "evaluation" for selection: campaigns of that time keep the word in their seeds, and so their tasks and users. */
function seedName(split: HeldOutSplit, { environment }: SeedConfig): string {
  return split === "selection" && environment.splits === "train-evaluation" ? "evaluation" : split;
}
