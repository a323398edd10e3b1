// What every training engine must do that is started for a job (src/contracts/training.ts). An engine's own test calls `trainerLaws`.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { runTrainingJob } from "#adapters/trainer-process/run-training-job.ts";
import { encodeSafetensors } from "#adapters/trainer-process/safetensors.ts";
import { TrainingHyperparameters } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { TrainingEvent, type TrainingJob, type TrainingResult, TrainingUsage } from "#contracts/training.ts";
import { canonicalJson } from "#core/canonical-json.ts";
import { childEnvironment } from "../../infra/setup/shell.mjs";
import { present } from "../fixtures/present.ts";
import { longTemporaryFolder } from "../fixtures/temporary-folder.ts";
import { PYTHON } from "../support/python.ts";
import { makeTinyModel } from "../support/tiny-policy.ts";

export interface EngineUnderTest {
  /** As `training.command` names it; left out for `python -m trainer`. */
  readonly engine?: readonly string[];
  readonly backend: TrainingJob["backend"];
  /** Two optimizer steps each: so many that a job lasts some seconds, for it is stopped on the way. */
  readonly epochs: number;
  readonly checkpointEverySteps: number;
}

interface Options {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainingEvent, directory: string) => void;
  readonly stallTimeoutSeconds?: number;
  readonly job?: Partial<TrainingJob>;
}
interface Workshop {
  readonly folder: string;
  readonly job: TrainingJob;
  /** Runs the job in the folder of that name. */
  run(name: string, options?: Options): Promise<TrainingResult>;
  /** The files of the exported policy, its moments and the metrics of all steps: what an interruption must not change. */
  outcome(result: TrainingResult): unknown;
}

const MINUTES = 60_000;
const LONG = 5 * MINUTES;

/** Runs the laws as tests. They take some ten starts of the engine. */
export function trainerLaws(name: string, engine: EngineUnderTest): void {
  describe(`a training engine (${name})`, () => {
    const folder = longTemporaryFolder();
    const shop = {} as { -readonly [Key in keyof Workshop]: Workshop[Key] };
    let whole: TrainingResult;

    beforeAll(async () => {
      Object.assign(shop, workshop(folder, await makeJob(folder, engine), engine));
      whole = await shop.run("whole");
    }, LONG);

    outcomeLaws(shop, () => whole);
    interruptionLaws(shop, () => whole);
    refusalLaws(shop);
    orphanLaw(shop, engine);
  });
}

function workshop(folder: string, job: TrainingJob, { engine }: EngineUnderTest): Workshop {
  return {
    folder,
    job,
    run: (name, { job: other = {}, onEvent = () => {}, signal = new AbortController().signal, stallTimeoutSeconds = 120 } = {}) =>
      runTrainingJob({
        python: PYTHON,
        engine,
        jobDirectory: join(folder, name),
        job: { ...job, ...other },
        stallTimeoutSeconds,
        signal,
        onEvent: (event) => onEvent(event, join(folder, name)),
      }),
    outcome: ({ modelFiles, optimizerState, steps, totalSteps }) => ({ modelFiles, optimizerState, steps, totalSteps }),
  };
}

function outcomeLaws(shop: Workshop, whole: () => TrainingResult): void {
  test("its events are those of the contract, in order: a start, every step, checkpoints, an end", () => {
    const events = eventsOf(join(shop.folder, "whole"));
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
    expect(events[0]).toMatchObject({ type: "job-start", jobId: shop.job.jobId, totalSteps: whole().totalSteps, resumedFromStep: 0 });
    expect(events.at(-1)).toMatchObject({ type: "job-end", step: whole().totalSteps });
    const steps = events.filter((event) => event.type === "training-step");
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: whole().totalSteps }, (_, index) => index + 1));
    expect(steps.map(({ metrics }) => metrics)).toEqual(whole().steps);
    expect(events.some(({ type }) => type === "checkpoint-saved")).toBe(true);
  });

  test("its result names every file that it exports by hash, is the last that it writes, and a campaign can go on from it", async () => {
    const directory = join(shop.folder, "whole");
    const found = Object.fromEntries(readdirSync(join(directory, "model")).map((file) => [file, hashOf(join(directory, "model", file))]));
    expect(whole().modelFiles).toEqual(found);
    expect(whole().optimizerState).toEqual(hashOf(join(directory, "optimizer.safetensors")));
    expect(TrainingUsage.parse(jsonOf(join(directory, "usage.json"))).computeSeconds).toBeGreaterThan(0);
    for (const file of ["events.jsonl", "optimizer.safetensors", "usage.json", ...Object.keys(found).map((file) => `model/${file}`)])
      expect(writtenAt(directory, file) <= writtenAt(directory, "result.json"), file).toBe(true);
    const policies = createPolicyStore(new LocalArtifactStore(join(shop.folder, "record")), join(shop.folder, "policies"));
    const trained = await policies.import(join(directory, "model"), { label: "trained", parentHash: shop.job.modelHash });
    expect(trained.hash).not.toBe(shop.job.modelHash);
  });

  test("the loss that it minimises falls, and the model that it was given stays as it was", () => {
    const losses = whole().steps.map(({ loss }) => loss);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(losses.slice(-2))).toBeLessThan(mean(losses.slice(0, 2)) - 0.01);
    expect(modelHashOf(shop.job.modelDirectory)).toBe(shop.job.modelHash);
  });

  test(
    "a job goes on from the weights and the moments of the one before",
    async () => {
      const first = join(shop.folder, "whole");
      const modelDirectory = join(first, "model");
      const job = {
        jobId: "next",
        modelDirectory,
        modelHash: modelHashOf(modelDirectory),
        optimizerState: join(first, "optimizer.safetensors"),
      };
      const next = await shop.run("next", { job });
      expect(next.jobId).toBe("next");
      expect(next.modelFiles["model.safetensors"]).not.toEqual(whole().modelFiles["model.safetensors"]);
      expect(present(next.steps[0]).loss).toBeLessThan(present(whole().steps[0]).loss);
    },
    LONG,
  );
}

function interruptionLaws(shop: Workshop, whole: () => TrainingResult): void {
  const startedAgain = async (name: string) => {
    expect(existsSync(join(shop.folder, name, "result.json"))).toBe(false);
    expect(processesOf(join(shop.folder, name))).toEqual([]);
    expect(shop.outcome(await shop.run(name))).toEqual(shop.outcome(whole()));
    const events = eventsOf(join(shop.folder, name));
    expect(events.filter(({ type }) => type === "training-step")).toHaveLength(whole().totalSteps);
    return present(events.findLast((event) => event.type === "job-start")).resumedFromStep;
  };

  test(
    "cancelled, it saves and goes; started again, it goes on there and ends with the same bytes",
    async () => {
      const controller = new AbortController();
      const onEvent = (event: TrainingEvent) => {
        if (event.type === "training-step" && event.step >= 2) controller.abort(new Error("paused"));
      };
      await expect(shop.run("cancelled", { signal: controller.signal, onEvent })).rejects.toThrow("paused");
      expect(await startedAgain("cancelled")).toBeGreaterThanOrEqual(2);
    },
    LONG,
  );

  test(
    "killed at any moment and started again, it ends with the same bytes",
    async () => {
      const onEvent = (event: TrainingEvent, directory: string) => {
        if (event.type === "checkpoint-saved") for (const pid of processesOf(directory)) signalTo(pid, "SIGKILL");
      };
      await expect(shop.run("killed", { onEvent })).rejects.toMatchObject({ code: "trainer.crashed", retryable: true });
      expect(await startedAgain("killed")).toBeGreaterThan(0);
    },
    LONG,
  );

  test(
    "hanging, it is found to be stalled, none of its processes is left, and what it saved is gone on from",
    async () => {
      const onEvent = (event: TrainingEvent, directory: string) => {
        if (event.type === "training-step") for (const pid of processesOf(directory)) signalTo(pid, "SIGSTOP");
      };
      await expect(shop.run("hanging", { onEvent, stallTimeoutSeconds: 10 })).rejects.toMatchObject({
        code: "trainer.stalled",
        retryable: true,
      });
      await startedAgain("hanging");
    },
    LONG,
  );
}

function refusalLaws(shop: Workshop): void {
  test.each([
    ["a batch that is not the one that was meant", { batchSha256: "0".repeat(64) }],
    ["a model that is not the one that was meant", { modelHash: "0".repeat(64) }],
  ])(
    "%s is refused, is not tried again, and leaves no result",
    async (what, job) => {
      const name = what.replaceAll(" ", "-");
      await expect(shop.run(name, { job })).rejects.toMatchObject({ code: "trainer.invalid-job", retryable: false });
      expect(existsSync(join(shop.folder, name, "result.json"))).toBe(false);
      expect(eventsOf(join(shop.folder, name)).at(-1)).toMatchObject({ type: "job-error", code: "trainer.invalid-job" });
    },
    LONG,
  );

  test(
    "a gradient beyond maxGradientNorm ends the job as diverged",
    async () => {
      const hyperparameters = { ...shop.job.hyperparameters, maxGradientNorm: 1e-12 };
      await expect(shop.run("diverged", { job: { hyperparameters } })).rejects.toMatchObject({ code: "trainer.diverged" });
    },
    LONG,
  );
}

/** A worker that is killed takes nothing with it by itself, and another one starts the job again in the same folder. */
function orphanLaw(shop: Workshop, { engine }: EngineUnderTest): void {
  test(
    "it ends when whoever started it is gone",
    async () => {
      const directory = join(shop.folder, "orphan");
      mkdirSync(directory);
      writeFileSync(join(directory, "job.json"), canonicalJson(shop.job));
      const argv = engine === undefined ? [PYTHON, "-m", "trainer", "train", directory] : [...engine, directory];
      const parent = parentOf(argv);
      await until(() => eventsOf(directory).some(({ type }) => type === "training-step"));
      parent.kill("SIGKILL");
      await until(() => processesOf(directory).length === 0);
      expect(existsSync(join(directory, "result.json"))).toBe(false);
    },
    LONG,
  );
}

/** A process that does nothing but start another in a group of its own, as a worker does. */
function parentOf(argv: readonly string[]): ChildProcess {
  const script = `const [program, ...rest] = JSON.parse(process.env.ARGV);
    require("node:child_process").spawn(program, rest, { detached: true, stdio: "ignore" });
    setInterval(() => {}, 1000);`;
  const env = childEnvironment({ PYTHONPATH: join(REPOSITORY, "trainer", "src"), ARGV: JSON.stringify(argv) });
  return spawn(process.execPath, ["-e", script], { stdio: "ignore", env, cwd: REPOSITORY });
}

/** A job on a tiny model, whose files lie beside the jobs' own folders. */
export async function makeJob(folder: string, engine: EngineUnderTest): Promise<TrainingJob> {
  const policies = createPolicyStore(new LocalArtifactStore(join(folder, "record")), join(folder, "policies"));
  makeTinyModel({ directory: join(folder, "tiny"), specialTokens: ["<e>"], corpus: ["some text to learn from"], vocabSize: 1024 });
  const model = await policies.import(join(folder, "tiny"), { label: "tiny", parentHash: null });
  return writeJob(folder, await policies.directory(model), model, engine);
}

/** Two rows that differ in what follows the first token: one is to become likelier, the other less likely. */
function writeJob(folder: string, modelDirectory: string, { hash: modelHash }: PolicyRef, engine: EngineUnderTest): TrainingJob {
  const rows = [
    [7, 8, 9, 10, 11],
    [7, 12, 13, 14, 15],
  ];
  const flat = (value: (row: number, position: number) => number) => rows.flatMap((row, r) => row.map((_, k) => value(r, k)));
  const header = {
    ...{ schemaVersion: 1, policyHash: modelHash, rewardTableSha256: "a".repeat(64), estimator: "grpo/1", seed: 1 },
    ...{ numTokens: 10, numActionTokens: 8, numRows: 2, rows: rows.map((_, trial) => ({ taskId: "t", trial, branch: 0 })) },
  };
  const batch = encodeSafetensors(
    {
      token_ids: Int32Array.from(rows.flat()),
      loss_mask: Uint8Array.from(flat((_, k) => (k === 0 ? 0 : 1))),
      sampling_logprobs: Float32Array.from(flat((_, k) => (k === 0 ? 0 : -6))),
      advantages: Float32Array.from(flat((r, k) => (k === 0 ? 0 : r === 0 ? 1 : -1))),
      turn_ids: Int32Array.from(flat((_, k) => (k === 0 ? -1 : 0))),
      row_offsets: BigInt64Array.from([0n, 5n, 10n]),
    },
    { header: canonicalJson(header) },
  );
  writeFileSync(join(folder, "batch.safetensors"), batch);
  return {
    schemaVersion: 1,
    jobId: "laws",
    backend: engine.backend,
    threads: 1,
    modelDirectory,
    modelHash,
    referenceDirectory: modelDirectory,
    optimizerState: null,
    batchPath: "../batch.safetensors",
    batchSha256: createHash("sha256").update(batch).digest("hex"),
    temperature: 1,
    hyperparameters: TrainingHyperparameters.parse({
      ...{ learningRate: 1e-3, numMinibatches: 2, epochs: engine.epochs, checkpointEverySteps: engine.checkpointEverySteps },
      ...{ clipLow: 0.999, clipHigh: 1e6, dualClip: 1e6, maxGradientNorm: 1e9 },
    }),
    seed: 1,
  };
}

const jsonOf = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));
const hashOf = (path: string) => ({ sha256: createHash("sha256").update(readFileSync(path)).digest("hex"), numBytes: statSync(path).size });
const writtenAt = (directory: string, file: string): bigint => statSync(join(directory, file), { bigint: true }).mtimeNs;

/** The policy hash: that of the canonical JSON of file name -> sha256. */
function modelHashOf(directory: string): string {
  const files = Object.fromEntries(readdirSync(directory).map((file) => [file, hashOf(join(directory, file)).sha256]));
  return createHash("sha256").update(canonicalJson(files)).digest("hex");
}

/** Whole lines of events.jsonl, each of which must be an event. */
function eventsOf(directory: string): TrainingEvent[] {
  const path = join(directory, "events.jsonl");
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  return lines.map((line) => TrainingEvent.parse(JSON.parse(line)));
}

/** Processes that have the job's folder among their arguments. */
function processesOf(directory: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const isZombie = readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
      return !isZombie && readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(directory) ? [Number(pid)] : [];
    } catch {
      return []; // gone meanwhile
    }
  });
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((done) => setTimeout(done, 50));
}
