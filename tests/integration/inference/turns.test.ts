// Turns on a policy server that holds one set of weights at a time: by stage and not by call, nobody left out, and told who has it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Turns } from "#adapters/inference/vllm/turns.ts";
import { hasPython, PYTHON } from "../../support/python.ts";

const TAKER = fileURLToPath(new URL("../../support/turn-taker.ts", import.meta.url));
const never = new AbortController().signal;

describe.skipIf(!hasPython)("turns", () => {
  let folder: string;
  let log: string[];
  let turns: Turns;
  let children: ChildProcess[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "turnwise-turns-"));
    log = [];
    children = [];
    turns = newTurns();
  });
  afterEach(async () => {
    await turns.stop();
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  const lockPath = () => join(folder, "server.lock");
  const newTurns = () =>
    new Turns({ address: "the address", lockPath: lockPath(), python: PYTHON, idleSeconds: 0.3, end: async () => void log.push("end") });
  const candidate = (campaign: string, need: string, purpose = need) => ({
    need,
    purpose,
    holder: `campaign ${campaign}`,
    onWait: (message: string) => log.push(`${campaign} ${message}`),
  });
  const enter = (campaign: string, need: string, purpose = need, signal = never) => turns.enter(candidate(campaign, need, purpose), signal);

  /** A campaign whose stages need other weights each, with the pauses of rollouts between its calls. */
  async function campaign(name: string, stages: number): Promise<void> {
    for (let stage = 1; stage <= stages; stage += 1) {
      await enter(name, `${name}${stage}`);
      for (let call = 0; call < 4; call += 1) {
        await turns.use(`${name}${stage}`, async () => void log.push(`${name}${stage}`));
        await sleep(20);
      }
    }
  }
  const changes = (uses: readonly string[]) => uses.filter((use, index) => use !== uses[index - 1]);

  test("three campaigns in one process alternate by stage, and each stage is whole", async () => {
    await Promise.all([campaign("a", 2), campaign("b", 2), campaign("c", 2)]);
    const uses = log.filter((line) => /^[abc]\d$/.test(line));
    expect(uses).toHaveLength(24);
    expect(changes(uses)).toEqual(["a1", "b1", "c1", "a2", "b2", "c2"]);
    expect(log.filter((line) => line === "end")).toHaveLength(5);
    expect(log).toContain("b waiting for the policy server at the address, held by campaign a");
    expect(log).toContain("c waiting for the policy server at the address, held by campaign b");
  }, 60_000);

  test("those who need the same share a turn; while others wait it goes on for what began in it, and for nothing else", async () => {
    await enter("a", "base", "adapter 1");
    await enter("b", "base", "adapter 2");
    const other = enter("c", "others");
    await enter("a", "base", "adapter 1"); // a call of the same stage
    const later = enter("a", "base", "adapter 3");
    await other;
    expect(log.filter((line) => line === "end")).toHaveLength(1);
    await later;
  });

  test("a turn does not end while the server is used, however long", async () => {
    await enter("a", "a1");
    const work = Promise.withResolvers<void>();
    const using = turns.use("a1", () => work.promise);
    const next = enter("b", "b1");
    await sleep(900);
    expect(log).not.toContain("end");
    work.resolve();
    await using;
    await next;
    expect(log).toContain("end");
  });

  test("without anybody who waits the server stays as it is", async () => {
    await enter("a", "a1");
    await sleep(900);
    await enter("a", "a1");
    expect(log).toEqual([]);
  });

  test("waiting can be given up, in the queue of the process and before the lock", async () => {
    await enter("a", "a1");
    const abort = new AbortController();
    const refused = enter("b", "b1", "b1", abort.signal);
    abort.abort(new Error("cancelled"));
    await expect(refused).rejects.toThrow("cancelled");

    const others = newTurns();
    const late = new AbortController();
    const waiting = others.enter({ ...candidate("c", "c1"), onWait: () => late.abort(new Error("cancelled too")) }, late.signal);
    await turns.use("a1", () => expect(waiting).rejects.toThrow("cancelled too"));
    await turns.stop();
    await others.enter(candidate("d", "d1"), never);
    await others.stop();
  });

  const start = (name: string, stages: number): ChildProcess => {
    const child = spawn(process.execPath, [TAKER, lockPath(), join(folder, "log"), PYTHON, name, String(stages)], { stdio: "inherit" });
    children.push(child);
    return child;
  };
  const lines = () => readFileSync(join(folder, "log"), "utf8").trim().split("\n");
  const used = () => lines().flatMap((line) => /^(\w+) uses (\d)$/.exec(line)?.slice(1).join("") ?? []);

  test("campaigns in processes of their own alternate by stage, too", async () => {
    writeFileSync(join(folder, "log"), "");
    await Promise.all([start("a", 3), start("b", 3)].map((child) => once(child, "exit")));
    const order = changes(used());
    expect(order.toSorted()).toEqual(["a1", "a2", "a3", "b1", "b2", "b3"]); // no stage was cut in two
    const owners = order.map((use) => use.slice(0, 1));
    // Whoever starts first may finish stages before the other process is there; from then on they alternate.
    const both = owners.slice(owners.findIndex((owner) => owner !== owners[0]) - 1);
    expect(changes(both).length).toBeGreaterThanOrEqual(3);
    expect(
      lines().filter((line) => line.includes("waits: waiting for the policy server at the address, held by campaign")).length,
    ).toBeGreaterThan(0);
  }, 60_000);

  test("the turn of a killed process is over at once", async () => {
    writeFileSync(join(folder, "log"), "");
    const first = start("a", 1000);
    await vi.waitFor(() => expect(used().length).toBeGreaterThan(0), { timeout: 20_000 });
    const next = enter("b", "b1");
    first.kill("SIGKILL");
    await next;
  }, 60_000);
});
