// tau-bench's airline from its own files: database, tasks, tool schemas and policy document.
import { join } from "node:path";
import { z } from "zod";
import type { Task } from "#contracts/task.ts";
import { airlineDatabaseFromJson } from "#core/environment/airline/database.ts";
import { AIRLINE_TOOLS, createAirlineEnvironment, type AirlineState } from "#core/environment/airline/environment.ts";
import type { TaskSet } from "#core/environment/environment.ts";
import { dumps } from "#core/environment/python/format.ts";
import { getItem } from "#core/environment/python/operations.ts";
import type { PyValue } from "#core/environment/python/values.ts";
import { taskKind } from "#core/environment/task-kind.ts";
import type { Tool } from "#core/environment/tool.ts";
import { splitByUser } from "./split-by-user.ts";
import { readChecked, readPythonJson, readText, TauBenchTask, ToolSchemas } from "./tau-bench-files.ts";

export interface TauBenchOptions {
  /** Tasks held out from training; no user is on both sides. */
  readonly evaluationTasks: number;
  /** Which users these are; 1 when absent. */
  readonly seed?: number;
}

/**
 * The 50 airline tasks over tau-bench's database.
 *
 * directory  holds `airline/`
 * throws     CampaignError environment.data-missing, environment.data-corrupt or config.invalid (split impossible)
 */
export async function loadTauBenchAirline(directory: string, options: TauBenchOptions): Promise<TaskSet<AirlineState>> {
  const folder = join(directory, "airline");
  const [flights, reservations, users] = await Promise.all(["flights.json", "reservations.json", "users.json"].map((name) => readPythonJson(folder, name)));
  const database = airlineDatabaseFromJson({ flights: flights ?? null, reservations: reservations ?? null, users: users ?? null });
  const tasks = await readTasks(folder, "tasks_test.json", "airline", AIRLINE_TOOLS);
  const tools = await readChecked(folder, "tools.json", ToolSchemas);
  const environment = createAirlineEnvironment({ database, tools, systemPrompt: await readText(folder, "wiki.md"), tasks });
  return { environment, splits: { sft: [], ...splitByUser(tasks, { seed: 1, ...options }) } };
}

/** A task file as tasks with ids `<environment>-00`, `<environment>-01`, … in file order. */
export async function readTasks(folder: string, name: string, environment: string, tools: readonly Tool[]): Promise<Task[]> {
  const checked = await readChecked(folder, name, z.array(TauBenchTask));
  const exact = await readPythonJson(folder, name);
  return checked.map((task, index) => toTask(task, getItem(exact, index), `${environment}-${String(index).padStart(2, "0")}`, environment, tools));
}

/** `exact` is the same task with ints and floats kept apart. */
function toTask(task: TauBenchTask, exact: PyValue, id: string, environment: string, tools: readonly Tool[]): Task {
  const exactActions = getItem(exact, "actions");
  const goldenActions = task.actions.map(({ name }, index) => ({ name, argumentsJson: dumps(getItem(getItem(exactActions, index), "kwargs")) }));
  return {
    schemaVersion: 1,
    id,
    environment,
    userId: task.user_id,
    instruction: task.instruction,
    goldenActions,
    outputs: task.outputs,
    agenda: null,
    ...taskKind(goldenActions, tools),
  };
}
