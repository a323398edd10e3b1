// The task file of `turnwise synthesize`, from its bytes.
import { z } from "zod";
import { TaskFile } from "#contracts/task-file.ts";
import { TaskFile1 } from "#contracts/upcast/task-file-1.ts";
import { sha256Hex } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";
import { utf8Text } from "#core/utf8-text.ts";
import { upcastTaskFile } from "./splits.ts";

const NEXT = "make one with turnwise synthesize --out FILE";

export interface ReadTaskFile {
  readonly file: TaskFile;
  /** Of its bytes. */
  readonly sha256: string;
}

/**
 * One of 0.1.0 as today's. `read` gives the bytes.
 * throws  config.file-missing where `read` rejects; contract.invalid where it is no UTF-8; config.invalid with the place of the first problem
 */
export async function parseTaskFile(path: string, read: () => Promise<Uint8Array>): Promise<ReadTaskFile> {
  const bytes = await read().catch((cause: unknown) => {
    throw new CampaignError("config.file-missing", `cannot read the task file ${path}`, { cause, next: NEXT });
  });
  const json = parseJson(path, utf8Text(bytes, path));
  const isOfVersion1 = z.looseObject({ schemaVersion: z.literal(1) }).safeParse(json).success;
  const file = isOfVersion1 ? upcastTaskFile(parsed(TaskFile1, json, path)) : parsed(TaskFile, json, path);
  return { file, sha256: sha256Hex(bytes) };
}

function parsed<File>(schema: z.ZodType<File>, json: unknown, path: string): File {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const problems = describeProblems(result.error, json, schema, "the top");
  throw new CampaignError("config.invalid", `${path} is no task file: at ${problems}`, { cause: result.error, next: NEXT });
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CampaignError("config.invalid", `${path} is not JSON: ${(cause as Error).message}`, { cause, next: NEXT });
  }
}
