// All services of one stack: started in the order of their needs, kept alive, written down, stopped in waves.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CampaignError } from "#core/errors.ts";
import { identify, STACK_MARK } from "./process-identity.ts";
import type { StackPlan } from "./service-spec.ts";
import { removeState, type StackState, servicesFolder, writeState } from "./state.ts";
import { SupervisedService } from "./supervised-service.ts";

export type SupervisorEvent = { readonly service: string; readonly what: string };

export class Supervisor {
  private readonly plan: StackPlan;
  private readonly services: ReadonlyMap<string, SupervisedService>;
  private readonly startedAt = new Date().toISOString();
  private phase: StackState["phase"] = "starting";
  private stopped: Promise<void> | null = null;

  constructor(plan: StackPlan, onEvent: (event: SupervisorEvent) => void) {
    this.plan = plan;
    this.services = new Map(
      plan.services.map((spec) => {
        const service = new SupervisedService(spec, plan, (what) => {
          this.write();
          onEvent({ service: spec.name, what });
        });
        return [spec.name, service];
      }),
    );
  }

  /** Resolves when every awaited service is ready. Otherwise stops everything and throws service.start-failed. */
  async start(): Promise<void> {
    for (const folder of [servicesFolder(this.plan.home), join(this.plan.home, "policies")]) mkdirSync(folder, { recursive: true });
    this.write();
    const awaited = [...this.services.values()].filter(({ spec }) => spec.isAwaited);
    for (const service of this.services.values()) void this.startInTurn(service);
    try {
      await Promise.all(awaited.map(({ firstReady }) => firstReady));
    } catch (error) {
      await this.stop();
      throw error;
    }
    if (this.stopped !== null) throw new CampaignError("service.start-failed", "the stack was stopped while it started");
    this.phase = "ready";
    this.write();
  }

  /** Stops everything, wave after wave. Calling it again waits for the same end. */
  stop(): Promise<void> {
    this.stopped ??= this.stopAll();
    return this.stopped;
  }

  private async startInTurn(service: SupervisedService): Promise<void> {
    try {
      for (const name of service.spec.after) await this.services.get(name)?.firstReady;
    } catch {
      return; // what it needs did not start; `start` reports that
    }
    service.start();
  }

  private async stopAll(): Promise<void> {
    this.phase = "stopping";
    this.write();
    const services = [...this.services.values()];
    const waves = [...new Set(services.map(({ spec }) => spec.stopWave))].sort((a, b) => a - b);
    for (const wave of waves) {
      await Promise.all(services.filter(({ spec }) => spec.stopWave === wave).map((service) => service.stop()));
    }
    removeState(this.plan.home);
  }

  private write(): void {
    writeState({
      schemaVersion: 1,
      phase: this.phase,
      supervisor: identify(process.pid),
      startedAt: this.startedAt,
      plan: this.plan,
      services: [...this.services.values()].map(({ state }) => state),
    });
  }
}

/** What the environment of a supervisor must hold so that its stack can be found without state.json. */
export function supervisorEnvironment(home: string): Record<string, string> {
  return { [STACK_MARK]: home };
}
