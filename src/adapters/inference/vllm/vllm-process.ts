// A vLLM of our own: started on demand, started again when it has ended or other whole weights are wanted, gone when this process is.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CampaignError, FEW_TRIES } from "#core/errors.ts";
import { TRAINER_SOURCE } from "../../../../infra/setup/python/our-python.mjs";
import { childEnvironment } from "../../../../infra/setup/shell.mjs";
import { createKeepAliveFetch } from "../../http/keep-alive-fetch.ts";
import { type VllmLaunch, vllmCommand, vllmEnvironment } from "./launch.ts";

export interface VllmProcessOptions {
  /** Python of the trainer, which keeps vLLM's process group. */
  readonly python: string;
  /** vLLM's output is appended to it. */
  readonly logPath: string;
}

interface Running {
  readonly command: string;
  readonly child: ChildProcess;
  readonly exit: Promise<void>;
  hasAnswered: boolean;
  hasEnded: boolean;
  lastLines(): string;
}

const POLL_MILLISECONDS = 250;
const HEALTH_MILLISECONDS = 2000;
const END_MILLISECONDS = 2000;
const SHOWN_LINES = 15;
/** What we start runs on this machine: no proxy stands between. */
const fetchHere = createKeepAliveFetch();

/** One per address. Calls are served one after the other. */
export class VllmProcess {
  private running: Running | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private readonly options: VllmProcessOptions;

  constructor(options: VllmProcessOptions) {
    this.options = options;
  }

  /**
   * Resolves when vLLM answers with these whole weights. Others that it serves are ended first: requests that run there fail, and are made again.
   * `lock` is an open file that vLLM's keeper holds, too: who waits for the address waits until all of it is gone.
   * throws  provider.unavailable when it ends before it answers, or does not answer in time
   */
  ensure(launch: VllmLaunch, lock: number, signal: AbortSignal): Promise<void> {
    const next = this.queue.then(() => this.ensureNow(launch, lock, signal));
    this.queue = next.catch(() => undefined);
    return next;
  }

  async stop(): Promise<void> {
    const { running } = this;
    this.running = null;
    running?.child.stdin?.end();
    await running?.exit;
  }

  private async ensureNow(launch: VllmLaunch, lock: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const command = vllmCommand(launch).join("\0");
    if (this.running?.command !== command || this.running.hasEnded) await this.startAgain(launch, lock, command);
    const found = this.running;
    if (found?.hasAnswered && !(await isHealthy(launch)) && (await endsSoon(found))) await this.startAgain(launch, lock, command);
    if (this.running !== null) await this.answers(this.running, launch, signal);
  }

  private async startAgain(launch: VllmLaunch, lock: number, command: string): Promise<void> {
    await this.stop();
    this.running = this.start(launch, lock, command);
  }

  private start(launch: VllmLaunch, lock: number, command: string): Running {
    const { python, logPath } = this.options;
    mkdirSync(dirname(logPath), { recursive: true });
    const log = openSync(logPath, "a");
    const logStart = fstatSync(log).size;
    // The keeper ends vLLM and all its workers when its standard input closes, which the end of this process does whatever ends it.
    const child = spawn(python, ["-m", "trainer.keeper", ...vllmCommand(launch)], {
      detached: true,
      stdio: ["pipe", log, log, lock],
      env: childEnvironment({ ...vllmEnvironment(launch), PYTHONPATH: TRAINER_SOURCE }),
    });
    closeSync(log);
    child.unref();
    (child.stdin as Socket | null)?.unref();
    const exit = new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
    void exit.then(() => {
      running.hasEnded = true;
    });
    const lastLines = () => readFileSync(logPath).subarray(logStart).toString("utf8").trimEnd().split("\n").slice(-SHOWN_LINES).join("\n");
    const running: Running = { command, child, exit, hasAnswered: false, hasEnded: false, lastLines };
    return running;
  }

  private async answers(running: Running, launch: VllmLaunch, signal: AbortSignal): Promise<void> {
    const { readySeconds } = launch.config.start;
    const fail = (what: string, maxTries?: number) =>
      new CampaignError("provider.unavailable", `vLLM ${what}; its last lines:\n${running.lastLines()}`, {
        next: `look into ${this.options.logPath}`,
        maxTries,
      });
    const deadline = performance.now() + readySeconds * 1000;
    while (!(await isHealthy(launch))) {
      if (running.hasEnded) throw fail(`ended with ${running.child.exitCode ?? running.child.signalCode} before it answered`, FEW_TRIES);
      if (performance.now() > deadline) throw fail(`does not answer after ${readySeconds} s`);
      await delay(POLL_MILLISECONDS, undefined, { signal });
    }
    running.hasAnswered = true;
  }
}

/** Its keeper notices an end a moment after requests do. */
async function endsSoon({ exit }: Running): Promise<boolean> {
  return Promise.race([exit.then(() => true), delay(END_MILLISECONDS, false)]);
}

async function isHealthy({ config, apiKey }: VllmLaunch): Promise<boolean> {
  const headers = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
  const signal = AbortSignal.timeout(HEALTH_MILLISECONDS);
  const answer = await fetchHere(new URL("/health", config.baseUrl), { headers, signal }).catch(() => null);
  return answer?.ok === true;
}
