// `npm test`: every test of both languages, closing with the number of tests. Arguments choose TypeScript tests by name
// (`npm test -- calibration`) and leave Python out; without any, everything runs.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../setup/places.mjs";
import { npmTool, python, runShown, TRAINER } from "./commands.ts";
import { add, type Counts, readPytest, readVitest } from "./counts.ts";

const RESULTS = join(REPOSITORY, ".turnwise", "tests");

/** A tool that failed without a failed test (it could not start, or collected nothing) counts as one failure. */
function honest(counts: Counts, code: number): Counts {
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

async function runTypeScript(filters: readonly string[]): Promise<Counts> {
  const report = join(RESULTS, "vitest.json");
  rmSync(report, { force: true });
  const code = await runShown(npmTool("vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...filters));
  return honest(readVitest(report), code);
}

async function runPython(): Promise<Counts> {
  const report = join(RESULTS, "pytest.xml");
  rmSync(report, { force: true });
  const code = await runShown(python("pytest", "-m", "pytest", "tests", `--junitxml=${report}`));
  return honest(readPytest(report), code);
}

function describe(name: string, { passed, failed, skipped }: Counts): void {
  console.log(`${name.padEnd(10)}  ${passed} passed, ${failed} failed, ${skipped} skipped`);
}

const filters = process.argv.slice(2);
const typescript = await runTypeScript(filters);
const hasPython = filters.length === 0 && existsSync(join(REPOSITORY, TRAINER, "tests"));
const trainer = hasPython ? await runPython() : { passed: 0, failed: 0, skipped: 0 };
const total = add(typescript, trainer);

console.log("");
describe("TypeScript", typescript);
if (hasPython) describe("Python", trainer);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
