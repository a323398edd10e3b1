// Reads and checks the files of a tau-bench data folder.
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import type { ToolSchema } from "#core/ports.ts";
import { describeProblems } from "#core/problems.ts";
import type { DataFolder } from "../../data-folder.ts";
import { parseJson } from "../python/parse-json.ts";
import type { PyValue } from "../python/values.ts";

/** A domain's folder, and what it must hold, as the next step of an error. */
export interface DomainFiles {
  readonly folder: DataFolder;
  readonly needed: string;
}

/** `names`: e.g. "db.json, tasks.json and policy.md". */
export function domainFiles(data: DataFolder, domain: string, names: string): DomainFiles {
  return { folder: data.folder(domain), needed: `set TURNWISE_TAU_BENCH, or --data, to a folder with ${domain}/: ${names}` };
}

/** The text of a file of the folder. Throws environment.data-missing. */
export async function readText({ folder, needed }: DomainFiles, name: string): Promise<string> {
  if (!(await folder.isThere())) throw new CampaignError("environment.data-missing", `no data folder at ${folder.path}`, { next: needed });
  return await folder.readText(name).catch((cause: unknown) => {
    throw new CampaignError("environment.data-missing", `cannot read ${name} in ${folder.path}`, { cause, next: needed });
  });
}

export function corrupt({ folder }: DomainFiles, name: string, what: string, cause?: unknown): CampaignError {
  return new CampaignError("environment.data-corrupt", `${name} in ${folder.path}: ${what}`, { cause, next: COPY_AGAIN });
}

/** What `make` makes of the folder's files; an error of theirs then says which folder and what to do. */
export function madeFrom<Value>({ folder }: DomainFiles, make: () => Value): Value {
  try {
    return make();
  } catch (error) {
    if (error instanceof CampaignError && error.code === "environment.data-corrupt")
      throw new CampaignError(error.code, `in ${folder.path}: ${error.message}`, { cause: error, next: COPY_AGAIN });
    throw error;
  }
}

const COPY_AGAIN = "copy the file again from the benchmark's repository";

/** A JSON file with ints and floats kept apart. Throws environment.data-missing or environment.data-corrupt. */
export async function readPythonJson(files: DomainFiles, name: string): Promise<PyValue> {
  const text = await readText(files, name);
  try {
    return parseJson(text);
  } catch (cause) {
    throw corrupt(files, name, `not valid JSON: ${(cause as Error).message}`, cause);
  }
}

/** A JSON file checked against a schema. Throws environment.data-missing or environment.data-corrupt with the place of the first problem. */
export async function readChecked<Value>(files: DomainFiles, name: string, schema: z.ZodType<Value>): Promise<Value> {
  const text = await readText(files, name);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw corrupt(files, name, `not valid JSON: ${(cause as Error).message}`, cause);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw corrupt(files, name, `at ${describeProblems(result.error, json, schema, "the top")}`, result.error);
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
