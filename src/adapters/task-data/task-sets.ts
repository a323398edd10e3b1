// Every task set there is, by name; whole, for checks and for rollouts of files. Campaigns open theirs through open-task-set.ts.
import type { WholeTaskSet } from "#environments/plugin.ts";
import { ENVIRONMENTS } from "#environments/registry.ts";
import { environmentResources } from "../environment-resources/environment-resources.ts";

export type { WholeTaskSet } from "#environments/plugin.ts";

export interface TaskSetSource {
  readonly name: string;
  readonly needsData: boolean;
  /** One task set per split of the benchmark. `directory`: with tau-bench's data. */
  readonly load: (directory: string | null) => Promise<readonly WholeTaskSet[]>;
}

export const TASK_SET_SOURCES: readonly TaskSetSource[] = ENVIRONMENTS.flatMap(({ id, data, wholeTaskSets }) =>
  wholeTaskSets === undefined
    ? []
    : [{ name: id, needsData: data !== undefined, load: (directory) => wholeTaskSets(environmentResources(directory)) }],
);
