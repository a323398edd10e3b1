// The campaign file. Strict objects: an unknown key is an error. Defaults are filled here and nowhere else, so the resolved
// config that is stored with a campaign is complete and can be run again as it is.
import { z } from "zod";
import { AdvantageConfig } from "./advantage-config.ts";
import { PolicyRequestFields, ProposerRequestFields, TokenLimitField, UserRequestFields } from "./request-fields.ts";
import { RetentionConfig } from "./retention.ts";
import { NamedTierScheme } from "./reward-table.ts";
import { ShapingConfig } from "./shaping-config.ts";

/** Beyond these a number is a typing error: the answer would not come in memory, or a timer of 2^31 milliseconds would fire at once. */
const MOST_RESAMPLES = 100_000;
const MOST_SECONDS = 86_400;
const MOST_TASKS = 100_000;
const MOST_TRIALS = 1000;
const MOST_TOKENS = 10_000_000;

const Probability = z.number().min(0).max(1);
const EndpointUrl = z.url({ protocol: /^https?$/ });
const EnvironmentVariableName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]*$/)
  .describe("name of an environment variable; the secret itself is never stored");

const SplitNames = z.enum(["train-selection-test", "train-evaluation"]);

/** Which splits an environment's tasks are divided into; no user is in two of them. A setting of the families that 0.1.0 had. */
export const SplitScheme = SplitNames.default("train-selection-test").describe(
  "train-evaluation: as in 0.1.0, all held-out tasks choose the policy and there is no test; campaigns of that time go on with it",
);
export type SplitScheme = z.infer<typeof SplitScheme>;

/**
 * The environment as far as every release reads it: its type, and settings that the plugin of that type knows. A campaign file's is parsed by
 * the plugin's own schema (src/environments/registry.ts), which fills its defaults in.
 */
export const EnvironmentConfig = z.looseObject({ type: z.string().min(1), splits: SplitNames.optional() });
export type EnvironmentConfig = z.infer<typeof EnvironmentConfig>;

/** `vllm serve` as a process of the rollout worker, on the address of baseUrl, which must be of this machine. */
export const VllmStart = z.strictObject({
  gpuMemoryUtilization: z.number().gt(0).max(1).default(0.6).describe("share of the card; the trainer needs the rest when it runs beside"),
  tensorParallelSize: z.int().positive().max(1024).default(1),
  dtype: z.enum(["auto", "bfloat16", "float16", "float32"]).default("bfloat16"),
  maxAdapters: z.int().positive().max(1024).default(4).describe("adapters that are held at once"),
  maxAdapterRank: z.union([8, 16, 32, 64, 128, 256, 320, 512].map((rank) => z.literal(rank))).default(16),
  toolCallParser: z
    .string()
    .regex(/^[a-z0-9_]+$/)
    .default("hermes"),
  isBatchInvariant: z
    .boolean()
    .default(false)
    .describe("the same tokens whatever else is in the batch, where the card supports it; slower"),
  readySeconds: z.number().positive().max(MOST_SECONDS).default(900),
});
export type VllmStart = z.infer<typeof VllmStart>;

export const PolicyConfig = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("embedded").describe("served by `python -m policy_server`, trained by this campaign"),
    checkpoint: z.string().describe("model directory, relative to the repository"),
    format: z
      .string()
      .min(1)
      .default("compact")
      .describe("native: the model's own chat template; others are the environment's, e.g. compact"),
    weights: z.enum(["full", "lora"]).default("full").describe("what is trained: all weights, or an adapter of training.adapter's shape"),
    temperature: z.number().positive().max(2).default(0.9),
    maxTokensPerTurn: z.int().positive().max(MOST_TOKENS).default(110),
    maxContextTokens: z.int().positive().max(MOST_TOKENS).default(1024),
  }),
  z.strictObject({
    type: z.literal("vllm").describe("an OpenAI-compatible server with vLLM's fields for token ids and log-probabilities"),
    baseUrl: EndpointUrl.describe("on this machine, or on a host that TURNWISE_POLICY_HOSTS names"),
    start: VllmStart.optional().describe("start it; absent: it runs already"),
    model: z.string().min(1).describe("base model, as a server that runs already names it"),
    checkpoint: z.string().describe("the same weights as a model directory for the trainer"),
    apiKeyEnv: EnvironmentVariableName.optional(),
    format: z.literal("native").default("native"),
    weights: z
      .enum(["full", "lora"])
      .default("lora")
      .describe("what is trained; full needs `start`: vLLM is started again with the new weights"),
    temperature: z.number().positive().max(2).default(1),
    maxTokensPerTurn: z.int().positive().max(MOST_TOKENS).default(1024),
    maxContextTokens: z.int().positive().max(MOST_TOKENS).default(32768),
    tokenLimitField: TokenLimitField,
    requestFields: PolicyRequestFields,
    sendsReasoning: z
      .boolean()
      .default(true)
      .describe("the reasoning of earlier turns goes back with them, for the template to show or to drop; false: the server never sees it"),
  }),
]);
export type PolicyConfig = z.infer<typeof PolicyConfig>;

export const SimulatorConfig = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("scripted") }),
  z.strictObject({
    type: z.literal("llm"),
    baseUrl: EndpointUrl,
    model: z.string().min(1),
    strategy: z
      .enum(["llm", "react", "verify", "reflection"])
      .default("llm")
      .describe(
        "tau-bench's ways of asking for the user's message: at once; after a thought; judged, up to 3 tries; judged and rewritten once",
      ),
    temperature: z.number().min(0).max(2).default(1).describe("at 0 answers are kept and given again for the same prompt"),
    apiKeyEnv: EnvironmentVariableName.optional(),
    maxTokens: z.int().positive().max(MOST_TOKENS).default(512),
    tokenLimitField: TokenLimitField,
    requestFields: UserRequestFields,
    hasSeed: z.boolean().default(true).describe("false for endpoints that refuse the field `seed`"),
    maxBadReplies: z
      .int()
      .positive()
      .max(1000)
      .default(3)
      .describe("empty, refused, in the agent's role, without the asked form: tries until the rollout is a sim_error and made again"),
    timeoutSeconds: z.number().positive().max(MOST_SECONDS).default(120).describe("of one call"),
    deadlineSeconds: z
      .number()
      .positive()
      .max(MOST_SECONDS)
      .default(300)
      .describe("of one reply with all calls and waits; then the rollout is a sim_error"),
    prematureStop: z
      .enum(["flag", "error", "ignore"])
      .default("flag")
      .describe(
        "a stop before the last golden write is asked for once more; after a second one: keep and count it, or sim_error. ignore: never judged",
      ),
    priceUsdPerMillionTokens: z
      .strictObject({ input: z.number().nonnegative(), output: z.number().nonnegative() })
      .default({ input: 0, output: 0 }),
  }),
]);
export type SimulatorConfig = z.infer<typeof SimulatorConfig>;

export const RolloutConfig = z.strictObject({
  tasksPerIteration: z.int().positive().max(MOST_TASKS),
  groupSize: z.int().min(2, "a group needs at least 2 trajectories").max(MOST_TRIALS).default(8),
  concurrentGroups: z.int().positive().max(64).default(8),
  maxTurns: z.int().positive().max(200).default(30),
});
export type RolloutConfig = z.infer<typeof RolloutConfig>;

export const GateThresholds = z.strictObject({
  withinTaskCorrelation: z.number().default(0.1).describe("eta"),
  discriminativeAccuracy: Probability.default(0.65),
  advantageCorrelation: z.number().default(0.75),
  minPairs: z.int().nonnegative().default(30),
  priorMargin: z
    .number()
    .default(0.05)
    .describe(
      "the lower end of the difference in discriminative accuracy to the author's table, and to the one in force, must exceed minus this",
    ),
});
export type GateThresholds = z.infer<typeof GateThresholds>;

/** The model that proposes reward tables for the rule `llm-proposed`. */
export const ProposerConfig = z.strictObject({
  baseUrl: EndpointUrl,
  model: z.string().min(1),
  apiKeyEnv: EnvironmentVariableName.optional(),
  temperature: z.number().min(0).max(2).default(0),
  maxTokens: z.int().positive().max(MOST_TOKENS).default(4096),
  tokenLimitField: TokenLimitField,
  requestFields: ProposerRequestFields,
  attempts: z.int().positive().max(10).default(3).describe("answers asked for until one can be used"),
  timeoutSeconds: z.number().positive().max(600).default(120).describe("per answer"),
  priceUsdPerMillionTokens: z
    .strictObject({ input: z.number().nonnegative(), output: z.number().nonnegative() })
    .default({ input: 0, output: 0 }),
});
export type ProposerConfig = z.infer<typeof ProposerConfig>;

export const CalibrationConfig = z
  .strictObject({
    rule: z
      .enum(["within-task", "within-task/1", "algorithm-1", "llm-proposed"])
      .default("within-task")
      .describe("within-task/1: as 0.1.0 fitted, every tier alone and in units of its correlation"),
    proposer: ProposerConfig.optional().describe("rule llm-proposed: the model that is asked"),
    mode: z.enum(["auto", "approve"]).default("auto").describe("approve: the campaign waits for `turnwise campaign approve`"),
    alpha: z.number().positive().default(1),
    delta: z.number().nonnegative().default(0.05),
    minSupport: z.int().nonnegative().default(20),
    holdout: z.number().gt(0).lt(1).default(0.2).describe("share of tasks that only judge"),
    folds: z
      .int()
      .min(1)
      .max(50)
      .default(1)
      .describe("1: one split into fitting and judging tasks; more: cross-fitting, every task is judged by a table made without it"),
    bootstrapResamples: z.int().min(100).max(MOST_RESAMPLES).default(2000),
    confidence: z.number().gt(0.5).lt(1).default(0.95).describe("of every interval, two-sided"),
    requireCertainty: z
      .boolean()
      .default(true)
      .describe(
        "within-task: a tier is revalued only when its interval, corrected for the number of tiers, excludes 0; false is the bare rule of delta and support",
      ),
    maxRounds: z
      .int()
      .positive()
      .max(1000)
      .default(5)
      .describe(
        "within-task: revalued tiers whose advantage does not follow on the fitting tasks become neutral, and the table is looked at again; 1 fits once",
      ),
    gate: GateThresholds.prefault({}),
  })
  .superRefine(({ rule, proposer, folds }, context) => {
    const isProposed = rule === "llm-proposed";
    const refuse = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (isProposed && proposer === undefined) refuse("proposer", "the rule llm-proposed needs a model: baseUrl and model");
    if (!isProposed && proposer !== undefined) refuse("proposer", `the rule ${rule} asks no model`);
    if (isProposed && folds > 1) refuse("folds", "the rule llm-proposed fits once: folds must be 1");
  });
export type CalibrationConfig = z.infer<typeof CalibrationConfig>;

/** The optimizer and loss settings; the same object goes into the trainer's job.json. */
export const TrainingHyperparameters = z
  .strictObject({
    learningRate: z.number().positive(),
    betas: z.tuple([z.number(), z.number()]).default([0.9, 0.999]),
    weightDecay: z.number().nonnegative().default(0),
    numMinibatches: z.int().positive().max(MOST_TASKS).default(10).describe("optimizer steps per epoch over the batch"),
    epochs: z.int().positive().max(10_000).default(1),
    warmupSteps: z.int().nonnegative().default(0),
    clipLow: z.number().positive().default(0.2),
    clipHigh: z.number().positive().default(0.2),
    dualClip: z.number().gt(1).default(3),
    klWeight: z.number().nonnegative().default(0.02).describe("weight of the k3 estimate to the reference policy"),
    gradientClip: z.number().positive().default(1),
    maxGradientNorm: z.number().positive().default(1000).describe("guard: the job stops with trainer.diverged above it"),
    aggregation: z.enum(["token-mean", "seq-mean-token-sum", "seq-mean-token-mean"]).default("token-mean"),
    checkpointEverySteps: z.int().positive().default(5),
    layout: z
      .enum(["auto", "loop", "padded", "packed", "tree"])
      .default("auto")
      .describe("how rows are laid out for the model; changes speed and memory, no gradient. auto: loop on a CPU, packed on a GPU"),
    importanceTruncation: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe(
        "truncated importance sampling: the cap of trainer over sampler probability, for samplers whose kernels differ; null takes the sampler's log-probabilities as they are",
      ),
    microBatchTokens: z
      .int()
      .positive()
      .max(MOST_TOKENS)
      .default(16384)
      .describe("tokens that the model computes at a time, for all layouts but loop"),
    gradientCheckpointing: z
      .boolean()
      .optional()
      .describe("gpu and fsdp: activations are computed again in the backward pass, for less memory. Absent: they are"),
  })
  .meta({ id: "TrainingHyperparameters" });
export type TrainingHyperparameters = z.infer<typeof TrainingHyperparameters>;

/** A LoRA adapter (arXiv:2106.09685): each target layer's output gets alpha / rank times B A x added, and only A and B are trained. */
export const AdapterConfig = z
  .strictObject({
    rank: z.int().positive().max(512).default(16),
    alpha: z.number().positive().default(32),
    targetModules: z
      .array(z.string().min(1))
      .min(1)
      .default(["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])
      .describe("last parts of the names of the linear layers that get one"),
  })
  .meta({ id: "AdapterConfig" });
export type AdapterConfig = z.infer<typeof AdapterConfig>;

export const TrainingConfig = z
  .strictObject({
    backend: z
      .enum(["cpu", "gpu", "fsdp", "process"])
      .default("cpu")
      .describe(
        "cpu: one process, float32; gpu: one process on one GPU, bfloat16; fsdp: the model spread over numProcesses GPUs; process: the program of `command`",
      ),
    command: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        "backend process: a training engine of one's own, program and arguments; started without a shell in the repository's folder, the job's folder as last argument",
      ),
    threads: z.int().positive().max(256).default(2).describe("of each process"),
    numProcesses: z
      .int()
      .positive()
      .max(4096)
      .default(1)
      .describe("fsdp: ranks, each on a GPU of its own; without any GPU they share the CPU"),
    stallTimeoutSeconds: z
      .number()
      .positive()
      .max(MOST_SECONDS)
      .default(300)
      .describe(
        "the trainer is killed and started again after so long without an event and without work, or four times as long without an event",
      ),
    adapter: AdapterConfig.prefault({}).describe("its shape, where policy.weights is lora"),
    hyperparameters: TrainingHyperparameters,
  })
  .superRefine(({ backend, command }, context) => {
    if ((backend === "process") === (command !== undefined)) return;
    const message = "the backend process has a command (the program that trains, and its arguments), and no other backend has";
    context.addIssue({ code: "custom", path: ["command"], message });
  });
export type TrainingConfig = z.infer<typeof TrainingConfig>;

/** How policies are measured, in selection and in the test alike. */
export const EvaluationConfig = z.strictObject({
  seed: z
    .int()
    .nonnegative()
    .default(1)
    .describe(
      "of the tasks and users that policies are measured on; apart from the campaign's seed, so that campaigns of several seeds meet the same ones",
    ),
  confidence: z.number().gt(0.5).lt(1).default(0.95).describe("of every interval, two-sided"),
  userHelp: z
    .enum(["count", "judge"])
    .default("count")
    .describe("count: the user is the benchmark's own, its early stops are counted; judge: it is asked once more, as 0.1.0 did"),
});
export type EvaluationConfig = z.infer<typeof EvaluationConfig>;

/** What decides promotion and the stop rule. Its figures are never the result: what chose the policy does not measure it. */
export const SelectionConfig = z.strictObject({
  tasks: z.int().positive().max(MOST_TASKS).describe("of the selection split, the same in every iteration"),
  trials: z.int().positive().max(MOST_TRIALS).default(2),
  promote: z
    .enum(["better", "not-worse", "always", "better/1", "not-worse/1"])
    .default("not-worse")
    .describe(
      "by the interval of the paired difference to the best policy so far. better: all of it is above 0; not-worse: all of it is above minus `margin`. As 0.1.0 decided, against the policy promoted last: better/1, by a bootstrap over tasks; not-worse/1, by the difference without its interval",
    ),
  margin: z
    .number()
    .nonnegative()
    .default(0.1)
    .describe("share of tasks; about one and a half times half the interval (docs/statistics.md)"),
  bootstrapResamples: z.int().min(100).max(MOST_RESAMPLES).optional().describe("better/1: how often tasks are drawn"),
});
export type SelectionConfig = z.infer<typeof SelectionConfig>;

/** What is reported: base and final policy on tasks that nothing was decided by, once, when the campaign ends. */
export const TestConfig = z.strictObject({
  tasks: z.int().positive().max(MOST_TASKS).describe("of the test split"),
  trials: z.int().positive().max(MOST_TRIALS).default(4),
});
export type TestConfig = z.infer<typeof TestConfig>;

/** What pauses a campaign with a reason code, beside exhausted retries and the budget. null switches a guard off. */
export const GuardConfig = z.strictObject({
  consecutiveRejects: z.int().positive().nullable().default(2).describe("gate verdicts `reject` in a row"),
  truncationGrowth: z.number().gt(1).nullable().default(2).describe("factor from one iteration to the next, once above 5 %"),
  gradientNorm: z.number().positive().nullable().default(10).describe("highest norm of an optimizer step's gradient, before clipping"),
  userErrorRate: Probability.nullable().default(0.2).describe("share of attempts at a rollout that the simulated user spoiled"),
  passRateCollapse: z
    .number()
    .gt(0)
    .lt(1)
    .nullable()
    .default(0.5)
    .describe("the training pass rate fell below this share of the best one so far, once that was at least 10 %"),
  minFreeGb: z.number().nonnegative().nullable().default(2).describe("free space of the record's disk, GB, before a stage begins"),
});
export type GuardConfig = z.infer<typeof GuardConfig>;

/** Held inside a stage too: when a meter reaches its limit no new group begins, and the campaign pauses with guard.budget. */
export const BudgetConfig = z.strictObject({
  maxModelCalls: z.int().positive().optional().describe("calls of the policy, the simulated user and the proposer together"),
  maxUsd: z.number().positive().optional().describe("of all parties, GPU time included"),
  maxHours: z.number().positive().optional().describe("of running time; pauses do not count"),
});
export type BudgetConfig = z.infer<typeof BudgetConfig>;

export const PricingConfig = z.strictObject({
  gpuHourUsd: z.number().nonnegative().default(0).describe("of one GPU; serving and training on GPUs are metered with it"),
});
export type PricingConfig = z.infer<typeof PricingConfig>;

export const StopRule = z.strictObject({
  maxIterations: z.int().positive().max(10_000),
  targetPassRate: Probability.optional().describe("stop when the promoted policy's selection pass rate reaches it"),
});
export type StopRule = z.infer<typeof StopRule>;

/** The schema of campaign configs whose environment is one of these. */
export const campaignConfigWith = (environment: z.ZodType<EnvironmentConfig>) =>
  z
    .strictObject({
      schemaVersion: z.literal(2),
      name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and hyphens, at most 63"),
      description: z.string().default(""),
      seed: z.int().nonnegative(),
      environment,
      policy: PolicyConfig,
      simulator: SimulatorConfig.default({ type: "scripted" }),
      rollout: RolloutConfig,
      reward: z.strictObject({
        tiers: NamedTierScheme.default("finer/1").describe("a scheme of the environment's labeller, or splits of one of one's own"),
        table: z
          .string()
          .optional()
          .describe(
            "prior reward table: a file of configs/rewards, without the folder and .yaml. Absent: the one that the scheme begins with",
          ),
        shaping: ShapingConfig.optional().describe("of outcomes, where rollouts write programs. Absent: outcomes are as they were graded"),
      }),
      calibration: CalibrationConfig.prefault({}),
      advantage: AdvantageConfig,
      training: TrainingConfig,
      evaluation: EvaluationConfig.prefault({}),
      selection: SelectionConfig.nullable().describe(
        "null: nothing is selected, every trained policy follows the one before and the last is final",
      ),
      test: TestConfig.nullable().describe("null: the campaign reports no result, its selection figures stay what they are"),
      guards: GuardConfig.prefault({}),
      budget: BudgetConfig.default({}),
      retention: RetentionConfig.prefault({}).describe("which large files stay"),
      pricing: PricingConfig.prefault({}),
      stop: StopRule,
    })
    .superRefine(({ policy, training, selection, stop }, context) => {
      if (selection !== null && (selection.promote === "better/1") !== (selection.bootstrapResamples !== undefined)) {
        const message = "the rule better/1 has resamples, and no other rule has";
        context.addIssue({ code: "custom", path: ["selection", "bootstrapResamples"], message });
      }
      if (selection === null && stop.targetPassRate !== undefined) {
        const message = "nothing is selected (selection: null), so there is no pass rate to stop at";
        context.addIssue({ code: "custom", path: ["stop", "targetPassRate"], message });
      }
      const highest = policy.type === "vllm" && policy.weights === "lora" ? policy.start?.maxAdapterRank : undefined;
      if (highest === undefined || training.adapter.rank <= highest) return;
      const message = `adapters of rank ${training.adapter.rank} do not fit policy.start.maxAdapterRank ${highest}`;
      context.addIssue({ code: "custom", path: ["training", "adapter", "rank"], message });
    });

/** A campaign config as it is stored. */
export const CampaignConfig = campaignConfigWith(EnvironmentConfig);
export type CampaignConfig = z.infer<typeof CampaignConfig>;
