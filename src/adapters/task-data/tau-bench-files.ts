// Reads and checks the files of a tau-bench data folder.
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import type { ToolSchema } from "#core/ports.ts";
import { describeProblems } from "#core/problems.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import type { PyValue } from "#environments/tau/python/values.ts";

const FILES: Readonly<Record<string, string>> = {
  airline: "flights.json, reservations.json, users.json, tasks_test.json, tools.json and wiki.md",
  retail: "orders.json, products.json, users.json, tasks_test.json, tasks_train.json, tasks_dev.json, tools.json and wiki.md",
  "tau2-airline": "db.json, tasks.json, split_tasks.json, tools.json and policy.md",
};

/** What the folder of a domain must hold, as the next step of an error. */
function whatIsNeeded(directory: string): string {
  const domain = basename(directory);
  return `set TURNWISE_TAU_BENCH, or --data, to a folder with ${domain}/: ${FILES[domain] ?? "the files of the benchmark"}`;
}

/** The text of a file of the folder. Throws environment.data-missing. */
export async function readText(directory: string, name: string): Promise<string> {
  if (!(await isDirectory(directory)))
    throw new CampaignError("environment.data-missing", `no data folder at ${directory}`, { next: whatIsNeeded(directory) });
  try {
    return await readFile(join(directory, name), "utf8");
  } catch (cause) {
    throw new CampaignError("environment.data-missing", `cannot read ${name} in ${directory}`, { cause, next: whatIsNeeded(directory) });
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}

export function corrupt(directory: string, name: string, what: string, cause?: unknown): CampaignError {
  return new CampaignError("environment.data-corrupt", `${name} in ${directory}: ${what}`, {
    cause,
    next: COPY_AGAIN,
  });
}

/** What `make` makes of the folder's files; an error of theirs then says which folder and what to do. */
export function madeFrom<Value>(directory: string, make: () => Value): Value {
  try {
    return make();
  } catch (error) {
    if (error instanceof CampaignError && error.code === "environment.data-corrupt")
      throw new CampaignError(error.code, `in ${directory}: ${error.message}`, { cause: error, next: COPY_AGAIN });
    throw error;
  }
}

const COPY_AGAIN = "copy the file again from the benchmark's repository";

/** A JSON file with ints and floats kept apart. Throws environment.data-missing or environment.data-corrupt. */
export async function readPythonJson(directory: string, name: string): Promise<PyValue> {
  const text = await readText(directory, name);
  try {
    return parseJson(text);
  } catch (cause) {
    throw corrupt(directory, name, `not valid JSON: ${(cause as Error).message}`, cause);
  }
}

/** A JSON file checked against a schema. Throws environment.data-missing or environment.data-corrupt with the place of the first problem. */
export async function readChecked<Value>(directory: string, name: string, schema: z.ZodType<Value>): Promise<Value> {
  const text = await readText(directory, name);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw corrupt(directory, name, `not valid JSON: ${(cause as Error).message}`, cause);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw corrupt(directory, name, `at ${describeProblems(result.error, json, schema, "the top")}`, result.error);
}

export const ToolSchemas: z.ZodType<ToolSchema[]> = z.array(
  z.object({
    type: z.literal("function"),
    function: z.object({ name: z.string().min(1), description: z.string(), parameters: z.record(z.string(), z.unknown()) }),
  }),
);

/** A task of tau-bench v1 as converted from its Python source. */
export const TauBenchTask = z.object({
  user_id: z.string().min(1),
  instruction: z.string(),
  actions: z.array(z.object({ name: z.string().min(1), kwargs: z.record(z.string(), z.unknown()) })),
  outputs: z.array(z.string()),
});
export type TauBenchTask = z.infer<typeof TauBenchTask>;
