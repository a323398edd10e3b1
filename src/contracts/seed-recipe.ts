// How a seed policy is made from nothing: data as rates and budgets, so that the same recipe gives the same bytes on the same machine.
import { z } from "zod";
import { CodeTaskOptions } from "./code-task.ts";
import { SftModelConfig } from "./sft.ts";

const Seed = z.int().nonnegative();
/** What is demonstrated, and where the policy is measured. */
const SeedEnvironment = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("synthetic-airline"),
    seed: Seed.default(1).describe("the synthetic airline whose SFT users are demonstrated"),
  }),
  z.strictObject({
    type: z.literal("code-reasoning"),
    seed: Seed.default(1).describe("of the questions that are demonstrated and measured; demonstrated are those of the training split"),
    families: CodeTaskOptions.shape.families,
    difficulties: CodeTaskOptions.shape.difficulties,
  }),
]);

export const SeedStage = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  slipRate: z.number().min(0).max(1).describe("probability, per wish or question, that the demonstrating expert does one thing wrong"),
  tokens: z.int().positive().max(1e12).describe("budget, context included"),
  conversations: z
    .int()
    .positive()
    .max(10_000_000)
    .describe("demonstrations at hand: more than the budget needs, so that none is shown twice"),
  rowsPerBatch: z.int().positive().max(100_000).default(4),
  matrixLearningRate: z.number().positive().default(0.02),
  learningRate: z.number().positive().default(0.003),
  warmupSteps: z.int().nonnegative().default(40),
  decayShare: z.number().min(0).max(1).default(0.3),
});
export type SeedStage = z.infer<typeof SeedStage>;

export const SeedRecipe = z
  .strictObject({
    schemaVersion: z.literal(2),
    environment: SeedEnvironment,
    seed: Seed.default(1).describe("of initial weights and the order of rows"),
    tokenizer: z
      .strictObject({
        vocabSize: z.int().min(512).max(1_000_000).default(1024),
        conversations: z.int().positive().max(10_000_000).default(4000),
        slipRate: z.number().min(0).max(1).default(0.35),
      })
      .prefault({}),
    model: SftModelConfig,
    stages: z.array(SeedStage).min(1),
    measure: z
      .strictObject({
        temperature: z.number().positive().default(0.9),
        evaluationTasks: z.int().positive().max(100_000).default(400),
        trials: z.int().positive().max(1000).default(2),
        mixedTasks: z.int().positive().max(100_000).default(120).describe("training tasks whose groups are counted as mixed or not"),
        groupSize: z.int().min(2).max(1000).default(8),
      })
      .prefault({}),
  })
  .meta({ id: "SeedRecipe" });
export type SeedRecipe = z.infer<typeof SeedRecipe>;

/** Pass rate of a policy on tasks, as the rollout code of campaigns measures it. */
export const PassRateReport = z.strictObject({
  numTasks: z.int().positive(),
  trials: z.int().positive(),
  temperature: z.number(),
  passRate: z.number(),
  doNothingFloor: z.number().nullable().default(null).describe("share of these tasks that an agent passes by doing nothing"),
  standardError: z.number().describe("over tasks"),
  mixedShare: z.number().describe("share of tasks with passes and failures among their trials"),
  perKind: z.array(z.strictObject({ kind: z.string(), numTasks: z.int(), passRate: z.number() })),
  stopReasons: z.record(z.string(), z.int()),
  meanTurns: z.number(),
  meanTokens: z.number().describe("tokens of a rollout, context included"),
});
export type PassRateReport = z.infer<typeof PassRateReport>;

/** `seed-report.json` beside a seed policy: what was made and what it does. */
export const SeedReport = z
  .strictObject({
    schemaVersion: z.literal(1),
    recipe: SeedRecipe,
    numParameters: z.int().positive(),
    vocabSize: z.int().positive(),
    files: z.record(z.string(), z.strictObject({ sha256: z.string(), numBytes: z.int() })),
    stages: z.array(
      z.strictObject({
        name: z.string(),
        tokens: z.int(),
        conversations: z.int(),
        optimizerSteps: z.int(),
        expertPassRate: z.number(),
        validationLosses: z.array(z.number()),
      }),
    ),
    evaluation: PassRateReport,
    training: PassRateReport,
    versions: z.record(z.string(), z.string()),
  })
  .meta({ id: "SeedReport" });
export type SeedReport = z.infer<typeof SeedReport>;
