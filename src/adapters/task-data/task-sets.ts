// Every task set there is, by name; whole, for checks. Campaigns open theirs through open-task-set.ts.
import type { TaskSet } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import { loadSyntheticAirline } from "./synthetic.ts";
import { loadTauBenchAirline } from "./tau-bench.ts";

export interface NamedTaskSet {
  readonly name: string;
  readonly needsData: boolean;
  readonly load: (directory: string | null) => Promise<TaskSet>;
}

const fromData = (name: string, load: (directory: string) => Promise<unknown>): NamedTaskSet => ({
  name,
  needsData: true,
  load: (directory) => {
    if (directory !== null) return load(directory) as Promise<TaskSet>;
    throw new CampaignError("environment.data-missing", `${name} needs tau-bench's data`, { next: "set TURNWISE_TAU_BENCH or give --data" });
  },
});

export const TASK_SETS: readonly NamedTaskSet[] = [
  { name: "synthetic-airline", needsData: false, load: async () => loadSyntheticAirline(1) },
  fromData("tau-bench-airline", (directory) => loadTauBenchAirline(directory, { evaluationTasks: 20 })),
];
