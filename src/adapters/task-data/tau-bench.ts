// tau-bench's domains from their own files: database, tasks, tool schemas and policy document.
import { join } from "node:path";
import { z } from "zod";
import type { Task } from "#contracts/task.ts";
import type { Environment, TaskSet } from "#core/environment/environment.ts";
import { type AirlineDatabase, airlineDatabaseFromJson } from "#environments/tau/airline/database.ts";
import { AIRLINE_TOOLS, type AirlineState, createAirlineEnvironment } from "#environments/tau/airline/environment.ts";
import { dumpsExact } from "#environments/tau/python/format.ts";
import { getItem } from "#environments/tau/python/operations.ts";
import type { PyValue } from "#environments/tau/python/values.ts";
import { type RetailDatabase, retailDatabaseFromJson } from "#environments/tau/retail/database.ts";
import { createRetailEnvironment, RETAIL_TOOLS, type RetailState } from "#environments/tau/retail/environment.ts";
import { taskKind } from "#environments/tau/task-kind.ts";
import type { Tool } from "#environments/tau/tool.ts";
import { type HeldOutOptions, type SelectionOptions, splitOneList, splitOwnSplits } from "./split-benchmark.ts";
import { madeFrom, readChecked, readPythonJson, readText, TauBenchTask, ToolSchemas } from "./tau-bench-files.ts";

/** A domain as the benchmark has it, tasks by the benchmark's own splits. */
export interface BenchmarkData<Data, State> {
  readonly database: Data;
  readonly environment: Environment<State>;
  readonly tasks: ReadonlyMap<string, readonly Task[]>;
}

/**
 * The 50 airline tasks over tau-bench's database, all of which are test tasks there, divided by user.
 *
 * directory  holds `airline/`
 * throws     CampaignError environment.data-missing, environment.data-corrupt or config.invalid (split impossible)
 */
export async function loadTauBenchAirline(directory: string, options: HeldOutOptions): Promise<TaskSet<AirlineState>> {
  const { environment, tasks } = await readTauBenchAirline(directory);
  return { environment, splits: splitOneList(tasks.get("test") ?? [], options) };
}

/**
 * The benchmark's 115 test tasks; its dev split, or tasks held out from its train split, for selection; the rest of its train split to train
 * on. Dev and train tasks whose user is in a test task are left out, as are train tasks whose user is in a selection task.
 *
 * directory  holds `retail/`
 * throws     CampaignError environment.data-missing, environment.data-corrupt or config.invalid (split impossible)
 */
export async function loadTauBenchRetail(directory: string, options: SelectionOptions): Promise<TaskSet<RetailState>> {
  const { environment, tasks } = await readTauBenchRetail(directory);
  const own = { train: tasks.get("train") ?? [], selection: tasks.get("dev") ?? [], test: tasks.get("test") ?? [] };
  return { environment, splits: splitOwnSplits(own, options) };
}

/** The airline as the benchmark has it: split "test", ids `airline-00` … */
export async function readTauBenchAirline(directory: string): Promise<BenchmarkData<AirlineDatabase, AirlineState>> {
  const folder = join(directory, "airline");
  const { flights, reservations, users } = await readCollections(folder, ["flights", "reservations", "users"]);
  const database = madeFrom(folder, () => airlineDatabaseFromJson({ flights, reservations, users }));
  const tasks = new Map([["test", await readTasks(folder, "tasks_test.json", "airline", AIRLINE_TOOLS)]]);
  const environment = createAirlineEnvironment({ database, tasks: tasks.get("test") ?? [], ...(await readAgentSide(folder)) });
  return { database, environment, tasks };
}

/** The shop as the benchmark has it: splits "test", "train" and "dev", ids `retail-test-00` … */
export async function readTauBenchRetail(directory: string): Promise<BenchmarkData<RetailDatabase, RetailState>> {
  const folder = join(directory, "retail");
  const { orders, products, users } = await readCollections(folder, ["orders", "products", "users"]);
  const database = madeFrom(folder, () => retailDatabaseFromJson({ orders, products, users }));
  const tasks = new Map<string, Task[]>();
  for (const split of ["test", "train", "dev"])
    tasks.set(split, await readTasks(folder, `tasks_${split}.json`, "retail", RETAIL_TOOLS, `retail-${split}`));
  const environment = createRetailEnvironment({ database, tasks: Array.from(tasks.values()).flat(), ...(await readAgentSide(folder)) });
  return { database, environment, tasks };
}

async function readCollections<Name extends string>(folder: string, names: readonly Name[]): Promise<Record<Name, PyValue>> {
  const values = await Promise.all(names.map(async (name) => [name, await readPythonJson(folder, `${name}.json`)] as const));
  return Object.fromEntries(values) as Record<Name, PyValue>;
}

async function readAgentSide(folder: string) {
  return { tools: await readChecked(folder, "tools.json", ToolSchemas), systemPrompt: await readText(folder, "wiki.md") };
}

/** A task file as tasks with ids `<prefix>-00`, `<prefix>-01`, … in file order. */
async function readTasks(folder: string, name: string, environment: string, tools: readonly Tool[], prefix = environment): Promise<Task[]> {
  const checked = await readChecked(folder, name, z.array(TauBenchTask));
  const exact = await readPythonJson(folder, name);
  const id = (index: number) => `${prefix}-${String(index).padStart(2, "0")}`;
  return checked.map((task, index) => toTask(task, getItem(exact, index), { id: id(index), environment, tools }));
}

/** `exact` is the same task with ints and floats kept apart. */
function toTask(
  task: TauBenchTask,
  exact: PyValue,
  { id, environment, tools }: { id: string; environment: string; tools: readonly Tool[] },
): Task {
  const exactActions = getItem(exact, "actions");
  const goldenActions = task.actions.map(({ name }, index) => ({
    name,
    argumentsJson: dumpsExact(getItem(getItem(exactActions, index), "kwargs")),
  }));
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
