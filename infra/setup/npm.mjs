// `npm ci` of a whole lock file, whatever this shell or an .npmrc would leave out of it.
import { pathWithNode } from "./places.mjs";
import { run } from "./processes.mjs";
import { childEnvironment } from "./shell.mjs";

/** Options on the command line are over those of every .npmrc. */
const WHOLE = ["dev", "optional", "peer"].map((kind) => `--include=${kind}`);
const HERE = ["--global=false", "--dry-run=false", "--package-lock=true", "--package-lock-only=false", "--bin-links=true"];

/** @param {string} folder with package-lock.json @param {(what: string) => void} say */
export function npmCi(folder, say) {
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  return run("npm", ["ci", ...WHOLE, ...HERE, ...quiet], { cwd: folder, env: childEnvironment(pathWithNode()), onLine: say });
}
