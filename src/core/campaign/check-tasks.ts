import type { EnvironmentConfig } from "#contracts/campaign-config.ts";
import type { Task } from "#contracts/task.ts";
import type { Splits } from "../environment/splits.ts";
import { CampaignError } from "../errors.ts";
import { planSelectionTasks, planTestTasks, planTrainTasks, type SeedConfig } from "./plan-tasks.ts";

/** What of a campaign's config asks for tasks. */
export interface TasksConfig extends SeedConfig {
  readonly environment: EnvironmentConfig;
  readonly rollout: { readonly tasksPerIteration: number };
  readonly selection: { readonly tasks: number } | null;
  readonly test: { readonly tasks: number } | null;
}

/** Throws config.invalid when a split has fewer tasks than the campaign asks for, or tasks are held out of training that nothing will use. */
export function checkTasks(config: TasksConfig, splits: Splits): void {
  const ids = (tasks: readonly Task[]) => tasks.map(({ id }) => id);
  planTrainTasks(ids(splits.train), config.rollout.tasksPerIteration, config.seed, 1);
  if (config.selection !== null) planSelectionTasks(ids(splits.selection), config.selection.tasks, config);
  if (config.test !== null) planTestTasks(ids(splits.test), config.test.tasks, config);
  if (config.selection === null && "selectionTasks" in config.environment && splits.selection.length > 0) {
    throw new CampaignError("config.invalid", `${splits.selection.length} tasks are held out for selection, but selection is null`, {
      next: "set environment.selectionTasks to 0, or say under selection how many of them choose the policy",
    });
  }
}
