// Why campaigns are not in MLflow, as the tracking loop last saw it: the loop runs in a worker, and `turnwise tracking status` asks from
// outside. A note for people and nothing more: what it says is found out anew by every projection.
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const Problems = z.record(z.string(), z.string());

const pathIn = (home: string): string => join(home, "tracking-problems.json");

/** Reasons by campaign; none when the file is not there or cannot be read. */
export async function readTrackingProblems(home: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(pathIn(home), "utf8").catch(() => "{}");
  try {
    return Problems.parse(JSON.parse(text));
  } catch {
    return {};
  }
}

/** No file stays without a problem. Where it cannot be written, the log alone has the reasons. */
export async function writeTrackingProblems(home: string, problems: ReadonlyMap<string, string>): Promise<void> {
  const path = pathIn(home);
  if (problems.size === 0) return await rm(path, { force: true }).catch(() => undefined);
  await writeFile(`${path}.new`, JSON.stringify(Object.fromEntries(problems), null, 2))
    .then(() => rename(`${path}.new`, path))
    .catch(() => undefined);
}
