// tau-bench's domains from their own files: database, tasks, tool schemas and policy document.
import { z } from "zod";
import type { GoldenTask } from "#contracts/task.ts";
import type { DataFolder } from "../../data-folder.ts";
import { airlineDatabaseFromJson } from "../airline/database.ts";
import { AIRLINE_TOOLS, createAirlineEnvironment } from "../airline/environment.ts";
import { dumpsExact } from "../python/format.ts";
import { getItem } from "../python/operations.ts";
import type { PyValue } from "../python/values.ts";
import { retailDatabaseFromJson } from "../retail/database.ts";
import { createRetailEnvironment, RETAIL_TOOLS } from "../retail/environment.ts";
import { taskKind } from "../task-kind.ts";
import type { Tool } from "../tool.ts";
import type { BenchmarkData } from "./benchmark-data.ts";
import { type DomainFiles, domainFiles, madeFrom, readChecked, readPythonJson, readText, TauBenchTask, ToolSchemas } from "./data-files.ts";

/** The airline as the benchmark has it: split "test", ids `airline-00` … Throws environment.data-missing or environment.data-corrupt. */
export async function readTauBenchAirline(data: DataFolder): Promise<BenchmarkData> {
  const files = domainFiles(data, "airline", "flights.json, reservations.json, users.json, tasks_test.json, tools.json and wiki.md");
  const { flights, reservations, users } = await readCollections(files, ["flights", "reservations", "users"]);
  const database = madeFrom(files, () => airlineDatabaseFromJson({ flights, reservations, users }));
  const tasks = new Map([["test", await readTasks(files, "tasks_test.json", "airline", AIRLINE_TOOLS)]]);
  const side = await readAgentSide(files);
  const environmentWith = (own: readonly GoldenTask[]) => createAirlineEnvironment({ database, tasks: own, ...side });
  return { database, tasks, environmentWith, environment: environmentWith(Array.from(tasks.values()).flat()) };
}

const RETAIL_FILES = "orders.json, products.json, users.json, tasks_test.json, tasks_train.json, tasks_dev.json, tools.json and wiki.md";

/** The shop as the benchmark has it: splits "test", "train" and "dev", ids `retail-test-00` … Throws as the airline does. */
export async function readTauBenchRetail(data: DataFolder): Promise<BenchmarkData> {
  const files = domainFiles(data, "retail", RETAIL_FILES);
  const { orders, products, users } = await readCollections(files, ["orders", "products", "users"]);
  const database = madeFrom(files, () => retailDatabaseFromJson({ orders, products, users }));
  const tasks = new Map<string, GoldenTask[]>();
  for (const split of ["test", "train", "dev"])
    tasks.set(split, await readTasks(files, `tasks_${split}.json`, "retail", RETAIL_TOOLS, `retail-${split}`));
  const side = await readAgentSide(files);
  const environmentWith = (own: readonly GoldenTask[]) => createRetailEnvironment({ database, tasks: own, ...side });
  return { database, tasks, environmentWith, environment: environmentWith(Array.from(tasks.values()).flat()) };
}

async function readCollections<Name extends string>(files: DomainFiles, names: readonly Name[]): Promise<Record<Name, PyValue>> {
  const values = await Promise.all(names.map(async (name) => [name, await readPythonJson(files, `${name}.json`)] as const));
  return Object.fromEntries(values) as Record<Name, PyValue>;
}

async function readAgentSide(files: DomainFiles) {
  return { tools: await readChecked(files, "tools.json", ToolSchemas), systemPrompt: await readText(files, "wiki.md") };
}

/** A task file as tasks with ids `<prefix>-00`, `<prefix>-01`, … in file order. */
async function readTasks(
  files: DomainFiles,
  name: string,
  environment: string,
  tools: readonly Tool[],
  prefix = environment,
): Promise<GoldenTask[]> {
  const checked = await readChecked(files, name, z.array(TauBenchTask));
  const exact = await readPythonJson(files, name);
  const id = (index: number) => `${prefix}-${String(index).padStart(2, "0")}`;
  return checked.map((task, index) => toTask(task, getItem(exact, index), { id: id(index), environment, tools }));
}

/** `exact` is the same task with ints and floats kept apart. */
function toTask(
  task: TauBenchTask,
  exact: PyValue,
  { id, environment, tools }: { id: string; environment: string; tools: readonly Tool[] },
): GoldenTask {
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
