// The trainer's own Python, for tests that compare both sides of a contract or need real weights.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readSettings } from "#adapters/settings.ts";
import { pythonEnvironment } from "../../infra/setup/python/our-python.mjs";

const { python } = readSettings();
export const PYTHON = python;
/** False in a checkout without `npm run setup`; the tests that need it are then skipped. */
export const hasPython = existsSync(python);

/** Runs a script that reads JSON on standard input and prints JSON. Throws with its stderr when it fails. */
export function runPython(script: string, input: unknown): unknown {
  const output = execFileSync(python, ["-c", script], {
    input: JSON.stringify(input),
    env: pythonEnvironment({ KMP_BLOCKTIME: "0" }),
    maxBuffer: 1 << 28,
    encoding: "utf8",
  });
  return JSON.parse(output);
}
