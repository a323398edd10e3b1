// The task file on disk.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { TaskFile } from "#contracts/task-file.ts";
import { TaskFile1 } from "#contracts/upcast/task-file-1.ts";
import { sha256Hex } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";
import { upcastTaskFile } from "#synthesis/splits.ts";

const NEXT = "make one with turnwise synthesize --out FILE";

/** A task file and the hash of its bytes; one of 0.1.0 as today's. Throws config.file-missing or config.invalid with the place of the first problem. */
export async function readTaskFile(path: string): Promise<{ readonly file: TaskFile; readonly sha256: string }> {
  const { json, sha256 } = await readJson(path);
  const isOfVersion1 = z.looseObject({ schemaVersion: z.literal(1) }).safeParse(json).success;
  return { file: isOfVersion1 ? upcastTaskFile(parsed(TaskFile1, json, path)) : parsed(TaskFile, json, path), sha256 };
}

function parsed<File>(schema: z.ZodType<File>, json: unknown, path: string): File {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const problems = describeProblems(result.error, json, schema, "the top");
  throw new CampaignError("config.invalid", `${path} is no task file: at ${problems}`, { cause: result.error, next: NEXT });
}

async function readJson(path: string): Promise<{ readonly json: unknown; readonly sha256: string }> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new CampaignError("config.file-missing", `cannot read the task file ${path}`, { cause, next: NEXT });
  });
  try {
    return { json: JSON.parse(text), sha256: sha256Hex(text) };
  } catch (cause) {
    throw new CampaignError("config.invalid", `${path} is not JSON: ${(cause as Error).message}`, { cause, next: NEXT });
  }
}

export function writeTaskFile(path: string, file: TaskFile): Promise<void> {
  return writeNew(path, `${JSON.stringify(file, null, 2)}\n`);
}

/** Writes a file and the folders above it. Throws config.invalid where that is not possible. */
export async function writeNew(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (cause) {
    throw new CampaignError("config.invalid", `cannot write ${path}: ${(cause as Error).message}`, { cause, next: "choose another --out" });
  }
}
