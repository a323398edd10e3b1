// Runs golden vectors from files: every .jsonl below a folder, one vector per line.
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { CampaignError } from "#core/errors.ts";
import type { Benchmark } from "#environments/tau/conformance/benchmark.ts";
import { checkVector, vectorKind } from "#environments/tau/conformance/check-vector.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import { isDict, type PyDict } from "#environments/tau/python/values.ts";
import { openBenchmark } from "./benchmarks.ts";

export interface FileConformance {
  /** Relative to the folder. */
  readonly file: string;
  readonly passed: number;
  readonly failures: readonly { readonly line: number; readonly id: string; readonly difference: string }[];
}

/**
 * Checks every vector below `directory`; `dataDirectory` holds the benchmarks' databases and tasks, null when it is not known.
 *
 * throws  CampaignError environment.data-missing when there are no vectors or no data for a domain that they name
 */
export async function* checkConformance(directory: string, dataDirectory: string | null): AsyncGenerator<FileConformance> {
  const files = await vectorFiles(directory);
  if (files.length === 0) {
    throw new CampaignError("environment.data-missing", `no .jsonl file below ${directory}`, {
      next: "give the folder that holds the golden vectors",
    });
  }
  const benchmarks = new Map<Benchmark["id"], Promise<Benchmark>>();
  const open = (id: Benchmark["id"]): Promise<Benchmark> => {
    if (dataDirectory === null) {
      throw new CampaignError("environment.data-missing", "the folder with tau-bench's data is not known", {
        next: "set TURNWISE_TAU_BENCH or give --data",
      });
    }
    const benchmark = benchmarks.get(id) ?? openBenchmark(dataDirectory, id);
    benchmarks.set(id, benchmark);
    return benchmark;
  };
  for (const file of files) yield checkFile(directory, file, open);
}

async function vectorFiles(directory: string): Promise<string[]> {
  const entry = await stat(directory).catch(() => null);
  if (entry === null || !entry.isDirectory()) {
    throw new CampaignError("environment.data-missing", `no folder at ${directory}`, {
      next: "give the folder that holds the golden vectors",
    });
  }
  const names = await readdir(directory, { recursive: true });
  return names.filter((name) => name.endsWith(".jsonl")).sort();
}

async function checkFile(directory: string, file: string, open: (id: Benchmark["id"]) => Promise<Benchmark>): Promise<FileConformance> {
  const failures: FileConformance["failures"][number][] = [];
  let passed = 0;
  let line = 0;
  for await (const text of createInterface({
    input: createReadStream(join(directory, file), "utf8"),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    line += 1;
    if (text.trim() === "") continue;
    const { id, difference } = await checkLine(text, resolve(directory, file), open);
    if (difference === null) passed += 1;
    else failures.push({ line, id, difference });
  }
  return { file: relative(".", file), passed, failures };
}

async function checkLine(
  text: string,
  path: string,
  open: (id: Benchmark["id"]) => Promise<Benchmark>,
): Promise<{ id: string; difference: string | null }> {
  let vector: PyDict;
  try {
    const value = parseJson(text);
    if (!isDict(value)) return { id: "", difference: "the line is not a JSON object" };
    vector = value;
  } catch (error) {
    return { id: "", difference: `the line is not JSON: ${(error as Error).message}` };
  }
  const id = vector.get("id");
  const domain = vectorKind(vector) === "calculate" ? null : domainOf(vector, path);
  return { id: typeof id === "string" ? id : "", difference: checkVector(vector, domain === null ? null : await open(domain)) };
}

/** The domain of a vector: by its hash, by the nearest folder that is named after one, or by its id. */
function domainOf(vector: PyDict, path: string): Benchmark["id"] | null {
  if (vector.has("tau2_hash")) return "tau2-airline";
  const id = String(vector.get("id") ?? "");
  const names = [id.startsWith("tau2-airline-") ? "tau2-airline" : id.split("-")[0], ...path.split(/[\\/]/).reverse()];
  const known = ["airline", "retail", "tau2-airline"] as const;
  return known.find((name) => name === names.find((candidate) => known.some((domain) => domain === candidate))) ?? null;
}
