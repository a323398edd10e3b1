// A training worker that is told to stop lets its trainer save, however long that takes within the graces of src/contracts/grace-periods.ts.
import "../support/quiet-temporal.ts";
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client, Connection } from "@temporalio/client";
import { bundleWorkflowCode, NativeConnection, Worker } from "@temporalio/worker";
import { expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { encodeBatch } from "#adapters/trainer-process/safetensors.ts";
import type { TrainInput } from "#contracts/activities.ts";
import { CampaignConfig } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { sampleConfig } from "../fixtures/sample-record.ts";
import { longTemporaryFolder } from "../fixtures/temporary-folder.ts";
import { hasPython, PYTHON } from "../support/python.ts";
import { startTemporalServer } from "../support/temporal-server.ts";
import { makeTinyModel } from "../support/tiny-policy.ts";
import { trainingBatch } from "../support/training-batch.ts";
import type { trainsOnce } from "./training-workflow.ts";

/** Longer than anybody waited in 0.1.0: the worker 15 s, the trainer's process group 20 s. */
const SAVE_SECONDS = 24;
const ID = "slow-disk";

test.skipIf(!hasPython)(
  "SIGTERM to a training worker ends with the checkpoint of the last step, though saving takes longer than any kill used to",
  async () => {
    const home = longTemporaryFolder();
    const server = await startTemporalServer();
    const [connection, native] = await Promise.all([
      Connection.connect({ address: server.address }),
      NativeConnection.connect({ address: server.address }),
    ]);
    const control = await Worker.create({
      connection: native,
      taskQueue: "test",
      workflowBundle: await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL("training-workflow.ts", import.meta.url)) }),
    });
    const isOver = control.run();
    const worker = startTrainingWorker(home, server.address);
    const ended = new Promise<number | null>((done) => worker.once("exit", done));
    try {
      const input = await placeCampaign(home);
      const client = new Client({ connection });
      const handle = await client.workflow.start<typeof trainsOnce>("trainsOnce", { taskQueue: "test", workflowId: ID, args: [input] });
      const job = join(home, "jobs", ID, "0001");
      await until(() => stepsIn(job).length >= 3, worker);
      worker.kill("SIGTERM");
      expect(await ended).toBe(0);
      const saved = stepsIn(job).at(-1);
      expect(eventsIn(job).at(-1)).toMatchObject({ type: "checkpoint-saved", step: saved });
      expect(readdirSync(join(job, "checkpoints"))).toEqual([`step-${String(saved).padStart(6, "0")}`]);
      expect(existsSync(join(job, "result.json"))).toBe(false);
      await handle.terminate();
    } finally {
      worker.kill("SIGKILL");
      control.shutdown();
      await isOver;
      await Promise.all([connection.close(), native.close()]);
      await server.stop();
    }
  },
  300_000,
);

/** The real worker, with a Python whose trainer saves as on a slow disk. */
function startTrainingWorker(home: string, address: string): ChildProcess {
  const python = join(home, "python");
  writeFileSync(join(home, "slow_disk.py"), SLOW_DISK);
  writeFileSync(python, `#!/bin/sh\nexec "${PYTHON}" "${join(home, "slow_disk.py")}" "$@"\n`);
  chmodSync(python, 0o755);
  const env = { ...process.env, TURNWISE_HOME: home, TURNWISE_TEMPORAL_ADDRESS: address, TURNWISE_PYTHON: python };
  return spawn(process.execPath, [join(REPOSITORY, "workers", "training.ts")], { env, stdio: "ignore" });
}

const SLOW_DISK = `
import sys, time
from trainer.checkpoint import Checkpoints
commit = Checkpoints.commit
def slow(*arguments):
    time.sleep(${SAVE_SECONDS})
    return commit(*arguments)
Checkpoints.commit = slow
from trainer.__main__ import main
sys.exit(main(sys.argv[3:]))  # after "-m trainer"
`;

/** A campaign of the record that has got to its training: 5,000 epochs, and no checkpoint but the one that SIGTERM asks for. */
async function placeCampaign(home: string): Promise<TrainInput> {
  const store = new LocalArtifactStore(join(home, "record"));
  const record = new CampaignRecord(store);
  makeTinyModel({ directory: join(home, "tiny"), specialTokens: ["<e>"], corpus: ["some text to learn from"], vocabSize: 1024 });
  const policy: PolicyRef = await createPolicyStore(store, join(home, "policies")).import(join(home, "tiny"), {
    label: "tiny",
    parentHash: null,
  });
  const config = CampaignConfig.parse({
    ...sampleConfig(ID),
    training: { threads: 1, hyperparameters: { learningRate: 1e-5, epochs: 5000, checkpointEverySteps: 100_000, klWeight: 0 } },
  });
  const hash = "d".repeat(64);
  await record.putCampaign({
    schemaVersion: 2,
    id: ID,
    config,
    configSha256: hash,
    codeVersion: "test",
    dataSha256: hash,
    basePolicy: policy,
    priorTable: await store.putBlob(new TextEncoder().encode("{}"), "RewardTable/1"),
    estimate: null,
    parent: null,
    createdAt: "2026-01-02T03:04:05.000Z",
  });
  const batch = await store.putBlob(encodeBatch(await trainingBatch(policy.hash)), "TrainingBatch/1");
  return { campaignId: ID, iteration: 1, policy, reference: policy, batch, credit: batch, startedAt: "2026-01-02T03:04:05.000Z" };
}

function eventsIn(job: string): { type: string; step?: number }[] {
  if (!existsSync(join(job, "events.jsonl"))) return [];
  const lines = readFileSync(join(job, "events.jsonl"), "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as { type: string; step?: number });
}

const stepsIn = (job: string) => eventsIn(job).flatMap(({ type, step }) => (type === "training-step" && step !== undefined ? [step] : []));

async function until(holds: () => boolean, worker: ChildProcess): Promise<void> {
  while (!holds()) {
    if (worker.exitCode !== null) throw new Error(`the worker ended with ${worker.exitCode}`);
    await delay(100);
  }
}
