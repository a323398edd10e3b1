// The task file on disk.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { TaskFile } from "#contracts/task-file.ts";
import { CampaignError } from "#core/errors.ts";
import { parseTaskFile, type ReadTaskFile } from "#environments/task-file/parse-task-file.ts";

/** Throws config.file-missing or config.invalid with the place of the first problem. */
export function readTaskFile(path: string): Promise<ReadTaskFile> {
  return parseTaskFile(path, () => readFile(path));
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
