// Set-up on its own: a copy of infra/setup in a temporary checkout, with caches of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { REPOSITORY } from "#adapters/settings.ts";

export interface SetupCopy {
  readonly folder: string;
  path(...parts: string[]): string;
  write(path: string, text: string, mode?: number): string;
  /** Runs set-up's main program, or one step of it, to its end. */
  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<{ code: number | null; output: string }>;
  start(args: readonly string[], env?: NodeJS.ProcessEnv): ChildProcess;
  remove(): void;
}

export function copySetup(): SetupCopy {
  const folder = mkdtempSync(join(tmpdir(), "turnwise-setup-"));
  const path = (...parts: string[]) => join(folder, ...parts);
  for (const part of ["setup", "temporal-cli"]) cpSync(join(REPOSITORY, "infra", part), path("infra", part), { recursive: true });
  const start: SetupCopy["start"] = (args, env = {}) =>
    spawn(process.execPath, [path("infra/setup/main.mjs"), ...args], {
      cwd: folder,
      env: { ...process.env, XDG_CACHE_HOME: path("cache"), TURNWISE_TORCH: "default", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  return {
    folder,
    path,
    start,
    write(name, text, mode = 0o644) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), text);
      chmodSync(path(name), mode);
      return path(name);
    },
    run(args, env) {
      const child = start(args, env);
      let output = "";
      for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
      return new Promise((done, fail) => child.once("error", fail).once("close", (code) => done({ code, output })));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
