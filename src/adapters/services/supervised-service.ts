// One service under supervision: started in its own process group, restarted when it dies, stopped with all its descendants.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { setPriority } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { GRACE } from "#contracts/grace-periods.ts";
import { CampaignError } from "#core/errors.ts";
import { childEnvironment } from "../../../infra/setup/shell.mjs";
import { identify, isGroupAlive, STACK_MARK, signal, waitUntil } from "./process-identity.ts";
import { isReady } from "./readiness.ts";
import type { ServiceSpec, StackPlan } from "./service-spec.ts";
import { logFolder, type ServiceState } from "./state.ts";

/** So many deaths in so long a time, and the service is reported as failing. */
const FAILING_DEATHS = 5;
const FAILING_WINDOW_MILLISECONDS = 60_000;
const FIRST_DELAY_MILLISECONDS = 250;
const LONGEST_DELAY_MILLISECONDS = 10_000;
const MAXIMUM_LOG_BYTES = 20_000_000;

export class SupervisedService {
  readonly spec: ServiceSpec;
  /** Settles once: with the first readiness, or with service.start-failed. */
  readonly firstReady: Promise<void>;
  state: ServiceState;

  private readonly plan: StackPlan;
  private readonly onChange: (what: string) => void;
  private readonly first = Promise.withResolvers<void>();
  private child: ChildProcess | null = null;
  private deaths: number[] = [];
  private isStopping = false;

  /** `onChange` is called right after each change of `state`, with the change in words. */
  constructor(spec: ServiceSpec, plan: StackPlan, onChange: (what: string) => void) {
    this.spec = spec;
    this.plan = plan;
    this.onChange = onChange;
    this.firstReady = this.first.promise;
    this.firstReady.catch(() => {}); // awaited by the supervisor only where it waits for this service
    const logPath = join(logFolder(plan.home), `${spec.name}.log`);
    this.state = {
      name: spec.name,
      status: "waiting",
      process: null,
      ports: spec.ports,
      restarts: 0,
      since: null,
      lastExit: null,
      logPath,
    };
  }

  start(): void {
    if (this.isStopping) return;
    const { argv, env, niceness } = this.spec;
    const log = this.openLog();
    const [program = "", ...args] = argv;
    const hasChannel = this.spec.readiness.type === "announced";
    const child = spawn(program, args, {
      cwd: this.plan.folder,
      env: childEnvironment({ ...env, [STACK_MARK]: this.plan.home }),
      stdio: ["ignore", log, log, ...(hasChannel ? ["ipc" as const] : [])],
      detached: true,
    });
    closeSync(log);
    this.child = child;
    child.once("error", (error) => this.onEnd(child, error.message));
    child.once("exit", (code, signalName) => this.onEnd(child, signalName === null ? `exit code ${code}` : signalName));
    if (child.pid === undefined) return; // "error" follows
    try {
      if (niceness > 0) setPriority(child.pid, niceness);
      this.change({ status: "starting", process: identify(child.pid), since: new Date().toISOString() }, `started as process ${child.pid}`);
    } catch {
      return; // it is gone already: "exit" follows
    }
    void this.watchReadiness(child);
  }

  /** SIGTERM, and SIGKILL after the service's own deadline. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.first.reject(new CampaignError("service.start-failed", `${this.spec.name} was stopped while it started`));
    const pid = this.child?.pid;
    if (pid !== undefined) {
      signal(pid, "SIGTERM", "group");
      const isGone = () => !isGroupAlive(pid);
      if (!(await waitUntil(isGone, this.spec.stopSeconds))) {
        signal(pid, "SIGKILL", "group");
        await waitUntil(isGone, GRACE.serviceDeath);
      }
    }
    this.change({ status: "stopped", process: null, since: null }, "stopped");
  }

  /** What it wrote last, for an error message. */
  lastLines(count: number): string {
    try {
      return readFileSync(this.state.logPath, "utf8").trimEnd().split("\n").slice(-count).join("\n");
    } catch {
      return "";
    }
  }

  private change(change: Partial<ServiceState>, what: string): void {
    this.state = { ...this.state, ...change };
    this.onChange(what);
  }

  private openLog(): number {
    const { logPath } = this.state;
    mkdirSync(logFolder(this.plan.home), { recursive: true });
    if ((statSync(logPath, { throwIfNoEntry: false })?.size ?? 0) > MAXIMUM_LOG_BYTES) renameSync(logPath, `${logPath}.1`);
    return openSync(logPath, "a");
  }

  private async watchReadiness(child: ChildProcess): Promise<void> {
    const isPresent = () => this.child === child && !this.isStopping;
    const announced =
      this.spec.readiness.type === "announced" ? new Promise<void>((done) => child.on("message", () => done())) : Promise.resolve();
    const deadline = performance.now() + this.spec.readySeconds * 1000;
    let hasAnnounced = false;
    void announced.then(() => {
      hasAnnounced = true;
    });
    while (isPresent() && performance.now() < deadline) {
      await sleep(100);
      if (!hasAnnounced || !isPresent() || !(await isReady(this.spec.readiness))) continue;
      if (!isPresent()) return;
      this.change({ status: "ready" }, "ready");
      this.first.resolve();
      return;
    }
    if (isPresent()) this.giveUpOn(child);
  }

  /** Alive and not ready: as good as dead. */
  private giveUpOn(child: ChildProcess): void {
    const what = `was not ready within ${this.spec.readySeconds} s`;
    this.fail(what);
    if (child.pid !== undefined) signal(child.pid, "SIGKILL", "group");
  }

  private onEnd(child: ChildProcess, how: string): void {
    if (this.child !== child) return;
    this.child = null;
    // Descendants that outlived their leader would hold its ports.
    if (child.pid !== undefined) signal(child.pid, "SIGKILL", "group");
    if (this.isStopping) return;
    const now = performance.now();
    this.deaths = [...this.deaths.filter((death) => now - death < FAILING_WINDOW_MILLISECONDS), now];
    const isFailing = this.deaths.length >= FAILING_DEATHS;
    this.change(
      { status: isFailing ? "failing" : "restarting", process: null, since: null, lastExit: how, restarts: this.state.restarts + 1 },
      `ended: ${how}`,
    );
    if (isFailing) this.fail(`died ${this.deaths.length} times within a minute, last with ${how}`);
    const delay = Math.min(FIRST_DELAY_MILLISECONDS * 2 ** (this.deaths.length - 1), LONGEST_DELAY_MILLISECONDS);
    setTimeout(() => this.start(), delay);
  }

  private fail(what: string): void {
    const said = this.lastLines(8);
    this.first.reject(
      new CampaignError("service.start-failed", `${this.spec.name} ${what}${said === "" ? "" : `\n${said}`}`, {
        next: `read ${this.state.logPath}, or run turnwise doctor`,
      }),
    );
  }
}
