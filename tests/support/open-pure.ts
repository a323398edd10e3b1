// Task sets of pure environments, by the config of a campaign.
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import type { EnvironmentConfig } from "#contracts/campaign-config.ts";
import type { PureTaskSet } from "#core/environment/environment.ts";
import type { TaskSet } from "#core/environment/task-set.ts";

export type PureOpened = Omit<TaskSet, "environment" | "splits"> & PureTaskSet;

export async function openPure(...given: Parameters<typeof openTaskSet>): Promise<PureOpened> {
  const taskSet = await openTaskSet(...given);
  const { environment, splits } = taskSet;
  if (environment === null) throw new Error(`${(given[0] as EnvironmentConfig).type} is not pure`);
  return { ...taskSet, environment, splits: splits as PureTaskSet["splits"] };
}
