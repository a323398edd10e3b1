// Makes a seed policy from a recipe: demonstrations, tokenizer, supervised stages, measurement, model card. Every step leaves its files in
// the work folder and is not done again when they are there, so that an interrupted making goes on where it was.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { type SeedRecipe, SeedReport, type SeedStage } from "#contracts/seed-recipe.ts";
import { SftEvent, type SftJob, SftResult, type TokenizerJob } from "#contracts/sft.ts";
import { firstForm } from "#contracts/upcast/seed-recipe.ts";
import { hashJson } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import { formatDecimal, formatPercent } from "#core/format.ts";
import { pythonEnvironment } from "../../../infra/setup/python/our-python.mjs";
import { runTrainerCommand } from "../trainer-process/run-training-job.ts";
import { openSeedEnvironment } from "./environments/open.ts";
import type { SeedEnvironment } from "./environments/seed-environment.ts";
import { measurePassRates } from "./measure-pass-rate.ts";
import { modelCard } from "./model-card.ts";

/** Indices of demonstrations: stages count up from 0; tokenizer and validation have places of their own. */
const TOKENIZER_START = 100_000;
const VALIDATION_START = 200_000;
const VALIDATION_CONVERSATIONS = 200;
const FINGERPRINT_CONVERSATIONS = 100;
const STALL_TIMEOUT_SECONDS = 300;

export interface TrainSeedOptions {
  readonly recipe: SeedRecipe;
  readonly python: string;
  /** Of this recipe alone; reused by a second call. */
  readonly workDirectory: string;
  readonly outputDirectory: string;
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
}

interface StageResult {
  readonly modelDirectory: string;
  readonly report: SeedReport["stages"][number];
  readonly versions: Readonly<Record<string, string>>;
}

/** Identifies what a recipe makes with this code: its name for a work folder. Other code that makes other demonstrations gives another one. */
export async function recipeFingerprint(recipe: SeedRecipe, signal: AbortSignal): Promise<string> {
  return await withEnvironment(recipe, signal, async ({ demonstrate, specialTokens, atomicTokens }) => {
    const rows: unknown[] = [];
    for (let index = 0; index < FINGERPRINT_CONVERSATIONS; index++) rows.push((await demonstrate(VALIDATION_START + index, 0.5)).row);
    return hashJson({ recipe: firstForm(recipe), rows, tokens: [specialTokens, atomicTokens] }).slice(0, 12);
  });
}

async function withEnvironment<Result>(
  recipe: SeedRecipe,
  signal: AbortSignal,
  use: (environment: SeedEnvironment) => Promise<Result>,
): Promise<Result> {
  const environment = openSeedEnvironment(recipe, signal);
  try {
    return await use(environment);
  } finally {
    await environment.close();
  }
}

/** Runs the recipe and writes the model directory with its card and seed-report.json. Throws trainer.* and service.* errors. */
export async function trainSeed(options: TrainSeedOptions): Promise<SeedReport> {
  await mkdir(options.workDirectory, { recursive: true });
  return await withEnvironment(options.recipe, options.signal, (environment) => train({ ...options, environment }));
}

type Making = TrainSeedOptions & { readonly environment: SeedEnvironment };

async function train(options: Making): Promise<SeedReport> {
  const tokenizerDirectory = await makeTokenizer(options);
  const stages: StageResult[] = [];
  let firstConversation = 0;
  for (const stage of options.recipe.stages) {
    const earlier = stages.at(-1)?.modelDirectory ?? null;
    stages.push(await runStage(options, { stage, tokenizerDirectory, firstConversation, initialModelDirectory: earlier }));
    firstConversation += stage.conversations;
  }
  const last = stages.at(-1) as StageResult;
  const report = await describe(options, last, stages);
  await publish(options.outputDirectory, last.modelDirectory, report);
  return report;
}

async function makeTokenizer({ recipe, environment, python, workDirectory, signal, onProgress }: Making): Promise<string> {
  const outputDirectory = join(workDirectory, "tokenizer");
  if (existsSync(join(outputDirectory, "tokenizer.json"))) return outputDirectory;
  const dataPath = join(workDirectory, "tokenizer.jsonl");
  await writeDemonstrations(environment, dataPath, {
    start: TOKENIZER_START,
    count: recipe.tokenizer.conversations,
    slipRate: recipe.tokenizer.slipRate,
  });
  const job: TokenizerJob = {
    schemaVersion: 1,
    dataPath,
    vocabSize: recipe.tokenizer.vocabSize,
    outputDirectory,
    specialTokens: [...environment.specialTokens],
    atomicTokens: [...environment.atomicTokens],
  };
  const jobPath = join(workDirectory, "tokenizer.json");
  await writeFile(jobPath, JSON.stringify(job));
  const { stdout } = await execa(python, ["-m", "trainer", "tokenizer", jobPath], {
    env: pythonEnvironment(),
    extendEnv: false,
    cancelSignal: signal,
  }).catch((cause: unknown) => {
    throw new CampaignError("trainer.crashed", `the tokenizer was not made: ${String(cause)}`, { cause });
  });
  onProgress(stdout.trim());
  return outputDirectory;
}

interface StageInput {
  readonly stage: SeedStage;
  readonly tokenizerDirectory: string;
  readonly firstConversation: number;
  readonly initialModelDirectory: string | null;
}

async function runStage(options: Making, input: StageInput): Promise<StageResult> {
  const { environment, workDirectory, onProgress } = options;
  const { stage } = input;
  const jobDirectory = join(workDirectory, `stage-${stage.name}`);
  await mkdir(jobDirectory, { recursive: true });
  const validation = { start: VALIDATION_START, count: VALIDATION_CONVERSATIONS, slipRate: 0 };
  await writeDemonstrations(environment, join(jobDirectory, "validation.jsonl"), validation);
  const data = { start: input.firstConversation, count: stage.conversations, slipRate: stage.slipRate };
  const expertPassRate = await writeDemonstrations(environment, join(jobDirectory, "data.jsonl"), data);
  onProgress(`stage ${stage.name}: ${stage.conversations} conversations, the expert passes ${formatPercent(expertPassRate)}`);
  const result = await runTrainerCommand({
    command: "sft",
    python: options.python,
    jobDirectory,
    job: stageJob(options, input),
    stallTimeoutSeconds: STALL_TIMEOUT_SECONDS,
    signal: options.signal,
    eventSchema: SftEvent,
    resultSchema: SftResult,
    onEvent: stageProgress(stage, onProgress),
  });
  return {
    modelDirectory: join(jobDirectory, "model"),
    report: {
      name: stage.name,
      tokens: result.totalTokens,
      conversations: result.steps.reduce((sum, step) => sum + step.numRows, 0),
      optimizerSteps: result.totalSteps,
      expertPassRate,
      validationLosses: result.validations.map(({ loss }) => loss),
    },
    versions: result.versions,
  };
}

function stageJob({ recipe, threads }: TrainSeedOptions, { stage, tokenizerDirectory, initialModelDirectory }: StageInput): SftJob {
  return {
    schemaVersion: 1,
    jobId: `seed-policy-${stage.name}`,
    dataPath: "data.jsonl",
    validationPath: "validation.jsonl",
    tokenizerDirectory,
    modelConfig: recipe.model,
    initialModelDirectory,
    maxTokens: stage.tokens,
    rowsPerBatch: stage.rowsPerBatch,
    matrixLearningRate: stage.matrixLearningRate,
    learningRate: stage.learningRate,
    warmupSteps: stage.warmupSteps,
    decayShare: stage.decayShare,
    checkpointEverySteps: 300,
    seed: recipe.seed,
    threads,
  };
}

/** A line at every validation. */
function stageProgress(stage: SeedStage, onProgress: TrainSeedOptions["onProgress"]): (event: SftEvent) => void {
  let totalSteps = 0;
  return (event) => {
    if (event.type === "job-start") totalSteps = event.totalSteps;
    if (event.type !== "sft-validation") return;
    onProgress(
      `stage ${stage.name}: step ${event.validation.step} of ${totalSteps}, validation loss ${formatDecimal(event.validation.loss, 4)}`,
    );
  };
}

/** Writes rows of demonstrations; the share of conversations in which the expert passed. */
async function writeDemonstrations(
  { demonstrate }: SeedEnvironment,
  path: string,
  { start, count, slipRate }: { start: number; count: number; slipRate: number },
): Promise<number> {
  const lines: string[] = [];
  let numPassed = 0;
  for (let index = start; index < start + count; index++) {
    const { row, isPassed } = await demonstrate(index, slipRate);
    lines.push(JSON.stringify(row));
    numPassed += isPassed ? 1 : 0;
  }
  await writeFile(path, `${lines.join("\n")}\n`);
  return numPassed / count;
}

async function describe(options: Making, last: StageResult, stages: readonly StageResult[]): Promise<SeedReport> {
  const { recipe, environment, onProgress } = options;
  const { measure } = recipe;
  const { heldOut, training: trained } = environment.tasks;
  const [evaluation, training] = await measurePassRates(
    { ...options, modelDirectory: last.modelDirectory, temperature: measure.temperature, seed: recipe.seed },
    [
      { tasks: heldOut.slice(0, measure.evaluationTasks), trials: measure.trials },
      { tasks: trained.slice(0, measure.mixedTasks), trials: measure.groupSize },
    ],
  );
  onProgress(`held out: ${formatPercent(evaluation?.passRate)} pass`);
  onProgress(`training: ${formatPercent(training?.passRate)} pass, ${formatPercent(training?.mixedShare)} of groups mixed`);
  const config = JSON.parse(await readFile(join(last.modelDirectory, "config.json"), "utf8")) as { vocab_size: number };
  return SeedReport.parse({
    schemaVersion: 1,
    recipe,
    vocabSize: config.vocab_size,
    numParameters: await countParameters(last.modelDirectory),
    files: await fileHashes(last.modelDirectory),
    stages: stages.map(({ report }) => report),
    evaluation,
    training,
    versions: last.versions,
  });
}

/** From the header of model.safetensors: eight bytes of length, then JSON. */
async function countParameters(directory: string): Promise<number> {
  const bytes = await readFile(join(directory, "model.safetensors"));
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString("utf8")) as Record<
    string,
    { shape?: number[] }
  >;
  return Object.values(header).reduce(
    (sum, { shape }) => sum + (shape === undefined ? 0 : shape.reduce((product, size) => product * size, 1)),
    0,
  );
}

async function fileHashes(directory: string): Promise<SeedReport["files"]> {
  const names = (await readdir(directory)).sort();
  const entries = names.map(async (name) => {
    const bytes = await readFile(join(directory, name));
    return [name, { sha256: createHash("sha256").update(bytes).digest("hex"), numBytes: bytes.length }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Model files first, report and card after them; the recipe that lies there stays. */
async function publish(outputDirectory: string, modelDirectory: string, report: SeedReport): Promise<void> {
  await mkdir(outputDirectory, { recursive: true });
  for (const name of Object.keys(report.files)) {
    await cp(join(modelDirectory, name), join(outputDirectory, `.${name}.tmp`));
    await rm(join(outputDirectory, name), { force: true });
    await rename(join(outputDirectory, `.${name}.tmp`), join(outputDirectory, name));
  }
  await writeFile(join(outputDirectory, "seed-report.json"), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(outputDirectory, "README.md"), modelCard(report));
}
