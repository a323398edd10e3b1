// The laws of the lock between processes, with real processes that are killed at any moment.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { markedProcesses } from "#adapters/services/process-identity.ts";
import { type LockOptions, takeLock } from "../../../infra/setup/lock.mjs";
import { findPython } from "../../../infra/setup/python/interpreter.mjs";

const CONTENDER = fileURLToPath(new URL("../../support/lock-contender.ts", import.meta.url));
const LOCK_MODULE = new URL("../../../infra/setup/lock.mjs", import.meta.url).href;
const python = (await findPython()).path;

let folder: string;
let lock: string;
let started: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "turnwise-lock-"));
  lock = join(folder, "the.lock");
  started = [];
});
afterEach(async () => {
  for (const child of started) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const take = async (options: Partial<LockOptions> = {}) => (await takeLock(lock, { python, ...options })).giveBack;
const isSleep = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("sleep");
const unexpected = () => expect.fail("nobody should hold it");
const start = (args: readonly string[]): ChildProcess => {
  const env = { ...process.env, TURNWISE_STACK_HOME: folder };
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"], env });
  started.push(child);
  return child;
};
/** A process that has the lock, and whatever else the script does with it. */
async function startHolder(more = ""): Promise<ChildProcess> {
  const script = `
    import { spawn } from "node:child_process";
    import { takeLock } from ${JSON.stringify(LOCK_MODULE)};
    await takeLock(${JSON.stringify(lock)}, { python: ${JSON.stringify(python)}, holder: "the test's holder" });
    ${more}
    console.log("held");
    setInterval(() => {}, 60_000);`;
  const child = start(["--input-type=module", "-e", script]);
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

test("among processes that are killed at any moment there is never a second holder, and the others always go on", async () => {
  const log = join(folder, "log");
  writeFileSync(log, "");
  const lines = () => readFileSync(log, "utf8").trimEnd().split("\n");
  const holdingOf = (line = "") => line.split(" ").slice(0, 2).join(" ");
  const contenders = new Set<ChildProcess>();
  for (let kills = 0; kills < 25; kills += 1) {
    while (contenders.size < 6) contenders.add(start([CONTENDER, lock, log, python]));
    const before = lines().at(-1);
    await vi.waitFor(() => expect(holdingOf(lines().at(-1))).not.toBe(holdingOf(before)), { timeout: 20_000, interval: 3 });
    // By turns the process that holds it at this moment, and one of the others, which wait or are about to be given it.
    const holder = Number(lines().at(-1)?.split(" ")[0]);
    const victim = [...contenders].find(({ pid }) => (pid === holder) === (kills % 2 === 0));
    victim?.kill("SIGKILL");
    if (victim !== undefined) contenders.delete(victim);
  }
  for (const contender of contenders) contender.kill("SIGKILL");
  const holdings = lines().map(holdingOf);
  const changes = holdings.filter((holding, index) => holding !== holdings[index - 1]);
  expect(changes.length).toBeGreaterThanOrEqual(25);
  expect(new Set(changes).size).toBe(changes.length); // nobody writes again once another has begun
}, 120_000);

test("the lock of a killed process is free at once, also when a child of that process lives on", async () => {
  const holder = await startHolder(`spawn("sleep", ["60"], { detached: true, stdio: "ignore" }).unref();`);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  (await take({ onWait: unexpected }))();
  expect(markedProcesses(folder)).toHaveLength(1); // the child
  for (const pid of markedProcesses(folder)) process.kill(pid, "SIGKILL");
});

test("a child that is given the locked file holds the lock with its parent, and after it", async () => {
  const script = `const { file } = await takeLock(${JSON.stringify(join(folder, "given.lock"))}, { python: ${JSON.stringify(python)} });
    spawn("sleep", ["60"], { detached: true, stdio: ["ignore", "ignore", "ignore", file] }).unref();`;
  const parent = await startHolder(script);
  parent.kill("SIGKILL");
  await once(parent, "exit");
  let waited = false;
  const waiting = takeLock(join(folder, "given.lock"), { python, onWait: () => (waited = true) });
  await vi.waitFor(() => expect(waited).toBe(true));
  for (const pid of markedProcesses(folder).filter((pid) => pid !== process.pid)) if (isSleep(pid)) process.kill(pid, "SIGKILL");
  (await waiting).giveBack();
});

test("who waits is told once who holds it, and gets it when it is given back", async () => {
  const giveBack = await take({ holder: "set-up of the test" });
  const told: string[] = [];
  const second = take({ onWait: (holder) => told.push(holder) });
  await vi.waitFor(() => expect(told).toEqual(["set-up of the test"]));
  giveBack();
  (await second)();
  expect(told).toHaveLength(1);
});

test("giving back twice does not give back somebody else's", async () => {
  const first = await take();
  first();
  const second = await take({ onWait: unexpected });
  first();
  let waited = false;
  const third = take({ onWait: () => (waited = true) });
  await vi.waitFor(() => expect(waited).toBe(true));
  second();
  (await third)();
});

test("waiting can be given up, and leaves nothing behind that would take the lock", async () => {
  const giveBack = await take();
  const abort = new AbortController();
  await expect(take({ signal: abort.signal, onWait: () => abort.abort(new Error("no more")) })).rejects.toThrow("no more");
  giveBack();
  (await take({ onWait: unexpected }))();
});

test("a waiter that is killed leaves no process behind", async () => {
  const giveBack = await take();
  const script = `
    import { takeLock } from ${JSON.stringify(LOCK_MODULE)};
    await takeLock(${JSON.stringify(lock)}, { python: ${JSON.stringify(python)}, onWait: () => console.log("waiting") });`;
  const waiter = start(["--input-type=module", "-e", script]);
  if (waiter.stdout !== null) await once(waiter.stdout, "data");
  expect(markedProcesses(folder)).toHaveLength(2);
  waiter.kill("SIGKILL");
  await vi.waitFor(() => expect(markedProcesses(folder)).toEqual([]), { timeout: 10_000 });
  giveBack();
});

test("a lock whose file was removed while somebody waited for it is not shared with those who found a new file", async () => {
  const giveBack = await take();
  let waited = false;
  const waiting = take({ onWait: () => (waited = true) });
  await vi.waitFor(() => expect(waited).toBe(true));
  rmSync(lock);
  const other = await take({ onWait: unexpected });
  let isHeld = false;
  void waiting.then(() => (isHeld = true));
  giveBack();
  await sleep(300);
  expect(isHeld).toBe(false);
  other();
  (await waiting)();
});

test("where nothing can lock, the failure says why", async () => {
  const broken = join(folder, "python");
  writeFileSync(broken, `#!/bin/sh\nexec '${python}' -c 'import sys; sys.exit("this file system cannot lock: no locks available")'\n`, {
    mode: 0o755,
  });
  await expect(takeLock(lock, { python: broken })).rejects.toThrow("cannot lock: no locks available");
  await expect(takeLock(lock, { python: join(folder, "absent") })).rejects.toThrow("absent");
});
