// What the programs of set-up share: whether they are the one that was started, and how they end.
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Of everything that set-up should have done and has not. Documented in the README with the others. */
export const SETUP_EXIT_CODE = 5;
/** Parsing works from here on; older Nodes stop with a syntax error of their own. */
const OLDEST_NODE = 18;

/** Whether the module is the program that Node was started with, under whatever name: a link to it or to its folder included. @param {string} url */
export function isProgram(url) {
  const [, program] = process.argv;
  if (program === undefined) return false;
  try {
    return realpathSync(program) === realpathSync(fileURLToPath(url));
  } catch {
    return false;
  }
}

/** Words that nobody can take (a full disk, a reader that has gone) are lost; the work goes on, and the exit code tells. */
export function outliveOutput() {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

/** Why a Node of this version, by default the one that runs, cannot run set-up; null when it can. */
export function tooOldNode(version = process.versions.node) {
  if (Number.parseInt(version, 10) >= OLDEST_NODE) return null;
  return `setup.no-node: the node on PATH is ${version} (${process.execPath}), wanted ${OLDEST_NODE} or newer\n  next: put a newer Node first on PATH, then run npm run setup`;
}
