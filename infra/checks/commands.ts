// Running the tools of the project, one line each: what it is, how long it took, and what it said when it failed.
import { type SpawnOptions, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PYTHON, PYTHON_BINARY, REPOSITORY } from "../setup/places.mjs";
import { COMPILED } from "../setup/python/our-python.mjs";
import { childEnvironment } from "../setup/shell.mjs";

export interface Command {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Relative to the repository. */
  readonly folder?: string;
}

export const TRAINER = "trainer";
export const python = (name: string, ...args: string[]): Command => ({ name, command: PYTHON_BINARY, args, folder: TRAINER });
export const pythonTool = (name: string, ...args: string[]): Command => ({
  name,
  command: join(PYTHON, "bin", name),
  args,
  folder: TRAINER,
});
export const npmTool = (name: string, ...args: string[]): Command => ({
  name,
  command: join(REPOSITORY, "node_modules", ".bin", name),
  args,
});

/** Folders of TypeScript that exist in this checkout. */
export function typescriptFolders(): string[] {
  return ["src", "workflows", "activities", "workers", "tests", "infra", "bench"].filter((name) => existsSync(join(REPOSITORY, name)));
}

function start(command: Command, options: SpawnOptions) {
  const env = childEnvironment({ ...COMPILED, KMP_BLOCKTIME: "0", ...options.env });
  return spawn(command.command, command.args, { ...options, cwd: join(REPOSITORY, command.folder ?? ""), env });
}

/** Runs a command on our own terminal and answers its exit code; one that cannot start, or was killed, counts as 1. */
export function runShown(command: Command, env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((done) => {
    const child = start(command, { stdio: "inherit", env });
    child.on("error", (error) => {
      console.error(`${command.name}: ${error.message}`);
      done(1);
    });
    child.on("close", (code) => done(code ?? 1));
  });
}

/** Runs a command in silence. */
export function runQuiet(command: Command): Promise<{ code: number; output: string; seconds: number }> {
  const began = performance.now();
  return new Promise((done) => {
    let output = "";
    const finish = (code: number, more = "") => done({ code, output: output + more, seconds: (performance.now() - began) / 1000 });
    const child = start(command, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", (error) => finish(1, error.message));
    child.on("close", (code) => finish(code ?? 1));
  });
}
