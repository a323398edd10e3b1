// One holder at a time, by the operating system's own lock (flock): released by the kernel when its holder ends, whatever ends it.
//
// Nothing in Node takes such a lock. But it belongs to an open file, not to a process: a short-lived Python takes it on the file that
// we have opened and pass to it, and it stays ours when that Python has ended. The file itself is never removed; what stands in it
// names the last holder, for people.
import { spawn } from "node:child_process";
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { childEnvironment } from "./shell.mjs";

/** Locks descriptor 3. Says "waiting" when somebody else holds it, and gives up when its standard input closes, which our end does. */
const LOCKER = `
import fcntl, os, sys, threading
def give_up():
    os.read(0, 1)
    os._exit(3)
try:
    fcntl.flock(3, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    os.write(1, b"waiting")
    threading.Thread(target=give_up, daemon=True).start()
    fcntl.flock(3, fcntl.LOCK_EX)
except OSError as error:
    sys.exit(f"this file system cannot lock: {error}")
os._exit(0)
`;

/**
 * @typedef {object} LockOptions
 * @property {string} python any Python 3
 * @property {string} [holder] what others are told of us, in words
 * @property {(holder: string) => void} [onWait] called when somebody else holds the lock
 * @property {AbortSignal} [signal] ends the waiting
 *
 * @typedef {object} Lock
 * @property {number} file the open file that is locked: a child that is given it holds the lock with us, until it ends
 * @property {() => void} giveBack may be called again
 */

/**
 * Takes the lock, waiting as long as somebody else holds it.
 *
 * @param {string} path of the lock's file; its folder is made
 * @param {LockOptions} options
 * @returns {Promise<Lock>} Throws the signal's reason, or an Error where nothing can be locked.
 */
export async function takeLock(path, { python, holder = `process ${process.pid}`, onWait = () => {}, signal }) {
  mkdirSync(dirname(path), { recursive: true });
  for (;;) {
    signal?.throwIfAborted();
    const file = openSync(path, "a+");
    try {
      await lock(file, python, () => onWait(readFileSync(path, "utf8").trim() || "another process"), signal);
      signal?.throwIfAborted();
    } catch (error) {
      closeSync(file);
      throw error;
    }
    if (isAt(path, file)) {
      ftruncateSync(file);
      writeSync(file, `${holder}\n`);
      return { file, giveBack: once(() => closeSync(file)) };
    }
    closeSync(file); // the file that we waited for has been removed: others lock another one
  }
}

/** Resolves when the file is locked, or the signal was aborted. @param {number} file @param {string} python @param {() => void} onWait @param {AbortSignal | undefined} signal @returns {Promise<void>} */
function lock(file, python, onWait, signal) {
  return new Promise((done, fail) => {
    const child = spawn(python, ["-I", "-S", "-c", LOCKER], { stdio: ["pipe", "pipe", "pipe", file], env: childEnvironment() });
    const [stdin, stdout, stderr] = /** @type {any[]} */ (child.stdio);
    const giveUp = () => stdin.end();
    let said = "";
    stdin.on("error", () => {}); // it ended before we did
    stdout.once("data", onWait);
    stderr.on("data", (/** @type {Buffer} */ chunk) => {
      said += chunk.toString();
    });
    signal?.addEventListener("abort", giveUp, { once: true });
    child.once("error", fail);
    child.once("close", (code, killedBy) => {
      signal?.removeEventListener("abort", giveUp);
      if (code === 0 || signal?.aborted) done();
      else fail(new Error(`the lock could not be taken: ${said.trim() || `${python} ended with ${code ?? killedBy}`}`));
    });
  });
}

/** Whether the path still names the open file. @param {string} path @param {number} file */
function isAt(path, file) {
  const [named, open] = [statSync(path, { throwIfNoEntry: false }), fstatSync(file)];
  return named?.ino === open.ino && named.dev === open.dev;
}

/** @param {() => void} act @returns {() => void} */
function once(act) {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}
