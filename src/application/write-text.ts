// Files that a person asked for.
import { writeFile } from "node:fs/promises";
import { CampaignError } from "#core/errors.ts";

/** Throws config.invalid when it cannot be written there; `option` is the one that named it. */
export async function writeText(path: string, text: string, option: string): Promise<void> {
  await writeFile(path, text).catch((cause: Error) => {
    throw new CampaignError("config.invalid", `cannot write ${path}: ${cause.message}`, { cause, next: `choose another ${option}` });
  });
}
