// What a Python program of ours is started with.
import { join } from "node:path";
import { CACHE, REPOSITORY } from "../places.mjs";
import { childEnvironment } from "../shell.mjs";

export const TRAINER_SOURCE = join(REPOSITORY, "trainer", "src");

/** Compiled once and kept, whatever the shell says of its own Python: half of what a start takes is compiling. */
export const COMPILED = { PYTHONDONTWRITEBYTECODE: "", PYTHONPYCACHEPREFIX: join(CACHE, "python") };

/** The environment of trainer, policy server and their tools. @param {Readonly<Record<string, string | undefined>>} [ours] */
export function pythonEnvironment(ours = {}) {
  return childEnvironment({ PYTHONPATH: TRAINER_SOURCE, ...COMPILED, ...ours });
}
