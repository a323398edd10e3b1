// Task sets of pure environments, by the config of a campaign.
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import type { EnvironmentConfig } from "#contracts/campaign-config.ts";
import type { Environment } from "#core/environment/environment.ts";
import type { TaskSet } from "#core/environment/task-set.ts";

export type PureOpened = TaskSet & { readonly environment: Environment };

export async function openPure(...given: Parameters<typeof openTaskSet>): Promise<PureOpened> {
  const taskSet = await openTaskSet(...given);
  const { environment } = taskSet;
  if (environment === null) throw new Error(`${(given[0] as EnvironmentConfig).type} is not pure`);
  return { ...taskSet, environment };
}
