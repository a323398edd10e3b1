// Behind the `turnwise` executable: no set-up of its own (it may take minutes), only a check that there is one.
import { join } from "node:path";
import { missingSteps } from "./main.mjs";
import { environmentWithNode, nodeBinary, REPOSITORY } from "./places.mjs";
import { runUnderNode } from "./run.mjs";

const MAIN = join(REPOSITORY, "src", "cli", "main.ts");
/** Doctor must be able to say what is missing. */
const NEEDED = new Set(["node", "packages"]);

/** @param {readonly string[]} args */
async function launch(args) {
  const missing = [...(await missingSteps())].filter(([name]) => args[0] !== "doctor" || NEEDED.has(name));
  if (missing.length > 0) {
    console.error(`setup.incomplete: ${missing.map(([name, why]) => `${name} (${why})`).join(", ")}\n  next: npm run setup`);
    process.exitCode = 1;
    return;
  }
  // Replacing the process keeps pid, signals and exit code as they are; older Nodes cannot.
  if ("execve" in process) process.execve(nodeBinary(), [nodeBinary(), MAIN, ...args], environmentWithNode());
  else process.exitCode = await runUnderNode(MAIN, args);
}

await launch(process.argv.slice(2));
