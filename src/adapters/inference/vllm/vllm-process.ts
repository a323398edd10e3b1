// A vLLM of our own: started on demand, started again when it has ended or other whole weights are wanted, gone when this process is.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { CampaignError } from "#core/errors.ts";
import { REPOSITORY } from "../../settings.ts";
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
  lastLines(): string;
}

const POLL_MILLISECONDS = 250;
const SHOWN_LINES = 15;

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
   * throws  provider.unavailable when it ends before it answers, or does not answer in time
   */
  ensure(launch: VllmLaunch, signal: AbortSignal): Promise<void> {
    const next = this.queue.then(() => this.ensureNow(launch, signal));
    this.queue = next.catch(() => undefined);
    return next;
  }

  async stop(): Promise<void> {
    const { running } = this;
    this.running = null;
    running?.child.stdin?.end();
    await running?.exit;
  }

  private async ensureNow(launch: VllmLaunch, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const command = vllmCommand(launch).join("\0");
    if (this.running?.command !== command || this.running.child.exitCode !== null || this.running.child.signalCode !== null) {
      await this.stop();
      this.running = this.start(launch, command);
    }
    await this.answers(this.running, launch, signal);
  }

  private start(launch: VllmLaunch, command: string): Running {
    const { python, logPath } = this.options;
    mkdirSync(dirname(logPath), { recursive: true });
    const log = openSync(logPath, "a");
    const logStart = fstatSync(log).size;
    // The keeper ends vLLM and all its workers when its standard input closes, which the end of this process does whatever ends it.
    const child = spawn(python, ["-m", "trainer.keeper", ...vllmCommand(launch)], {
      detached: true,
      stdio: ["pipe", log, log],
      env: { ...process.env, ...vllmEnvironment(launch), PYTHONPATH: join(REPOSITORY, "trainer", "src") },
    });
    closeSync(log);
    child.unref();
    (child.stdin as Socket | null)?.unref();
    const exit = new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.once("error", () => resolve());
    });
    const lastLines = () => readFileSync(logPath).subarray(logStart).toString("utf8").trimEnd().split("\n").slice(-SHOWN_LINES).join("\n");
    return { command, child, exit, lastLines };
  }

  private async answers({ child, exit, lastLines }: Running, { config, apiKey }: VllmLaunch, signal: AbortSignal): Promise<void> {
    const fail = (what: string) =>
      new CampaignError("provider.unavailable", `vLLM ${what}; its last lines:\n${lastLines()}`, {
        next: `look into ${this.options.logPath}`,
      });
    let hasEnded = false;
    void exit.then(() => {
      hasEnded = true;
    });
    const deadline = performance.now() + config.start.readySeconds * 1000;
    while (!(await isHealthy(config.baseUrl, apiKey))) {
      if (hasEnded) throw fail(`ended with ${child.exitCode ?? child.signalCode} before it answered`);
      if (performance.now() > deadline) throw fail(`does not answer after ${config.start.readySeconds} s`);
      await delay(POLL_MILLISECONDS, undefined, { signal });
    }
  }
}

async function isHealthy(baseUrl: string, apiKey: string | null): Promise<boolean> {
  const headers = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };
  const answer = await fetch(new URL("/health", baseUrl), { headers, redirect: "error", signal: AbortSignal.timeout(2000) }).catch(
    () => null,
  );
  await answer?.body?.cancel();
  return answer?.ok === true;
}
