// Child processes of set-up, each in its own process group so that an interrupted set-up leaves none behind,
// and the identity of a process: a pid alone may have been given to somebody else.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { REPOSITORY } from "./places.mjs";
import { childEnvironment } from "./shell.mjs";

/** @type {Set<number>} */
const groups = new Set();

/** Ends whatever set-up has started; for signal handlers. */
export function endChildren() {
  for (const pid of groups) {
    try {
      process.kill(-pid, "SIGTERM");
    } catch {
      // It ended by itself.
    }
  }
}

/**
 * Runs a program and collects what it says. Never throws: a program that cannot be started has code null.
 * It runs in the checkout unless told otherwise: pip and uv obey the project files of the folder they are started in.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutSeconds?: number, onLine?: (line: string) => void }} [options]
 * @returns {Promise<{ code: number | null, answer: string, output: string, timedOut: boolean }>} answer: stdout alone, where warnings of loaders and
 *   interpreters cannot stand; output: stdout and stderr together
 */
export function run(command, args, options = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? REPOSITORY,
      env: options.env ?? childEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let answer = "";
    let output = "";
    let timedOut = false;
    const timer =
      options.timeoutSeconds === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
          }, options.timeoutSeconds * 1000);
    /** @param {Buffer} chunk */
    const listen = (chunk) => {
      const text = chunk.toString();
      output = (output + text).slice(-1_000_000);
      const line = text.trim().split("\n").at(-1)?.trim();
      if (line) options.onLine?.(line);
    };
    child.stdout.on("data", (chunk) => {
      answer = (answer + chunk.toString()).slice(-1_000_000);
      listen(chunk);
    });
    child.stderr.on("data", listen);
    if (child.pid !== undefined) groups.add(child.pid);
    /** @param {number | null} code @param {string} more */
    const finish = (code, more) => {
      clearTimeout(timer);
      if (child.pid !== undefined) groups.delete(child.pid);
      done({ code, answer, output: output + more, timedOut });
    };
    child.on("error", (error) => finish(null, error.message));
    child.on("close", (code) => finish(code, ""));
  });
}

const SHOWN = 300; // characters of a line

/** The last lines of what a program said, indented for an error message. @param {string} output @param {number} [count] */
export function lastLines(output, count = 12) {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines
    .slice(-count)
    .map((line) => `    ${Array.from(line).slice(0, SHOWN).join("")}`)
    .join("\n");
}

/**
 * When a process began, in the system's own words, or null when there is no such process (a zombie counts as gone).
 * Together with the pid it names a process for good. @param {number} pid @returns {string | null}
 */
export function processStart(pid) {
  if (process.platform !== "linux") {
    try {
      return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim() || null;
    } catch {
      return null;
    }
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything; the fields after it are plain. State is the 3rd field, start time the 22nd.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
