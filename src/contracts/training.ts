// The process contract between Node and a training engine, ours (`python -m trainer`) or another: job.json in, events.jsonl while it runs, result.json last (by rename).
import { z } from "zod";
import { Sha256 } from "./artifact-ref.ts";
import { AdapterConfig, TrainingHyperparameters } from "./campaign-config.ts";

/**
 * Exit codes of an engine. invalidJob is also that of a full disk (trainer.disk-full): starting it again is useless until
 * somebody has done something. Any other code means: start it again, it goes on from its last good checkpoint.
 */
export const TRAINER_EXIT = { done: 0, invalidJob: 2, diverged: 3, terminated: 143 } as const;

/** An adapter to train on top of `modelDirectory`, whose weights then stay as they are. */
export const AdapterJob = AdapterConfig.extend({
  directory: z.string().nullable().describe("adapter to go on from, of the same shape and base; null for a fresh one"),
  hash: Sha256.nullable().describe("policy hash of that directory"),
}).meta({ id: "AdapterJob" });
export type AdapterJob = z.infer<typeof AdapterJob>;

/**
 * `job.json` in a job directory. Paths are absolute or relative to the job directory. The trainer writes only inside it:
 * events.jsonl, checkpoints/, model/ (the exported policy), optimizer.safetensors, usage.json and result.json.
 */
export const TrainingJob = z
  .strictObject({
    schemaVersion: z.literal(1),
    jobId: z.string().min(1),
    backend: z.enum(["cpu", "gpu", "fsdp", "process"]).describe("process: an engine of one's own, which takes what it likes of the job"),
    threads: z.int().positive().describe("of each process"),
    numProcesses: z
      .int()
      .positive()
      .max(1024)
      .optional()
      .describe(
        "fsdp: ranks, one per GPU where there are any. Absent: 1. No part of a job's identity: a checkpoint is gone on from at any number",
      ),
    modelDirectory: z.string(),
    modelHash: Sha256,
    adapter: AdapterJob.optional().describe("absent: all weights of modelDirectory are trained"),
    referenceDirectory: z.string().nullable().describe("frozen policy of the KL term; null when klWeight is 0"),
    optimizerState: z.string().nullable().describe("safetensors of moments to go on from"),
    batchPath: z.string(),
    batchSha256: Sha256,
    temperature: z.number().positive().describe("logits are divided by it in the ratio, as in sampling"),
    hyperparameters: TrainingHyperparameters,
    seed: z.int().nonnegative(),
  })
  .meta({ id: "TrainingJob" });
export type TrainingJob = z.infer<typeof TrainingJob>;

/** Metrics of one optimizer step; means are over the step's action tokens. */
export const TrainingStepMetrics = z
  .strictObject({
    loss: z.number(),
    policyLoss: z.number(),
    kl: z.number().describe("mean k3 estimate to the reference, nats per token"),
    entropy: z.number().describe("nats per token"),
    ratioMean: z.number(),
    ratioMax: z.number(),
    clipFraction: z.number(),
    truncatedFraction: z.number().default(0).describe("share of tokens whose importance weight was cut at importanceTruncation"),
    advantageByTurn: z
      .array(z.strictObject({ turn: z.int().nonnegative(), mean: z.number() }))
      .default([])
      .describe("mean advantage of the step's action tokens, by turn index"),
    gradientNorm: z.number(),
    numTokens: z.int().nonnegative().describe("action tokens of the step"),
    numRows: z.int().nonnegative(),
    learningRate: z.number(),
  })
  .meta({ id: "TrainingStepMetrics" });
export type TrainingStepMetrics = z.infer<typeof TrainingStepMetrics>;

/** Lines of events.jsonl. A resumed job cuts the file back to its last good checkpoint and then writes another job-start. */
export const TrainingEvent = z
  .discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("job-start"),
      seq: z.int().nonnegative(),
      jobId: z.string(),
      totalSteps: z.int(),
      resumedFromStep: z.int().nonnegative(),
      device: z.string(),
    }),
    z.strictObject({
      type: z.literal("training-step"),
      seq: z.int().nonnegative(),
      step: z.int().positive(),
      metrics: TrainingStepMetrics,
      seconds: z.number(),
    }),
    z.strictObject({ type: z.literal("checkpoint-saved"), seq: z.int().nonnegative(), step: z.int().nonnegative(), directory: z.string() }),
    z.strictObject({ type: z.literal("job-warning"), seq: z.int().nonnegative(), code: z.string(), message: z.string() }),
    z.strictObject({ type: z.literal("job-error"), seq: z.int().nonnegative(), code: z.string(), message: z.string() }),
    z.strictObject({ type: z.literal("job-end"), seq: z.int().nonnegative(), step: z.int().nonnegative() }),
  ])
  .meta({ id: "TrainingEvent" });
export type TrainingEvent = z.infer<typeof TrainingEvent>;

export const FileHash = z.strictObject({ sha256: Sha256, numBytes: z.int().nonnegative() });

/** `result.json`: the exported model directory and optimizer state, by hash, and the metrics of every step. No wall times: same job, same bytes. */
export const TrainingResult = z
  .strictObject({
    schemaVersion: z.literal(1),
    jobId: z.string(),
    totalSteps: z.int().nonnegative(),
    modelFiles: z.record(z.string(), FileHash).describe("files of model/"),
    optimizerState: FileHash.describe("optimizer.safetensors"),
    canary: FileHash.optional().describe("canary.json (PolicyCanary); absent in results of earlier versions"),
    steps: z.array(TrainingStepMetrics),
    versions: z.record(z.string(), z.string()).describe("python, torch, transformers, trainer"),
  })
  .meta({ id: "TrainingResult" });
export type TrainingResult = z.infer<typeof TrainingResult>;

/**
 * `usage.json`: for how long a job has computed, over all its attempts. Beside the result, whose bytes say nothing of time. An attempt that
 * was killed counts up to its last checkpoint. Jobs of 0.1.0 have none.
 */
export const TrainingUsage = z
  .strictObject({
    schemaVersion: z.literal(1),
    computeSeconds: z.number().nonnegative().describe("wall seconds of the job, loading and saving included"),
    numDevices: z.int().nonnegative().describe("GPUs that it held meanwhile; 0 on a CPU"),
  })
  .meta({ id: "TrainingUsage" });
export type TrainingUsage = z.infer<typeof TrainingUsage>;

/**
 * Header of the batch file (safetensors `__metadata__.header`, canonical JSON text). Tensors, flat over all rows in canonical
 * order (task, trial, branch): token_ids i32[N], loss_mask u8[N], sampling_logprobs f32[N], advantages f32[N], turn_ids i32[N]
 * (-1 outside agent turns), row_offsets i64[R+1]. Zero outside the loss mask. sha256 of the file = batch id.
 */
export const BatchHeader = z
  .strictObject({
    schemaVersion: z.literal(1),
    rows: z.array(z.strictObject({ taskId: z.string(), trial: z.int(), branch: z.int() })),
    policyHash: z.string(),
    rewardTableSha256: Sha256,
    tokenizerSha256: Sha256.optional().describe("of the tokenizer.json that the token ids are of: the model that is trained must have it"),
    estimator: z.string(),
    numTokens: z.int(),
    numActionTokens: z.int(),
    numRows: z.int(),
    seed: z.int(),
  })
  .meta({ id: "BatchHeader" });
export type BatchHeader = z.infer<typeof BatchHeader>;
