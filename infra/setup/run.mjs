// Runs a program of the project under the right Node, setting everything up first:  node infra/setup/run.mjs FILE ARGS…
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { isProgram, outliveOutput, SETUP_EXIT_CODE, tooOldNode } from "./entry.mjs";
import { explain, setUp } from "./main.mjs";
import { environmentWithNode, nodeBinary } from "./places.mjs";
import { SetupError } from "./step.mjs";

/**
 * Runs a file with its arguments and answers its exit code. The child shares our process group, so Ctrl-C reaches it by
 * itself; we only stay alive until it is done with it.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
export function runUnderNode(file, args) {
  return new Promise((done, fail) => {
    const child = spawn(nodeBinary(), [file, ...args], { stdio: "inherit", env: environmentWithNode() });
    process.on("SIGINT", () => {});
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    process.on("SIGHUP", () => child.kill("SIGHUP"));
    child.on("error", fail);
    child.on("exit", (code, signal) => done(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/** @param {readonly string[]} args */
async function main([file, ...args]) {
  const tooOld = tooOldNode();
  if (tooOld !== null) {
    console.error(tooOld);
    return SETUP_EXIT_CODE;
  }
  if (file === undefined) throw new Error("run.mjs needs a file to run");
  try {
    await setUp();
    return await runUnderNode(file, args);
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
