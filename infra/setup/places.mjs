// Where set-up puts things, and which versions it wants. Plain JavaScript for Node 18 and newer: it runs before anything is installed.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { withoutProxyForUs } from "./shell.mjs";

/** TypeScript runs natively from this version on. */
export const MINIMUM_NODE = [22, 18];
export const LOCAL_NODE_VERSION = "24.21.0";
export const MINIMUM_PYTHON = [3, 11];
/** The lock holds no wheels for later ones. */
export const MAXIMUM_PYTHON = [3, 14];
/** `--torch-backend` and `venv --clear` came with these. */
export const MINIMUM_UV = [0, 8];
/** One version for every route: a dev server's database file belongs to one server version. */
export const TEMPORAL_VERSION = "1.8.2";
export const TEMPORAL_SERVER_VERSION = "1.31.2";

export const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
/** Tools of this checkout. State of campaigns may live elsewhere (TURNWISE_HOME); tools never do. */
export const TOOLS = join(REPOSITORY, ".turnwise");
export const LOCAL_NODE = join(TOOLS, "node");
export const LOCAL_NODE_BINARY = join(LOCAL_NODE, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
export const PYTHON = join(TOOLS, "python");
export const PYTHON_BINARY = join(PYTHON, "bin", "python");
/** The server's side of the OpenEnv protocol, for tests and the example. */
export const OPENENV = join(TOOLS, "openenv");
export const LOCAL_UV = join(TOOLS, "uv");
/** A link to whichever Temporal CLI set-up found or made. */
export const TEMPORAL_BINARY = join(TOOLS, "bin", "temporal");
export const STAMPS = join(TOOLS, "setup");
/** What programs of this checkout keep to start faster; may be removed at any time. */
export const CACHE = join(TOOLS, "cache");

/** What may be shared by all checkouts of one person. */
export function userCache() {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "turnwise");
}

/** @param {readonly number[]} version @param {readonly number[]} minimum */
export function atLeast(version, minimum) {
  for (const [index, wanted] of minimum.entries()) {
    const part = version[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

/** The first dotted number in a text, as numbers. @param {string} text @returns {number[]} */
export function versionIn(text) {
  const match = /\d+(\.\d+)+/.exec(text);
  return match ? match[0].split(".").map(Number) : [];
}

/** The Node that runs Turnwise: this one where it is new enough, else the local one. */
export function nodeBinary() {
  return atLeast(versionIn(process.versions.node), MINIMUM_NODE) ? process.execPath : LOCAL_NODE_BINARY;
}

/** PATH with the right Node first, so that npm and what it starts use it too. @returns {{ PATH?: string }} */
export function pathWithNode() {
  const folder = dirname(nodeBinary());
  if (!existsSync(folder)) return {};
  return { PATH: [folder, ...(process.env["PATH"] ? [process.env["PATH"]] : [])].join(delimiter) };
}

/** For our own programs, which must see the whole shell to tell what they leave out of it for their children. @returns {NodeJS.ProcessEnv} */
export function environmentWithNode() {
  return { NODE_COMPILE_CACHE: join(CACHE, "node"), ...withoutProxyForUs(process.env), ...pathWithNode() };
}

/** A variable that is set to something: an empty one counts as unset everywhere. @param {string} name @param {NodeJS.ProcessEnv} [environment] */
export function variable(name, environment = process.env) {
  return environment[name]?.trim() ? environment[name] : undefined;
}
