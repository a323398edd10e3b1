// tau2-bench's airline from its own files.
import { join } from "node:path";
import { z } from "zod";
import type { Task } from "#contracts/task.ts";
import type { TaskSet } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import type { AirlineDatabase } from "#environments/tau/airline/database.ts";
import type { DatabaseState } from "#environments/tau/database.ts";
import { dumpsExact } from "#environments/tau/python/format.ts";
import { getItem } from "#environments/tau/python/operations.ts";
import type { PyValue } from "#environments/tau/python/values.ts";
import { taskKind } from "#environments/tau/task-kind.ts";
import { tau2AirlineDatabaseFromJson } from "#environments/tau/tau2-airline/database.ts";
import { createTau2AirlineEnvironment, TAU2_AIRLINE_TOOLS } from "#environments/tau/tau2-airline/environment.ts";
import { renderScenario } from "#environments/tau/tau2-airline/scenario.ts";
import { type SelectionOptions, splitOwnSplits } from "./split-benchmark.ts";
import type { BenchmarkData } from "./tau-bench.ts";
import { corrupt, madeFrom, readChecked, readPythonJson, readText, ToolSchemas } from "./tau-bench-files.ts";

const Scenario = z.object({
  persona: z.string().nullable(),
  instructions: z.object({
    domain: z.string(),
    reason_for_call: z.string(),
    known_info: z.string().nullable(),
    unknown_info: z.string().nullable(),
    task_instructions: z.string(),
  }),
});

/** What of a task is used here. Every airline task has no initial state, and is graded by database and communicated strings. */
const Tau2Task = z.object({
  id: z.string().min(1),
  user_scenario: Scenario,
  initial_state: z.null(),
  evaluation_criteria: z.object({
    actions: z.array(
      z.object({
        name: z.string().min(1),
        arguments: z.record(z.string(), z.unknown()),
        requestor: z.literal("assistant").default("assistant"),
      }),
    ),
    communicate_info: z.array(z.string()),
    reward_basis: z.array(z.string()),
  }),
});
type Tau2Task = z.infer<typeof Tau2Task>;

/** `selection` is in files of ours alone. */
const Splits = z.object({ train: z.array(z.string()), test: z.array(z.string()), selection: z.array(z.string()).optional() });

/**
 * The benchmark's test split; for selection the split of that name where the file has one, or tasks held out from the train split; the rest
 * of the train split to train on, without the tasks whose user is in another.
 *
 * directory  holds `tau2-airline/`
 * throws     CampaignError environment.data-missing, environment.data-corrupt or config.invalid (split impossible)
 */
export async function loadTau2Airline(directory: string, options: SelectionOptions): Promise<TaskSet<DatabaseState>> {
  const { environment, tasks } = await readTau2Airline(directory);
  const own = { train: tasks.get("train") ?? [], selection: tasks.get("selection") ?? [], test: tasks.get("test") ?? [] };
  return { environment, splits: splitOwnSplits(own, options) };
}

/** The airline as the benchmark has it: splits "train" and "test" (and "selection" in files of ours), ids `tau2-airline-00` … by the benchmark's own numbers. */
export async function readTau2Airline(directory: string): Promise<BenchmarkData<AirlineDatabase, DatabaseState>> {
  const folder = join(directory, "tau2-airline");
  const db = await readPythonJson(folder, "db.json");
  const database = madeFrom(folder, () => tau2AirlineDatabaseFromJson(db));
  const checked = await readChecked(folder, "tasks.json", z.array(Tau2Task));
  const exact = await readPythonJson(folder, "tasks.json");
  const byId = madeFrom(folder, () => new Map(checked.map((task, index) => [task.id, toTask(task, getItem(exact, index), database)])));
  const splits = await readChecked(folder, "split_tasks.json", Splits);
  const taskOf = (id: string) => {
    const task = byId.get(id);
    if (task === undefined) throw corrupt(folder, "split_tasks.json", `names task ${id}, which tasks.json does not have`);
    return task;
  };
  const tasks = new Map(Object.entries(splits).map(([name, ids = []]) => [name, ids.map(taskOf)]));
  const { tools } = await readChecked(folder, "tools.json", z.object({ tools: ToolSchemas }));
  const environment = createTau2AirlineEnvironment({
    database,
    tools,
    systemPrompt: await readText(folder, "policy.md"),
    tasks: Array.from(byId.values()),
  });
  return { database, environment, tasks };
}

/** `exact` is the same task with ints and floats kept apart. */
function toTask(task: Tau2Task, exact: PyValue, database: AirlineDatabase): Task {
  const { actions } = task.evaluation_criteria;
  const exactActions = getItem(getItem(exact, "evaluation_criteria"), "actions");
  const goldenActions = actions.map(({ name }, index) => ({
    name,
    argumentsJson: dumpsExact(getItem(getItem(exactActions, index), "arguments")),
  }));
  return {
    schemaVersion: 1,
    id: `tau2-airline-${task.id.padStart(2, "0")}`,
    environment: "tau2-airline",
    userId: userOf(task, database),
    instruction: renderScenario(task.user_scenario),
    goldenActions,
    outputs: outputsOf(task),
    agenda: null,
    ...taskKind(goldenActions, TAU2_AIRLINE_TOOLS),
  };
}

/** What must be communicated: nothing where the task's reward does not ask. Throws for a reward that takes more than database and replies. */
function outputsOf({ id, evaluation_criteria: { reward_basis: basis, communicate_info: outputs } }: Tau2Task): string[] {
  const unknown = basis.find((one) => one !== "DB" && one !== "COMMUNICATE");
  if (unknown !== undefined || !basis.includes("DB")) {
    const what = unknown === undefined ? "without DB" : `by ${unknown}`;
    throw new CampaignError("environment.data-corrupt", `tasks.json: task ${id} is graded ${what}; known are DB, and DB with COMMUNICATE`);
  }
  return basis.includes("COMMUNICATE") ? outputs : [];
}

/** The user whose id the scenario tells. */
function userOf({ id, user_scenario }: Tau2Task, database: AirlineDatabase): string {
  const users = database.collections.get("users") ?? new Map();
  const found = JSON.stringify(user_scenario)
    .match(/\w+/g)
    ?.find((word) => users.has(word));
  if (found === undefined)
    throw new CampaignError("environment.data-corrupt", `tasks.json: the scenario of task ${id} names no user of the database`);
  return found;
}
