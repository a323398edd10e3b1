// The campaign file as release 0.1.0 knew it. Frozen: it reads the configs that 0.1.0 stored, and nothing else.
import { z } from "zod";
import { CallTierScheme } from "../reward-table.ts";

const Probability = z.number().min(0).max(1);
const EndpointUrl = z.url({ protocol: /^https?$/ });
const EnvironmentVariableName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]*$/)
  .describe("name of an environment variable; the secret itself is never stored");

const EnvironmentConfig = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("synthetic-airline"),
    seed: z.int().nonnegative().default(1).describe("seed of users, flights, reservations and tasks"),
  }),
  z.strictObject({
    type: z.literal("tau-bench-airline"),
    evaluationTasks: z.int().positive().default(20).describe("tasks held out from training, split so that no user is on both sides"),
  }),
  z
    .strictObject({ type: z.literal("tau-bench-retail") })
    .describe("the 115 test tasks held out; to train on: the training tasks whose user is in no test task"),
  z
    .strictObject({ type: z.literal("tau2-airline") })
    .describe("the benchmark's test split held out; to train on: the tasks of its train split whose user is in no test task"),
  z.strictObject({
    type: z.literal("task-file"),
    path: z.string().min(1).describe("tasks made by `turnwise synthesize`, relative to the repository"),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe("of the file; filled in when the campaign starts, so that it goes on with the same tasks or not at all"),
  }),
]);

/** `vllm serve` as a process of the rollout worker, on the address of baseUrl, which must be of this machine. */
const VllmStart = z.strictObject({
  gpuMemoryUtilization: z.number().gt(0).max(1).default(0.6).describe("share of the card; the trainer needs the rest when it runs beside"),
  tensorParallelSize: z.int().positive().default(1),
  dtype: z.enum(["auto", "bfloat16", "float16", "float32"]).default("bfloat16"),
  maxAdapters: z.int().positive().default(4).describe("adapters that are held at once"),
  maxAdapterRank: z.union([8, 16, 32, 64, 128, 256, 320, 512].map((rank) => z.literal(rank))).default(16),
  toolCallParser: z
    .string()
    .regex(/^[a-z0-9_]+$/)
    .default("hermes"),
  isBatchInvariant: z
    .boolean()
    .default(false)
    .describe("the same tokens whatever else is in the batch, where the card supports it; slower"),
  readySeconds: z.number().positive().default(900),
});

const PolicyConfig = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("embedded").describe("served by `python -m trainer serve`, trained by this campaign"),
    checkpoint: z.string().describe("model directory, relative to the repository"),
    format: z.enum(["compact", "native"]).default("compact"),
    weights: z.enum(["full", "lora"]).default("full").describe("what is trained: all weights, or an adapter of training.adapter's shape"),
    temperature: z.number().positive().max(2).default(0.9),
    maxTokensPerTurn: z.int().positive().default(110),
    maxContextTokens: z.int().positive().default(1024),
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
    maxTokensPerTurn: z.int().positive().default(1024),
    maxContextTokens: z.int().positive().default(32768),
  }),
]);

const SimulatorConfig = z.discriminatedUnion("type", [
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
    maxTokens: z.int().positive().default(512),
    hasSeed: z.boolean().default(true).describe("false for endpoints that refuse the field `seed`"),
    maxBadReplies: z
      .int()
      .positive()
      .default(3)
      .describe("empty, refused, in the agent's role, without the asked form: tries until the rollout is a sim_error and made again"),
    timeoutSeconds: z.number().positive().default(120).describe("of one call"),
    deadlineSeconds: z.number().positive().default(300).describe("of one reply with all calls and waits; then the rollout is a sim_error"),
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

const RolloutConfig = z.strictObject({
  tasksPerIteration: z.int().positive(),
  groupSize: z.int().min(2, "a group needs at least 2 trajectories").default(8),
  concurrentGroups: z.int().positive().max(64).default(8),
  maxTurns: z.int().positive().max(200).default(30),
});

const GateThresholds = z.strictObject({
  withinTaskCorrelation: z.number().default(0.1).describe("eta"),
  discriminativeAccuracy: Probability.default(0.65),
  advantageCorrelation: z.number().default(0.75),
  minPairs: z.int().nonnegative().default(30),
  priorMargin: z
    .number()
    .default(0.05)
    .describe("the lower end of the difference in discriminative accuracy to the prior must exceed minus this"),
});

/** The model that proposes reward tables for the rule `llm-proposed`. */
const ProposerConfig = z.strictObject({
  baseUrl: EndpointUrl,
  model: z.string().min(1),
  apiKeyEnv: EnvironmentVariableName.optional(),
  temperature: z.number().min(0).max(2).default(0),
  maxTokens: z.int().positive().default(4096),
  attempts: z.int().positive().max(10).default(3).describe("answers asked for until one can be used"),
  timeoutSeconds: z.number().positive().max(600).default(120).describe("per answer"),
  priceUsdPerMillionTokens: z
    .strictObject({ input: z.number().nonnegative(), output: z.number().nonnegative() })
    .default({ input: 0, output: 0 }),
});

const CalibrationConfig = z
  .strictObject({
    rule: z.enum(["within-task", "algorithm-1", "llm-proposed"]).default("within-task"),
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
    bootstrapResamples: z.int().min(100).default(2000),
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

const Normalization = {
  ddof: z.union([z.literal(0), z.literal(1)]).default(1),
  epsilon: z.number().positive().default(1e-6),
  minSetSize: z.int().min(1).default(2),
  degenerateGroups: z.enum(["keep", "drop", "outcome_only"]).default("outcome_only").describe("groups whose outcomes are all equal"),
  truncated: z.enum(["zero", "mask", "drop"]).default("zero"),
  singletons: z.enum(["zero", "raw"]).default("zero").describe("what a set of one value gives; raw is verl's behaviour"),
  missingTurns: z.enum(["leave-out", "zero"]).default("leave-out").describe("turns that a shorter trajectory never reached"),
};

/** methods.md 13.2 to 13.4. Every switch of 13.2 that an estimator reads is here. */
const AdvantageConfig = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("grpo/1"), normalizeByStd: z.boolean().default(true), ...Normalization }),
  z.strictObject({
    type: z.literal("mt-grpo/1"),
    alpha: z.number().positive().max(1).default(1),
    lambda: z.number().nonnegative().default(1),
    lastTurnRewarded: z.boolean().default(true),
    ...Normalization,
  }),
  z.strictObject({
    type: z.literal("gtpo/1"),
    gamma: z.number().min(0).max(1).default(0.9),
    terminal: z.enum(["virtual", "last"]).default("virtual"),
    scope: z.enum(["turn", "group", "batch"]).default("turn"),
    ...Normalization,
  }),
  z.strictObject({
    type: z.literal("gtpo-hybrid/1"),
    gamma: z.number().min(0).max(1).default(0.9),
    lambda: z.number().nonnegative().default(0.3),
    terminal: z.enum(["virtual", "last"]).default("virtual"),
    scope: z.enum(["turn", "group", "batch"]).default("turn"),
    ...Normalization,
  }),
  z.strictObject({
    type: z.literal("gdpo/1").describe("turn rewards and outcome normalised apart, then whitened over the batch (arXiv:2601.05242)"),
    processWeight: z.number().nonnegative().default(1),
    outcomeWeight: z.number().nonnegative().default(1),
    whiten: z.boolean().default(true),
    ...Normalization,
    epsilon: z.number().positive().default(1e-4),
  }),
  z.strictObject({
    type: z
      .literal("proxmo/1")
      .describe("returns against those of similar states of the group (arXiv:2602.19225); needs the conversations"),
    gamma: z.number().min(0).max(1).default(0.95),
    terminal: z.enum(["virtual", "last"]).default("last"),
    temperature: z.number().positive().default(0.1),
    polarAlpha: z.number().positive().default(4),
    polarBeta: z.number().nonnegative().default(0.1),
    omega: z.number().nonnegative().default(1),
    ...Normalization,
  }),
  z.strictObject({
    type: z.literal("a3/1").describe("outcome, action clusters and a tree of turn prefixes (after arXiv:2605.08013); needs the actions"),
    intentWeight: z.number().nonnegative().default(0.65),
    treeWeight: z.number().nonnegative().default(1),
    supportPrior: z.number().positive().default(0.1),
    treeGamma: z.number().min(0).max(1).default(0.9),
    minScale: z.number().positive().default(0.5),
    bound: z.number().positive().default(1.1),
    ...Normalization,
  }),
]);

/** The optimizer and loss settings; the same object goes into the trainer's job.json. */
const TrainingHyperparameters = z.strictObject({
  learningRate: z.number().positive(),
  betas: z.tuple([z.number(), z.number()]).default([0.9, 0.999]),
  weightDecay: z.number().nonnegative().default(0),
  numMinibatches: z.int().positive().default(10).describe("optimizer steps per epoch over the batch"),
  epochs: z.int().positive().default(1),
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
  microBatchTokens: z.int().positive().default(16384).describe("tokens that the model computes at a time, for all layouts but loop"),
  gradientCheckpointing: z
    .boolean()
    .optional()
    .describe("gpu and fsdp: activations are computed again in the backward pass, for less memory. Absent: they are"),
});

/** A LoRA adapter (arXiv:2106.09685): each target layer's output gets alpha / rank times B A x added, and only A and B are trained. */
const AdapterConfig = z.strictObject({
  rank: z.int().positive().max(512).default(16),
  alpha: z.number().positive().default(32),
  targetModules: z
    .array(z.string().min(1))
    .min(1)
    .default(["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])
    .describe("last parts of the names of the linear layers that get one"),
});

const TrainingConfig = z.strictObject({
  backend: z
    .enum(["cpu", "gpu", "fsdp"])
    .default("cpu")
    .describe("cpu: one process, float32; gpu: one process on one GPU, bfloat16; fsdp: the model spread over numProcesses GPUs"),
  threads: z.int().positive().max(256).default(2).describe("of each process"),
  numProcesses: z.int().positive().default(1).describe("fsdp: ranks, each on a GPU of its own; without any GPU they share the CPU"),
  stallTimeoutSeconds: z
    .number()
    .positive()
    .default(300)
    .describe(
      "the trainer is killed and started again after so long without an event and without work, or four times as long without an event",
    ),
  adapter: AdapterConfig.prefault({}).describe("its shape, where policy.weights is lora"),
  hyperparameters: TrainingHyperparameters,
});

const EvaluationConfig = z.strictObject({
  tasks: z.int().positive().describe("held-out tasks, the same in every iteration"),
  trials: z.int().positive().default(2),
  bootstrapResamples: z.int().min(100).default(10000),
  confidence: z.number().gt(0.5).lt(1).default(0.95),
  promote: z
    .enum(["better", "not-worse", "always"])
    .default("not-worse")
    .describe(
      "better: the whole interval of the paired difference to the promoted policy is above 0; not-worse: the difference is not below minus `margin`",
    ),
  margin: z.number().nonnegative().default(0.02),
});

/** What pauses a campaign with a reason code, beside exhausted retries and the budget. null switches a guard off. */
const GuardConfig = z.strictObject({
  consecutiveRejects: z.int().positive().nullable().default(2).describe("gate verdicts `reject` in a row"),
  truncationGrowth: z.number().gt(1).nullable().default(2).describe("factor from one iteration to the next, once above 5 %"),
});

const BudgetConfig = z.strictObject({
  maxModelCalls: z.int().positive().optional(),
  maxUsd: z.number().positive().optional(),
  maxHours: z.number().positive().optional(),
});

const StopRule = z.strictObject({
  maxIterations: z.int().positive(),
  targetPassRate: Probability.optional().describe("stop when the promoted policy's evaluation pass rate reaches it"),
});

export const CampaignConfig1 = z.strictObject({
  schemaVersion: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lower-case letters, digits and hyphens, at most 63"),
  description: z.string().default(""),
  seed: z.int().nonnegative(),
  environment: EnvironmentConfig,
  policy: PolicyConfig,
  simulator: SimulatorConfig.default({ type: "scripted" }),
  rollout: RolloutConfig,
  reward: z.strictObject({
    tiers: CallTierScheme.default("finer/1"),
    table: z.string().describe("prior reward table: a file of configs/rewards, without the folder and .yaml"),
  }),
  calibration: CalibrationConfig.prefault({}),
  advantage: AdvantageConfig,
  training: TrainingConfig,
  evaluation: EvaluationConfig,
  guards: GuardConfig.prefault({}),
  budget: BudgetConfig.default({}),
  stop: StopRule,
});
