// tau2-bench's airline from its own files.
import { z } from "zod";
import type { GoldenTask } from "#contracts/task.ts";
import { CampaignError } from "#core/errors.ts";
import type { DataFolder } from "../../data-folder.ts";
import type { Database } from "../database.ts";
import { dumpsExact } from "../python/format.ts";
import { getItem } from "../python/operations.ts";
import type { PyValue } from "../python/values.ts";
import { taskKind } from "../task-kind.ts";
import { tau2AirlineDatabaseFromJson } from "../tau2-airline/database.ts";
import { createTau2AirlineEnvironment, TAU2_AIRLINE_TOOLS } from "../tau2-airline/environment.ts";
import { renderScenario } from "../tau2-airline/scenario.ts";
import type { BenchmarkData } from "./benchmark-data.ts";
import { corrupt, domainFiles, madeFrom, readChecked, readPythonJson, readText, ToolSchemas } from "./data-files.ts";

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

/** The airline as the benchmark has it: splits "train" and "test" (and "selection" in files of ours), ids `tau2-airline-00` … by the benchmark's own numbers. */
export async function readTau2Airline(data: DataFolder): Promise<BenchmarkData> {
  const files = domainFiles(data, "tau2-airline", "db.json, tasks.json, split_tasks.json, tools.json and policy.md");
  const db = await readPythonJson(files, "db.json");
  const database = madeFrom(files, () => tau2AirlineDatabaseFromJson(db));
  const checked = await readChecked(files, "tasks.json", z.array(Tau2Task));
  const exact = await readPythonJson(files, "tasks.json");
  const byId = madeFrom(files, () => new Map(checked.map((task, index) => [task.id, toTask(task, getItem(exact, index), database)])));
  const splits = await readChecked(files, "split_tasks.json", Splits);
  const taskOf = (id: string) => {
    const task = byId.get(id);
    if (task === undefined) throw corrupt(files, "split_tasks.json", `names task ${id}, which tasks.json does not have`);
    return task;
  };
  const tasks = new Map(Object.entries(splits).map(([name, ids = []]) => [name, ids.map(taskOf)]));
  const { tools } = await readChecked(files, "tools.json", z.object({ tools: ToolSchemas }));
  const systemPrompt = await readText(files, "policy.md");
  const environmentWith = (own: readonly GoldenTask[]) => createTau2AirlineEnvironment({ database, tools, systemPrompt, tasks: own });
  return { database, tasks, environmentWith, environment: environmentWith(Array.from(byId.values())) };
}

/** `exact` is the same task with ints and floats kept apart. */
function toTask(task: Tau2Task, exact: PyValue, database: Database): GoldenTask {
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
function userOf({ id, user_scenario }: Tau2Task, database: Database): string {
  const users = database.collections.get("users") ?? new Map();
  const found = JSON.stringify(user_scenario)
    .match(/\w+/g)
    ?.find((word) => users.has(word));
  if (found === undefined)
    throw new CampaignError("environment.data-corrupt", `tasks.json: the scenario of task ${id} names no user of the database`);
  return found;
}
