// Three more jobs of the Python trainer: `python -m trainer tokenizer JOB.json`, `init JOB.json` and `sft JOB-DIRECTORY`.
// The data of tokenizer and sft is JSONL, one conversation per line: {"segments": [{"text": "…", "trained": false}, …]}. Every segment is tokenized
// on its own, as in a prompt; the loss is taken on the tokens of trained segments only.
import { z } from "zod";
import { Sha256 } from "./artifact-ref.ts";
import { FileHash, TrainingEvent } from "./training.ts";

export const SftRow = z
  .strictObject({ segments: z.array(z.strictObject({ text: z.string(), trained: z.boolean() })).min(1) })
  .meta({ id: "SftRow" });
export type SftRow = z.infer<typeof SftRow>;

/**
 * Trains a byte-level BPE and writes tokenizer.json and tokenizer_config.json. Words own their trailing space, digits are single,
 * nothing merges across a listed token or a segment. Paths are absolute or relative to the job file.
 */
export const TokenizerJob = z
  .strictObject({
    schemaVersion: z.literal(1),
    dataPath: z.string(),
    vocabSize: z.int().min(256).describe("upper limit, listed tokens and the 256 bytes included"),
    specialTokens: z.array(z.string().min(1)).describe("control tokens, ids 0, 1, … in this order; the first ends a text and pads"),
    atomicTokens: z.array(z.string().min(1)).default([]).describe("ordinary text that is always one token of its own: handles, tool names"),
    outputDirectory: z.string(),
  })
  .meta({ id: "TokenizerJob" });
export type TokenizerJob = z.infer<typeof TokenizerJob>;

/** A Qwen3 model from scratch; tied embeddings, vocabulary of the tokenizer. */
export const SftModelConfig = z.strictObject({
  hiddenSize: z.int().positive(),
  numLayers: z.int().positive(),
  numHeads: z.int().positive(),
  numKeyValueHeads: z.int().positive(),
  headDim: z.int().positive().multipleOf(2),
  intermediateSize: z.int().positive(),
  ropeTheta: z.number().positive(),
  maxPositions: z.int().positive(),
});
export type SftModelConfig = z.infer<typeof SftModelConfig>;

/**
 * Writes a model directory with random weights, the same for the same job, and a tokenizer in which every byte is a token: it can say any text. The path is
 * absolute or relative to the job file; what lies there is replaced.
 */
export const InitialModelJob = z
  .strictObject({ schemaVersion: z.literal(1), modelConfig: SftModelConfig, seed: z.int().nonnegative(), outputDirectory: z.string() })
  .meta({ id: "InitialModelJob" });
export type InitialModelJob = z.infer<typeof InitialModelJob>;

/** What `init` prints. */
export const InitialModel = z.strictObject({ numParameters: z.int().positive(), policyHash: Sha256 });
export type InitialModel = z.infer<typeof InitialModel>;

/** `job.json` of a supervised job. Paths are absolute or relative to the job directory; same files and exit codes as a TrainingJob. */
export const SftJob = z
  .strictObject({
    schemaVersion: z.literal(1),
    jobId: z.string().min(1),
    dataPath: z.string(),
    validationPath: z.string().nullable().describe("rows whose loss is measured at every checkpoint, never trained on"),
    tokenizerDirectory: z.string(),
    modelConfig: SftModelConfig,
    initialModelDirectory: z.string().nullable().describe("weights to go on from; their config must equal modelConfig"),
    maxTokens: z
      .int()
      .positive()
      .describe("budget: tokens of all trained rows, context included; rows repeat in a new order when it exceeds the data"),
    rowsPerBatch: z.int().positive(),
    matrixLearningRate: z.number().positive().describe("Muon, hidden matrices"),
    learningRate: z.number().positive().describe("AdamW, embeddings and norms"),
    warmupSteps: z.int().nonnegative(),
    decayShare: z.number().min(0).max(1).describe("last share of the steps, in which the learning rate falls linearly to 0"),
    checkpointEverySteps: z.int().positive(),
    seed: z.int().nonnegative(),
    threads: z.int().positive(),
  })
  .meta({ id: "SftJob" });
export type SftJob = z.infer<typeof SftJob>;

export const SftStepMetrics = z
  .strictObject({
    loss: z.number().describe("nats per trained token"),
    gradientNorm: z.number(),
    numTokens: z.int().positive().describe("tokens of the rows"),
    numTrainedTokens: z.int().nonnegative(),
    numRows: z.int().positive(),
    learningRate: z.number().describe("of AdamW"),
  })
  .meta({ id: "SftStepMetrics" });
export type SftStepMetrics = z.infer<typeof SftStepMetrics>;

export const SftValidation = z.strictObject({
  step: z.int().positive(),
  loss: z.number().describe("nats per trained token"),
  numTokens: z.int().nonnegative(),
});
export type SftValidation = z.infer<typeof SftValidation>;

/** `result.json` of a supervised job. No wall times: same job, same bytes. */
export const SftResult = z
  .strictObject({
    schemaVersion: z.literal(1),
    jobId: z.string(),
    totalSteps: z.int().nonnegative(),
    totalTokens: z.int().nonnegative(),
    modelFiles: z.record(z.string(), FileHash).describe("files of model/"),
    steps: z.array(SftStepMetrics),
    validations: z.array(SftValidation),
    versions: z.record(z.string(), z.string()).describe("python, torch, transformers, trainer"),
  })
  .meta({ id: "SftResult" });
export type SftResult = z.infer<typeof SftResult>;

/** Lines of a supervised job's events.jsonl: those of a training job (but training-step) and two of its own. */
export const SftEvent = z
  .discriminatedUnion("type", [
    ...TrainingEvent.options,
    z.strictObject({
      type: z.literal("sft-step"),
      seq: z.int().nonnegative(),
      step: z.int().positive(),
      metrics: SftStepMetrics,
      seconds: z.number(),
    }),
    z.strictObject({ type: z.literal("sft-validation"), seq: z.int().nonnegative(), validation: SftValidation }),
  ])
  .meta({ id: "SftEvent" });
export type SftEvent = z.infer<typeof SftEvent>;
