// Set-up: a list of steps, each with a quick check. Whatever is whole is left alone, so a second set-up says nothing and takes
// milliseconds, and an interrupted one goes on where it was. Plain Node 18 or newer, no dependencies.
//
//   node infra/setup/main.mjs                do what is missing
//   node infra/setup/main.mjs --check        say what is missing; exit code 5 when something is
//   node infra/setup/main.mjs --only python  one step alone
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isProgram, outliveOutput, SETUP_EXIT_CODE, tooOldNode } from "./entry.mjs";
import { takeLock } from "./lock.mjs";
import { TOOLS } from "./places.mjs";
import { endChildren } from "./processes.mjs";
import { findPython } from "./python/interpreter.mjs";
import { ignoredVariables } from "./shell.mjs";
import { Progress, SetupError } from "./step.mjs";
import { nodeStep } from "./steps/node.mjs";
import { openenvStep } from "./steps/openenv.mjs";
import { packagesStep } from "./steps/packages.mjs";
import { pythonStep } from "./steps/python.mjs";
import { temporalStep } from "./steps/temporal.mjs";

export const STEPS = [nodeStep, packagesStep, pythonStep, openenvStep, temporalStep];

/** What is missing, by step name. Milliseconds. @param {readonly import("./step.mjs").Step[]} [steps] @returns {Promise<Map<string, string>>} */
export async function missingSteps(steps = STEPS) {
  const missing = new Map();
  for (const step of steps) {
    const why = await step.missing();
    if (why !== null) missing.set(step.name, why);
  }
  return missing;
}

/** Does what is missing. Throws SetupError. @param {readonly import("./step.mjs").Step[]} [steps] @param {Progress} [progress] */
export async function setUp(steps = STEPS, progress = new Progress()) {
  if ((await missingSteps(steps)).size === 0) return;
  const { path: python } = await findPython();
  let giveBack = () => {};
  const interrupt = () => {
    endChildren();
    giveBack();
    process.exit(130);
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    giveBack = await lockSetUp(python, progress);
    // Asked again: the set-up we waited for may have done it all.
    const missing = await missingSteps(steps);
    if (missing.size > 0) progress.note("set-up");
    if (missing.size > 0) reportIgnored(progress);
    for (const step of steps) {
      const why = missing.get(step.name);
      if (why === undefined) continue;
      progress.begin(step.name, why);
      progress.end(await make(step, progress));
    }
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    giveBack();
  }
}

/** @param {string} python @param {Progress} progress @returns {Promise<() => void>} */
async function lockSetUp(python, progress) {
  const path = join(TOOLS, "setup.lock");
  let isWaiting = false;
  const onWait = (/** @type {string} */ holder) => {
    isWaiting = true;
    progress.begin("lock", `another set-up (${holder}) is running: waiting for it`);
  };
  try {
    const { giveBack } = await takeLock(path, { python, onWait });
    if (isWaiting) progress.end("it has ended");
    return giveBack;
  } catch (error) {
    if (isWaiting) progress.end("failed");
    const tried = [error instanceof Error ? error.message : String(error)];
    throw new SetupError(`${path} could not be locked`, { tried, next: "put the checkout on a file system that can lock files" });
  }
}

/** What of the shell was meant for other programs, in one line. @param {Progress} progress */
function reportIgnored(progress) {
  const names = ignoredVariables(process.env).flatMap(({ name, of }) => (of === "set-up" ? [name] : []));
  if (names.length > 0) progress.note(`  not taken from this shell: ${names.join(", ")} (set-up says itself what it installs)`);
}

/** A failure that the step did not foresee (no space, no permission) is told like the others. @param {import("./step.mjs").Step} step @param {Progress} progress */
async function make(step, progress) {
  try {
    return await step.make((what) => progress.say(what));
  } catch (error) {
    progress.end("failed");
    if (error instanceof SetupError) throw error;
    const tried = [error instanceof Error ? error.message : String(error)];
    throw new SetupError(`step ${step.name} could not be done`, {
      tried,
      next: "see that the disk has space and the folders can be written, then run npm run setup again",
    });
  }
}

/** Code, what was tried, and what to do. @param {SetupError} error */
export function explain(error) {
  const tried = error.tried.map((line) => `\n  tried: ${line}`).join("");
  return `\nsetup.failed: ${error.message}${tried}\n  next: ${error.next}`;
}

const USAGE = `usage: node infra/setup/main.mjs [--check] [--only ${STEPS.map(({ name }) => name).join("|")}]`;
const USAGE_EXIT_CODE = 64;

/** What it does not know it does not pass over: `only` is then a step that there is none of. @param {readonly string[]} args */
function readArguments(args) {
  try {
    return parseArgs({ args: [...args], options: { check: { type: "boolean" }, only: { type: "string" } } }).values;
  } catch {
    return { check: false, only: "" };
  }
}

/** @param {readonly string[]} args */
async function main(args) {
  const tooOld = tooOldNode();
  if (tooOld !== null) {
    console.error(tooOld);
    return SETUP_EXIT_CODE;
  }
  const { check, only } = readArguments(args);
  const steps = STEPS.filter(({ name }) => only === undefined || name === only);
  if (steps.length === 0) {
    console.error(USAGE);
    return USAGE_EXIT_CODE;
  }
  if (check) {
    const missing = await missingSteps(steps);
    for (const [name, why] of missing) console.log(`${name.padEnd(9)} ${why}`);
    return missing.size === 0 ? 0 : SETUP_EXIT_CODE;
  }
  try {
    await setUp(steps);
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(explain(error));
    return SETUP_EXIT_CODE;
  }
}

if (isProgram(import.meta.url)) {
  outliveOutput();
  process.exitCode = await main(process.argv.slice(2));
}
