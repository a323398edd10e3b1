// How the adapter ends a trainer that misbehaves. The misbehaviour is played by shell scripts; what works is tested on the real trainer.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runTrainingJob } from "#adapters/trainer-process/run-training-job.ts";
import { TrainingHyperparameters } from "#contracts/campaign-config.ts";
import type { TrainingEvent, TrainingJob } from "#contracts/training.ts";
import { FEW_TRIES } from "#core/errors.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const job: TrainingJob = {
  schemaVersion: 1,
  jobId: "j1",
  backend: "cpu",
  threads: 1,
  modelDirectory: "/nowhere",
  modelHash: "0".repeat(64),
  referenceDirectory: null,
  optimizerState: null,
  batchPath: "batch.safetensors",
  batchSha256: "0".repeat(64),
  temperature: 1,
  hyperparameters: TrainingHyperparameters.parse({ learningRate: 1e-3 }),
  seed: 1,
};
const RESULT = JSON.stringify({
  schemaVersion: 1,
  jobId: "j1",
  totalSteps: 0,
  modelFiles: {},
  optimizerState: { sha256: "0".repeat(64), numBytes: 0 },
  steps: [],
  versions: {},
});
const EVENT = '{"type":"job-start","seq":0,"jobId":"j1","totalSteps":2,"resumedFromStep":0,"device":"cpu"}';

/** Runs a shell script in the trainer's place; its working variable $job is the job's folder. */
function attempt(folder: string, script: string, options: { signal?: AbortSignal; stallTimeoutSeconds?: number } = {}) {
  const python = join(folder, "python");
  writeFileSync(python, `#!/bin/sh\njob="$4"\n${script}\n`);
  chmodSync(python, 0o755);
  const events: TrainingEvent[] = [];
  const jobDirectory = join(folder, "job");
  const result = runTrainingJob({
    python,
    jobDirectory,
    job,
    stallTimeoutSeconds: 30,
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { result, events, jobDirectory };
}
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
};
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((done) => setTimeout(done, 20));
};

describe("a trainer that ends", () => {
  test.each([
    ["exit 2", "trainer.invalid-job", null],
    ["exit 3", "trainer.diverged", null],
    ["exit 143", "trainer.crashed", null],
    ["exit 1", "trainer.crashed", FEW_TRIES],
    ["kill -9 $$", "trainer.crashed", null],
    ["exit 0", "trainer.crashed", FEW_TRIES],
  ])("with '%s' fails as %s; an exception is not met for ever", async (script, code, maxTries) => {
    await expect(attempt(temporaryFolder(), script).result).rejects.toMatchObject({ code, maxTries });
  });

  test("is quoted: its last words, or the error that it reported", async () => {
    await expect(attempt(temporaryFolder(), "echo out of memory >&2; exit 1").result).rejects.toThrow(/exit code 1: out of memory/);
    const reported = `echo '{"type":"job-error","seq":0,"code":"trainer.diverged","message":"loss NaN"}' > $job/events.jsonl; exit 1`;
    await expect(attempt(temporaryFolder(), reported).result).rejects.toMatchObject({
      code: "trainer.diverged",
      message: expect.stringContaining("loss NaN"),
    });
    const printed = "echo 'error: trainer.disk-full: no room left to write: [Errno 28]' >&2; exit 2"; // no room for an event either
    await expect(attempt(temporaryFolder(), printed).result).rejects.toMatchObject({
      code: "trainer.disk-full",
      retryable: false,
      next: expect.stringContaining("make room"),
    });
  });

  test.each(["{}", "done", ""])("with the result %j, which is none, fails as contract.invalid", async (text) => {
    await expect(attempt(temporaryFolder(), `echo '${text}' > $job/result.json`).result).rejects.toMatchObject({
      code: "contract.invalid",
    });
  });

  test("but is not there at all fails as trainer.crashed and says what to do", async () => {
    const options = {
      python: "/nowhere/python",
      jobDirectory: temporaryFolder(),
      job,
      stallTimeoutSeconds: 1,
      signal: new AbortController().signal,
      onEvent: () => {},
    };
    await expect(runTrainingJob(options)).rejects.toMatchObject({ code: "trainer.crashed", next: "run npm run setup" });
    const other = runTrainingJob({ ...options, engine: ["/nowhere/engine"] });
    await expect(other).rejects.toMatchObject({ code: "trainer.crashed", next: "correct training.command" });
  });

  test("is started as it is named: no shell reads its arguments", async () => {
    const folder = temporaryFolder();
    const engine = join(folder, "engine");
    writeFileSync(engine, `#!/bin/sh\nfor part in "$@"; do echo "$part" >> ${folder}/parts; done\necho '${RESULT}' > "$4/result.json"\n`);
    chmodSync(engine, 0o755);
    const parts = ["$HOME", "two words; exit 1", "`id`"];
    const jobDirectory = join(folder, "job");
    const options = { python: "/nowhere/python", engine: [engine, ...parts], jobDirectory, job, stallTimeoutSeconds: 30 };
    await runTrainingJob({ ...options, signal: new AbortController().signal, onEvent: () => {} });
    expect(readFileSync(join(folder, "parts"), "utf8").trimEnd().split("\n")).toEqual([...parts, jobDirectory]);
  });
});

describe("a job", () => {
  test("that is done is not done again", async () => {
    const folder = temporaryFolder();
    const first = await attempt(folder, `echo '${RESULT}' > $job/result.json`).result;
    expect(await attempt(folder, "exit 1").result).toEqual(first);
  });

  test("takes away the result of another job in its folder", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "job"));
    writeFileSync(join(folder, "job", "job.json"), JSON.stringify({ ...job, seed: 2 }));
    writeFileSync(join(folder, "job", "result.json"), RESULT);
    await expect(attempt(folder, "exit 1").result).rejects.toMatchObject({ code: "trainer.crashed" });
  });

  test("reports the events of this attempt, whole lines only", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "job"));
    writeFileSync(join(folder, "job", "events.jsonl"), `${EVENT}\n{"type":"job-e`);
    const rewrite = `printf '%s\\n' '${EVENT}' '${EVENT.replace("0,", "1,")}' '{"torn' > $job/events.jsonl; echo '${RESULT}' > $job/result.json`;
    const { result, events } = attempt(folder, rewrite);
    await result;
    expect(events.map(({ seq }) => seq)).toEqual([1]);
  });
});

describe("a trainer that goes on and on", () => {
  test("without a sign of life is stopped and fails as trainer.stalled", async () => {
    const { result, jobDirectory } = attempt(temporaryFolder(), "echo $$ > $job/pid; sleep 60", { stallTimeoutSeconds: 0.3 });
    await expect(result).rejects.toMatchObject({ code: "trainer.stalled" });
    expect(isAlive(Number(readFileSync(join(jobDirectory, "pid"), "utf8")))).toBe(false);
  });

  test("is not stalled while events come", async () => {
    const script = `for i in 1 2 3 4 5; do echo '${EVENT}' >> $job/events.jsonl; sleep 0.3; done; echo '${RESULT}' > $job/result.json`;
    const { result, events } = attempt(temporaryFolder(), script, { stallTimeoutSeconds: 1 });
    await result;
    expect(events).toHaveLength(5);
  });

  test("saves and stops when its caller aborts, and takes its children with it", async () => {
    const controller = new AbortController();
    const script = `sleep 60 & echo $! > $job/child; trap 'echo saved > $job/saved; exit 143' TERM; wait`;
    const { result, jobDirectory } = attempt(temporaryFolder(), script, { signal: controller.signal });
    await until(() => existsSync(join(jobDirectory, "child")));
    await new Promise((done) => setTimeout(done, 100));
    controller.abort(new Error("paused"));
    await expect(result).rejects.toThrow("paused");
    expect(readFileSync(join(jobDirectory, "saved"), "utf8")).toBe("saved\n");
    await until(() => !isAlive(Number(readFileSync(join(jobDirectory, "child"), "utf8"))));
  });
});
