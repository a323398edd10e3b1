// Behind the `turnwise` executable: no set-up of its own (it may take minutes), only a check that there is one.
import module from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SETUP_EXIT_CODE, tooOldNode } from "./entry.mjs";
import { missingSteps, STEPS } from "./main.mjs";
import { environmentWithNode, nodeBinary, REPOSITORY } from "./places.mjs";
import { runUnderNode } from "./run.mjs";

const MAIN = join(REPOSITORY, "src", "cli", "main.ts");
/** What the product itself needs. */
const PRODUCT = STEPS.filter(({ isForTests }) => isForTests !== true);
/** Doctor must be able to say what is missing. */
const NEEDED = new Set(["node", "packages"]);

/** @param {readonly string[]} args */
async function launch(args) {
  const tooOld = tooOldNode();
  if (tooOld !== null) {
    console.error(tooOld);
    process.exitCode = SETUP_EXIT_CODE;
    return;
  }
  const missing = [...(await missingSteps(PRODUCT))].filter(([name]) => args[0] !== "doctor" || NEEDED.has(name));
  if (missing.length > 0) {
    console.error(incomplete(missing, args.includes("--json")));
    process.exitCode = SETUP_EXIT_CODE;
    return;
  }
  if (nodeBinary() === process.execPath) await runHere(MAIN);
  // Replacing the process keeps pid, signals and exit code as they are; older Nodes cannot.
  else if ("execve" in process) process.execve(nodeBinary(), [nodeBinary(), MAIN, ...args], environmentWithNode());
  else process.exitCode = await runUnderNode(MAIN, args);
}

/** As if this process had been started with the file. @param {string} file */
async function runHere(file) {
  Object.assign(process.env, environmentWithNode());
  module.enableCompileCache(process.env["NODE_COMPILE_CACHE"]);
  process.argv[1] = file;
  await import(pathToFileURL(file).href);
}

/** As the command line tells its other failures. @param {readonly [string, string][]} missing @param {boolean} isJson */
function incomplete(missing, isJson) {
  const [message, next] = [missing.map(([name, why]) => `${name} (${why})`).join(", "), "npm run setup"];
  return isJson ? JSON.stringify({ error: { code: "setup.incomplete", message, next } }) : `setup.incomplete: ${message}\n  next: ${next}`;
}

await launch(process.argv.slice(2));
