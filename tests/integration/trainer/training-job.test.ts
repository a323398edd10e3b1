// The real trainer of several processes through its adapter. Of one process: tests/laws/trainers.ts.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { runTrainingJob } from "#adapters/trainer-process/run-training-job.ts";
import { encodeBatch } from "#adapters/trainer-process/safetensors.ts";
import { TrainingHyperparameters } from "#contracts/campaign-config.ts";
import type { TrainingEvent, TrainingJob } from "#contracts/training.ts";
import { longTemporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython, PYTHON } from "../../support/python.ts";
import { makeTinyModel } from "../../support/tiny-policy.ts";
import { trainingBatch } from "../../support/training-batch.ts";

describe.skipIf(!hasPython)("a training job", () => {
  const folder = longTemporaryFolder();
  let job: TrainingJob;

  interface Options {
    signal?: AbortSignal;
    onEvent?: (event: TrainingEvent) => void;
    stallTimeoutSeconds?: number;
  }
  const start = (name: string, options: Options = {}) =>
    runTrainingJob({
      python: PYTHON,
      jobDirectory: join(folder, name),
      job,
      stallTimeoutSeconds: 120,
      signal: new AbortController().signal,
      onEvent: () => {},
      ...options,
    });

  beforeAll(async () => {
    const policies = createPolicyStore(new LocalArtifactStore(join(folder, "record")), join(folder, "policies"));
    makeTinyModel({ directory: join(folder, "tiny"), specialTokens: ["<e>"], corpus: ["some text to learn from"], vocabSize: 1024 });
    const model = await policies.import(join(folder, "tiny"), { label: "tiny", parentHash: null });
    const bytes = encodeBatch(await trainingBatch(model.hash));
    writeFileSync(join(folder, "batch.safetensors"), bytes);
    job = {
      schemaVersion: 1,
      jobId: "resume",
      backend: "cpu",
      threads: 1,
      modelDirectory: await policies.directory(model),
      modelHash: model.hash,
      referenceDirectory: await policies.directory(model),
      optimizerState: null,
      batchPath: "../batch.safetensors",
      batchSha256: createHash("sha256").update(bytes).digest("hex"),
      temperature: 1,
      hyperparameters: TrainingHyperparameters.parse({
        learningRate: 1e-3,
        numMinibatches: 2,
        epochs: 20,
        checkpointEverySteps: 4,
        maxGradientNorm: 1e9,
      }),
      seed: 1,
    };
  }, 300_000);

  test("of two ranks, one of which hangs, is found to be stalled, and none of its processes is left", async () => {
    const whole = job;
    job = {
      ...whole,
      backend: "fsdp",
      numProcesses: 2,
      hyperparameters: { ...whole.hyperparameters, epochs: 1000, checkpointEverySteps: 1000 },
    };
    let ranks: number[] = [];
    const onEvent = (event: TrainingEvent) => {
      if (event.type !== "training-step" || ranks.length > 0) return;
      ranks = ranksOf(join(folder, "hanging"));
      process.kill(ranks[1] as number, "SIGSTOP");
    };
    await expect(start("hanging", { onEvent, stallTimeoutSeconds: 10 })).rejects.toMatchObject({
      code: "trainer.stalled",
      message: "no event and no work for 10 s",
      retryable: true,
    });
    job = whole;
    expect(ranks).toHaveLength(2);
    expect(ranksOf(join(folder, "hanging"))).toEqual([]);
  }, 300_000);
});

/** Processes that the launcher of a job started, by rank. */
function ranksOf(jobDirectory: string): number[] {
  const found = readdirSync("/proc").flatMap((pid) => {
    try {
      const rank = /(?:^|\0)RANK=(\d+)/.exec(readFileSync(`/proc/${pid}/environ`, "utf8"))?.[1];
      const isOurs = readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(jobDirectory);
      return rank !== undefined && isOurs ? [{ pid: Number(pid), rank: Number(rank) }] : [];
    } catch {
      return [];
    }
  });
  return found.sort((a, b) => a.rank - b.rank).map(({ pid }) => pid);
}
