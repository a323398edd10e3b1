// MLflow's REST API, the part that a projection needs. One error family: tracking.unavailable (try again later) for no answer,
// a timeout, 429 and 5xx; tracking.rejected for everything that MLflow refuses or answers in another shape.
// Verified against MLflow 3.17.2; limits from its validation.py: 1,000 metrics, 100 params, 100 tags a batch.
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import { shorten } from "#core/text.ts";
import { chooseProxy } from "../http/choose-proxy.ts";
import { createKeepAliveFetch } from "../http/keep-alive-fetch.ts";
import { shellVariables } from "../settings.ts";

const Pair = z.object({ key: z.string(), value: z.string().default("") });
const Metric = z.object({ key: z.string(), value: z.number(), timestamp: z.number(), step: z.number().default(0) });
export type MetricPoint = z.infer<typeof Metric>;

export const RunStatus = z.enum(["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]);
export type RunStatus = z.infer<typeof RunStatus>;

const MlflowRun = z.object({
  info: z.object({
    run_id: z.string(),
    status: RunStatus,
    start_time: z.number().default(0),
    end_time: z.number().optional(),
    artifact_uri: z.string(),
  }),
  data: z.object({ metrics: z.array(Metric).default([]), params: z.array(Pair).default([]), tags: z.array(Pair).default([]) }).prefault({}),
});
/** `data.metrics` holds the last point of each metric only. */
export type MlflowRun = z.infer<typeof MlflowRun>;

const Nothing = z.object({});
const Experiment = z.object({ experiment: z.object({ experiment_id: z.string(), lifecycle_stage: z.string() }) });

export interface NewRun {
  readonly experimentId: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface MlflowOptions {
  readonly baseUrl: string;
  /** Of one call. */
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal;
  /** For the variables of proxies, which an MLflow elsewhere may be behind; those of this process unless given. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const API = "/api/2.0/mlflow";
const MAX_METRICS = 1000;
const MAX_PAIRS = 100;
const PAGE = 1000;
const MAX_RACES = 5;

export class MlflowClient {
  readonly baseUrl: string;
  readonly #timeoutSeconds: number;
  readonly #signal: AbortSignal | undefined;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  #ask: typeof fetch | undefined;

  constructor(options: MlflowOptions) {
    this.baseUrl = options.baseUrl.replace(/\/+$/, "");
    this.#timeoutSeconds = options.timeoutSeconds ?? 10;
    this.#signal = options.signal;
    this.#environment = options.environment ?? shellVariables();
  }

  /** The server's version, e.g. 3.17.2. */
  async version(): Promise<string> {
    return textOf(await this.#fetch("/version", {})).trim();
  }

  /** The id of the experiment of this name; made when there is none, restored when it was deleted. */
  async ensureExperiment(name: string): Promise<string> {
    const found = await this.#experiment(name);
    if (found === null) {
      await this.#post("experiments/create", { name }, Nothing).catch((error: unknown) => {
        if (!isCode(error, "RESOURCE_ALREADY_EXISTS")) throw error; // another process was faster
      });
    } else if (found.lifecycle_stage !== "active") {
      await this.#post("experiments/restore", { experiment_id: found.experiment_id }, Nothing);
    }
    const made = found ?? (await this.#experiment(name));
    if (made === null) throw new CampaignError("tracking.rejected", `MLflow has no experiment ${name} after making it`);
    return made.experiment_id;
  }

  async #experiment(name: string) {
    try {
      return (await this.#get(`experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`, Experiment)).experiment;
    } catch (error) {
      if (isCode(error, "RESOURCE_DOES_NOT_EXIST")) return null;
      throw error;
    }
  }

  /** Active runs whose tag has this value, oldest first. Values with a quote are refused: they could change the filter. */
  async searchRunsByTag(experimentId: string, tag: string, value: string): Promise<MlflowRun[]> {
    if (/['"`\\]/.test(tag + value)) throw new CampaignError("tracking.rejected", `not a value to search for: ${value}`);
    const Page = z.object({ runs: z.array(MlflowRun).default([]), next_page_token: z.string().optional() });
    const runs: MlflowRun[] = [];
    let pageToken: string | undefined;
    do {
      const body = {
        experiment_ids: [experimentId],
        filter: `tags.\`${tag}\` = '${value}'`,
        run_view_type: "ACTIVE_ONLY",
        max_results: PAGE,
        page_token: pageToken,
      };
      const page = await this.#post("runs/search", body, Page);
      runs.push(...page.runs);
      pageToken = page.next_page_token === "" ? undefined : page.next_page_token;
    } while (pageToken !== undefined);
    return runs.sort((a, b) => a.info.start_time - b.info.start_time || (a.info.run_id < b.info.run_id ? -1 : 1));
  }

  /** Not idempotent: search by a tag before and after. */
  async createRun({ experimentId, name, startTime, tags }: NewRun): Promise<MlflowRun> {
    const body = { experiment_id: experimentId, run_name: name, start_time: startTime, tags: pairs(tags) };
    return (await this.#post("runs/create", body, z.object({ run: MlflowRun }))).run;
  }

  async updateRun(runId: string, status: RunStatus, endTime?: number): Promise<void> {
    await this.#post("runs/update", { run_id: runId, status, end_time: endTime }, Nothing);
  }

  /** Sends points, params and tags in as many batches as MLflow's limits ask for. The same again changes nothing. */
  async logBatch(
    runId: string,
    batch: {
      readonly metrics: readonly MetricPoint[];
      readonly params: Readonly<Record<string, string>>;
      readonly tags: Readonly<Record<string, string>>;
    },
  ): Promise<void> {
    const infinite = batch.metrics.find(({ value }) => !Number.isFinite(value));
    if (infinite !== undefined) throw new CampaignError("tracking.rejected", `metric ${infinite.key} is ${infinite.value}`);
    for (const metrics of chunks(batch.metrics, MAX_METRICS)) await this.#logBatch({ run_id: runId, metrics });
    for (const params of chunks(pairs(batch.params), MAX_PAIRS)) await this.#logBatch({ run_id: runId, params });
    for (const tags of chunks(pairs(batch.tags), MAX_PAIRS)) await this.#logBatch({ run_id: runId, tags });
  }

  /** Another writer of the same run may be a moment faster: then its rows are there, and the same batch again finds them equal. */
  async #logBatch(body: object): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#post("runs/log-batch", body, Nothing);
        return;
      } catch (error) {
        const isRace = error instanceof CampaignError && error.message.includes("IntegrityError");
        if (!isRace || attempt === MAX_RACES) throw error;
      }
    }
  }

  /** All points of a metric. */
  async metricHistory(runId: string, key: string): Promise<MetricPoint[]> {
    const query = new URLSearchParams({ run_id: runId, metric_key: key, max_results: "25000" });
    return (await this.#get(`metrics/get-history?${query}`, z.object({ metrics: z.array(Metric).default([]) }))).metrics;
  }

  /** Stores a file of a run through the server's artifact proxy; the same name again is overwritten. False: the server has no proxy for it. */
  async putArtifact(run: MlflowRun, path: string, bytes: Uint8Array): Promise<boolean> {
    const url = artifactUrl(run, path);
    if (url === null) return false;
    await this.#fetch(url, { method: "PUT", body: bytes, headers: { "content-type": "application/octet-stream" } });
    return true;
  }

  /** Bytes of a file of a run. */
  async getArtifact(run: MlflowRun, path: string): Promise<Uint8Array> {
    const url = artifactUrl(run, path);
    if (url === null) throw new CampaignError("tracking.rejected", `artifacts of run ${run.info.run_id} are not behind the proxy`);
    return this.#fetch(url, {});
  }

  async #get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    return readAnswer(path, await this.#fetch(`${API}/${path}`, {}), schema);
  }

  async #post<Schema extends z.ZodType>(path: string, body: object, schema: Schema): Promise<z.output<Schema>> {
    const request = { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    return readAnswer(path, await this.#fetch(`${API}/${path}`, request), schema);
  }

  /** The whole answer: a server that stops in the middle of one has not answered. */
  async #fetch(path: string, request: RequestInit): Promise<Uint8Array> {
    const timeout = AbortSignal.timeout(this.#timeoutSeconds * 1000);
    const signal = this.#signal === undefined ? timeout : AbortSignal.any([this.#signal, timeout]);
    let response: Response;
    let body: Uint8Array;
    try {
      this.#ask ??= createKeepAliveFetch(chooseProxy(new URL(this.baseUrl), this.#environment));
      response = await this.#ask(this.baseUrl + path, { ...request, signal });
      body = new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      throw this.#unavailable(cause instanceof Error ? describeCause(cause) : String(cause), cause);
    }
    if (response.ok) return body;
    const text = textOf(body);
    if (response.status === 429 || response.status >= 500) throw this.#unavailable(`status ${response.status} ${shorten(text, 200)}`);
    throw new CampaignError("tracking.rejected", `MLflow refuses ${path.split("?")[0]}: ${response.status} ${shorten(text, 500)}`);
  }

  #unavailable(why: string, cause?: unknown): CampaignError {
    return new CampaignError("tracking.unavailable", `MLflow does not answer at ${this.baseUrl}: ${why}`, {
      cause,
      next: "turnwise up; what MLflow missed is sent when it is back",
    });
  }
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function readAnswer<Schema extends z.ZodType>(path: string, body: Uint8Array, schema: Schema): z.output<Schema> {
  const text = textOf(body);
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CampaignError("tracking.rejected", `MLflow's answer to ${path.split("?")[0]} has another shape: ${shorten(text, 200)}`, {
      cause,
    });
  }
}

function describeCause(error: Error): string {
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof CampaignError && error.code === "tracking.rejected" && error.message.includes(`"${code}"`);
}

function artifactUrl({ info }: MlflowRun, path: string): string | null {
  const folder = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.+)$/.exec(info.artifact_uri)?.[1];
  if (folder === undefined) return null;
  return `/api/2.0/mlflow-artifacts/artifacts/${`${folder}/${path}`.split("/").map(encodeURIComponent).join("/")}`;
}

function pairs(record: Readonly<Record<string, string>>): { key: string; value: string }[] {
  return Object.entries(record).map(([key, value]) => ({ key, value }));
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}
