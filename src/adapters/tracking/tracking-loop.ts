// Projects what is new in the record to MLflow, every few seconds, beside everything else. MLflow may be down, slow or wiped:
// campaigns never notice, and what it missed is sent when it answers again. Never throws, never keeps a process alive.
import { setTimeout as sleep } from "node:timers/promises";
import { hashJson } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import type { CampaignRecord } from "../record/campaign-record.ts";
import { MlflowClient } from "./mlflow-client.ts";
import { planRuns } from "./plan-runs.ts";
import { writeTrackingProblems } from "./problems-file.ts";
import { isServerDown, loadProjected, projectPlans } from "./projector.ts";

interface TrackingLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface TrackingLoopOptions {
  readonly record: CampaignRecord;
  readonly baseUrl: string;
  readonly intervalSeconds: number;
  readonly signal: AbortSignal;
  readonly log: TrackingLog;
  /** Where the reasons are written for whoever asks: the home of the record. Absent: nowhere but the log. */
  readonly home?: string;
}

/** Runs until `signal` is aborted; the promise then resolves and never rejects. */
export async function startTrackingLoop(options: TrackingLoopOptions): Promise<void> {
  const tracker = new Tracker(options);
  while (!options.signal.aborted) {
    await tracker.projectNew();
    await sleep(options.intervalSeconds * 1000, undefined, { signal: options.signal, ref: false }).catch(() => undefined);
  }
}

class Tracker {
  readonly #options: TrackingLoopOptions;
  readonly #mlflow: MlflowClient;
  /** Campaign -> hash of what MLflow was last brought to. Forgotten in an outage: the server may come back with another database. */
  readonly #sent = new Map<string, string>();
  readonly #ended = new Set<string>();
  readonly #reported = new Set<string>();
  /** Campaign -> why it is not in MLflow. */
  readonly #problems = new Map<string, string>();
  #written: string | null = null;
  #isDown = false;

  constructor(options: TrackingLoopOptions) {
    this.#options = options;
    this.#mlflow = new MlflowClient({ baseUrl: options.baseUrl, signal: options.signal });
  }

  async projectNew(): Promise<void> {
    const ids = await this.#options.record.listCampaigns().catch((error: unknown) => this.#report("the record", error) ?? []);
    for (const id of ids) {
      if (this.#options.signal.aborted || !(await this.#projectOne(id))) return;
    }
    await this.#writeProblems();
  }

  async #writeProblems(): Promise<void> {
    const text = JSON.stringify([...this.#problems]);
    if (this.#options.home === undefined || text === this.#written) return;
    await writeTrackingProblems(this.#options.home, this.#problems);
    this.#written = text;
  }

  /** False when MLflow does not answer: the others need not try. */
  async #projectOne(id: string): Promise<boolean> {
    if (this.#ended.has(id)) return true;
    try {
      const campaign = await loadProjected(this.#options.record, id);
      const plans = planRuns(campaign);
      const hash = hashJson(plans);
      if (this.#sent.get(id) !== hash) {
        await projectPlans(this.#options.record, this.#mlflow, id, plans);
        this.#noteUp();
        this.#sent.set(id, hash);
      }
      if (campaign.end !== null) this.#ended.add(id);
      this.#problems.delete(id);
      return true;
    } catch (error) {
      if (this.#options.signal.aborted) return false;
      if (error instanceof CampaignError && (await isServerDown(this.#mlflow, error))) {
        this.#noteDown(error);
        return false;
      }
      this.#problems.set(id, error instanceof Error ? error.message : String(error));
      return this.#report(id, error) ?? true;
    }
  }

  #noteDown(error: CampaignError): void {
    if (!this.#isDown)
      this.#options.log.warn({ code: error.code, reason: error.message }, "MLflow is down; campaigns go on, it gets what it missed later");
    this.#isDown = true;
    this.#sent.clear();
    this.#ended.clear();
  }

  #noteUp(): void {
    if (this.#isDown) this.#options.log.info({}, "MLflow is back");
    this.#isDown = false;
  }

  /** Everything else (a manifest that cannot be read, a point that MLflow refuses) is said once and does not stop the others. */
  #report(subject: string, error: unknown): undefined {
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#reported.has(subject + reason)) return;
    this.#reported.add(subject + reason);
    this.#options.log.warn({ subject, reason }, "not projected to MLflow");
  }
}
