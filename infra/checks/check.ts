// `npm run check`: types, lint, import rules, Python lint and types, schema drift. All of it runs, then all failures are shown.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../setup/places.mjs";
import { type Command, npmTool, pythonTool, runQuiet, typescriptFolders } from "./commands.ts";

const ESLINT_CACHE = join(REPOSITORY, ".turnwise", "cache", "eslint");

const checks: Command[] = [
  npmTool("tsc"),
  npmTool("biome", "check", "--max-diagnostics=50", "."),
  npmTool("eslint", "--cache", "--cache-location", ESLINT_CACHE, "--max-warnings=0", "."),
  npmTool("depcruise", ...typescriptFolders()),
  pythonTool("ruff", "check", "."),
  { ...pythonTool("ruff", "format", "--check", "."), name: "ruff format" },
  { ...npmTool("pyright"), folder: "trainer" },
];
if (existsSync(join(REPOSITORY, "infra", "schemas.ts"))) {
  checks.push({ name: "schemas", command: process.execPath, args: ["infra/schemas.ts", "--check"] });
}

let failed = 0;
for (const check of checks) {
  const { code, output, seconds } = await runQuiet(check);
  console.log(`${code === 0 ? "ok    " : "FAILED"}  ${check.name.padEnd(12)} ${seconds.toFixed(1)} s`);
  if (code === 0) continue;
  failed += 1;
  console.log(output.trimEnd().replaceAll(/^/gm, "    "));
}
console.log(`${checks.length - failed} checks passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
