import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Settings } from "../settings.ts";

/** The folder with tau-bench's data: the one given, else the one of the settings, else the folder around golden vectors that lie beside it. */
export function findData(given: string | undefined, { tauBench }: Pick<Settings, "tauBench">, vectors?: string): string | null {
  if (given !== undefined) return resolve(given);
  if (tauBench !== null || vectors === undefined) return tauBench;
  return (
    [vectors, dirname(vectors), dirname(dirname(vectors))].find((folder) => existsSync(join(folder, "airline", "flights.json"))) ?? null
  );
}
