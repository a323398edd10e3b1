// The benchmarks of a data folder, for the golden vectors: opened when the first vector asks for one.
import { join } from "node:path";
import type { Task } from "#contracts/task.ts";
import { airlineDatabaseFromJson } from "#core/environment/airline/database.ts";
import { AIRLINE_TOOLS } from "#core/environment/airline/environment.ts";
import { hashersOf, type Benchmark } from "#core/environment/conformance/benchmark.ts";
import type { Tool } from "#core/environment/tool.ts";
import { invokeTool } from "#core/environment/tool-environment.ts";
import { nodeSha256 } from "./node-sha256.ts";
import { readTasks } from "./tau-bench.ts";
import { readPythonJson } from "./tau-bench-files.ts";

const OPEN: Readonly<Partial<Record<Benchmark["id"], (directory: string) => Promise<Benchmark>>>> = {
  airline: openAirline,
};

export async function openBenchmark(directory: string, id: Benchmark["id"]): Promise<Benchmark> {
  const open = OPEN[id];
  if (open === undefined) throw new Error(`${id} is not here yet`);
  return open(directory);
}

async function openAirline(directory: string): Promise<Benchmark> {
  const folder = join(directory, "airline");
  const [flights = null, reservations = null, users = null] = await Promise.all(
    ["flights.json", "reservations.json", "users.json"].map((name) => readPythonJson(folder, name)),
  );
  const database = airlineDatabaseFromJson({ flights, reservations, users });
  const tasks = new Map<string, readonly Task[]>([["test", await readTasks(folder, "tasks_test.json", "airline", AIRLINE_TOOLS)]]);
  return { id: "airline", database, step: stepByName(AIRLINE_TOOLS), hashers: hashersOf("airline", database, nodeSha256), tasks };
}

/** tau-bench's step on parsed arguments. */
function stepByName(tools: readonly Tool[]): Benchmark["step"] {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  return (state, name, kwargs) => {
    const tool = byName.get(name);
    return tool === undefined ? { state, observation: `Unknown action ${name}`, isError: true } : invokeTool(tool, state, kwargs);
  };
}
