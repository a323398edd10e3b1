// Set-up: a list of steps, each with a quick check. Whatever is whole is left alone, so a second set-up says nothing and takes
// milliseconds, and an interrupted one goes on where it was. Plain Node 18 or newer, no dependencies.
//
//   node infra/setup/main.mjs            do what is missing
//   node infra/setup/main.mjs --check    say what is missing; exit code 1 when something is
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { takeLock } from "./lock.mjs";
import { TOOLS } from "./places.mjs";
import { endChildren } from "./processes.mjs";
import { Progress, SetupError } from "./step.mjs";
import { nodeStep } from "./steps/node.mjs";
import { packagesStep } from "./steps/packages.mjs";
import { pythonStep } from "./steps/python.mjs";
import { temporalStep } from "./steps/temporal.mjs";

export const STEPS = [nodeStep, packagesStep, pythonStep, temporalStep];

/** What is missing, by step name. Milliseconds. @returns {Promise<Map<string, string>>} */
export async function missingSteps() {
  const missing = new Map();
  for (const step of STEPS) {
    const why = await step.missing();
    if (why !== null) missing.set(step.name, why);
  }
  return missing;
}

/** Does what is missing. Throws SetupError. @param {Progress} [progress] */
export async function setUp(progress = new Progress()) {
  if ((await missingSteps()).size === 0) return;
  const giveBack = await takeLock(join(TOOLS, "setup.lock"), (pid) =>
    progress.note(`another set-up (process ${pid}) is running: waiting for it`),
  );
  const interrupt = () => {
    endChildren();
    giveBack();
    process.exit(130);
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    // Asked again: the set-up we waited for may have done it all.
    const missing = await missingSteps();
    if (missing.size > 0) progress.note("set-up");
    for (const step of STEPS) {
      const why = missing.get(step.name);
      if (why === undefined) continue;
      progress.begin(step.name, why);
      progress.end(await step.make((what) => progress.say(what)));
    }
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    giveBack();
  }
}

/** Code, what was tried, and what to do. @param {SetupError} error */
export function explain(error) {
  const tried = error.tried.map((line) => `\n  tried: ${line}`).join("");
  return `\nsetup.failed: ${error.message}${tried}\n  next: ${error.next}`;
}

async function main() {
  if (process.argv.includes("--check")) {
    const missing = await missingSteps();
    for (const [name, why] of missing) console.log(`${name.padEnd(9)} ${why}`);
    return missing.size === 0 ? 0 : 1;
  }
  try {
    await setUp();
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(explain(error));
    return 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
