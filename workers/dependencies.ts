// Composition root: settings -> adapters -> what the activities are given.
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { openEmbedder } from "#adapters/embedder/open-embedder.ts";
import { freeBytes } from "#adapters/free-bytes.ts";
import { openPolicy } from "#adapters/inference/open-policy.ts";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { openProposer } from "#adapters/proposer/ask-model.ts";
import { openRecord } from "#adapters/record/open-record.ts";
import { RecordPaths } from "#adapters/record/paths.ts";
import { applyRetention } from "#adapters/retention/collect-garbage.ts";
import { removeFolder } from "#adapters/retention/disk-folders.ts";
import { logFolder } from "#adapters/services/state.ts";
import { readSettings, type Settings, shellVariables } from "#adapters/settings.ts";
import { openSimulator } from "#adapters/simulator/open-simulator.ts";
import { simulatorCache } from "#adapters/simulator/reply-cache.ts";
import { openTaskSet } from "#adapters/task-data/open-task-set.ts";
import { runTrainingJob } from "#adapters/trainer-process/run-training-job.ts";
import { encodeBatch } from "#adapters/trainer-process/safetensors.ts";
import { readTrainingUsage } from "#adapters/trainer-process/training-usage.ts";
import { codeVersion } from "#adapters/versions.ts";
import type { ActivityDependencies } from "../activities/dependencies.ts";

export interface WorkerDependencies extends ActivityDependencies {
  readonly settings: Settings;
}

export async function createDependencies(log: Logger): Promise<WorkerDependencies> {
  const settings = readSettings();
  const { store, record, journals } = openRecord(settings.recordRoot);
  const swept = await store.sweepTemporaries({ now: Date.now() });
  if (swept.count > 0) log.info(swept, "removed temporary files that killed processes had left in the record");
  const policies = createPolicyStore(store, settings.policyRoot);
  const { policyUrl, policyHosts, policyRoot, python } = settings;
  const vllm = { program: settings.vllm, python, policyRoot, logFolder: logFolder(settings.home) };
  return {
    settings,
    store,
    record,
    versions: { turnwise: await codeVersion(), node: process.versions.node },
    freeBytes: () => freeBytes(settings.recordRoot),
    clock: { now: () => Date.now(), sleep: (milliseconds, signal) => delay(milliseconds, undefined, { signal }) },
    // The folder with tau-bench's data may be named after this worker has started.
    openTaskSet: (config, dataSha256) => openTaskSet(config, readSettings(), dataSha256),
    openPolicy: (config, ref, formats) =>
      openPolicy(config, ref, { policies, policyUrl, policyHosts, vllm, formats, onWarning: (message) => log.warn(message) }),
    openSimulator: (config) =>
      openSimulator(
        config,
        simulatorCache((message) => log.warn(message)),
      ),
    openProposer: (config, signal) => openProposer(config, shellVariables(), signal, (message) => log.warn(message)),
    openEmbedder: (model) => openEmbedder(model, settings.python),
    openJournal: ({ campaignId, iteration, purpose, taskId }, trial, attempt) =>
      journals.open(RecordPaths.journal(campaignId, iteration, purpose, taskId, trial, attempt)),
    dropJournals: ({ campaignId, iteration, purpose, taskId }) =>
      store.removeJournal(RecordPaths.groupJournals(campaignId, iteration, purpose, taskId)),
    encodeBatch,
    applyRetention: async (campaignId) => {
      const { jobRoot } = settings;
      return (await applyRetention(campaignId, { store, record, policyRoot, jobRoot, now: Date.now() })).freedBytes;
    },
    trainer: {
      jobDirectory: (campaignId, iteration) => join(settings.jobRoot, campaignId, jobName(iteration)),
      dropJob: (campaignId, iteration) => removeFolder(join(settings.jobRoot, campaignId), jobName(iteration)),
      run: (options) => runTrainingJob({ ...options, python: settings.python }),
      usage: readTrainingUsage,
    },
    policies: {
      directory: (ref) => policies.directory(ref),
      optimizerState: (ref) => policies.optimizerState(ref),
      describe: (ref) => policies.describe(ref),
      import: (jobDirectory, { canary }, options) =>
        policies.import(join(jobDirectory, "model"), {
          ...options,
          optimizerState: join(jobDirectory, "optimizer.safetensors"),
          canary: canary && join(jobDirectory, "canary.json"),
          isFinal: true, // the trainer writes every file of an export anew under another name (trainer/tests)
        }),
    },
  };
}

const jobName = (iteration: number): string => String(iteration).padStart(4, "0");
