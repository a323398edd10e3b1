// `npm run schemas`: JSON Schema of every contract that the Python trainer reads or writes, from zod into trainer/src/trainer/schemas.
// With --check nothing is written and a difference is an error; CI runs that.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { SftEvent, SftJob, SftResult, SftRow, TokenizerJob } from "#contracts/sft.ts";
import { BatchHeader, TrainingEvent, TrainingJob, TrainingResult } from "#contracts/training.ts";

const CONTRACTS = { BatchHeader, SftEvent, SftJob, SftResult, SftRow, TokenizerJob, TrainingEvent, TrainingJob, TrainingResult };
const FOLDER = fileURLToPath(new URL("../trainer/src/trainer/schemas/", import.meta.url));

/** Text of each schema file by name. Nothing is shared between files: a reader needs one. */
function renderSchemas(): Map<string, string> {
  return new Map(
    Object.entries(CONTRACTS).map(([name, contract]) => [`${name}.json`, `${JSON.stringify(z.toJSONSchema(contract), null, 2)}\n`]),
  );
}

/** Files that are missing, stale or no longer generated. */
function differences(schemas: ReadonlyMap<string, string>): string[] {
  const existing = new Set(readdirSync(FOLDER).filter((name) => name.endsWith(".json")));
  const stale = [...schemas].filter(([name, text]) => !existing.has(name) || readFileSync(join(FOLDER, name), "utf8") !== text);
  return [...stale.map(([name]) => name), ...[...existing].filter((name) => !schemas.has(name))];
}

mkdirSync(FOLDER, { recursive: true });
const schemas = renderSchemas();
const changed = differences(schemas);
if (process.argv.includes("--check")) {
  if (changed.length > 0) {
    console.error(`schemas differ from src/contracts: ${changed.join(", ")}\nnext: npm run schemas`);
    process.exitCode = 1;
  }
} else {
  for (const name of changed) {
    const text = schemas.get(name);
    if (text === undefined) rmSync(join(FOLDER, name));
    else writeFileSync(join(FOLDER, name), text);
  }
  console.log(changed.length === 0 ? "schemas are up to date" : `wrote ${changed.join(", ")}`);
}
