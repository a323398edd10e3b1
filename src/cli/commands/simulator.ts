// turnwise simulator audit: how much of an outcome is the simulated user's doing, and what it did wrong.
import { type Command, Option } from "commander";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { checkEndpoint } from "#adapters/inference/check-endpoint.ts";
import { openSimulator } from "#adapters/simulator/open-simulator.ts";
import { SimulatorConfig } from "#contracts/campaign-config.ts";
import { TokenLimitField } from "#contracts/request-fields.ts";
import type { Task } from "#contracts/task.ts";
import { CampaignError } from "#core/errors.ts";
import { addCounts } from "#core/reading/counts.ts";
import { type AuditInput, auditSimulator } from "#simulators/audit/audit-simulator.ts";
import { describeOptions, toOption } from "../issues.ts";
import { numberOption, RESAMPLES, wholeNumberOption } from "../number-options.ts";
import { emit, type OutputOptions } from "../output.ts";
import { openNamedTaskSet } from "../rollout-files.ts";
import { addRolloutSourceOptions, type RolloutSourceOptions, readRolloutSource } from "../rollout-source.ts";
import { divideByGrading, guessTaskSet } from "../simulator/audited-rollouts.ts";
import { chooseTasks, type TaskChoice } from "../simulator/choose-tasks.ts";
import { createEndpointWatch } from "../simulator/endpoint-watch.ts";
import { renderAudit } from "../simulator/render-audit.ts";
import { createProgress } from "../simulator/show-progress.ts";
import type { ChosenSet } from "../task-set-fit.ts";

const STRATEGIES = ["llm", "react", "verify", "reflection"] as const;
const DEFAULT_TASK_SET = "synthetic-airline";
const DEFAULT_NUM_TASKS = 50;

interface AuditOptions extends RolloutSourceOptions, OutputOptions, TaskChoice {
  readonly simulator: string;
  /** Another name for --task-set. */
  readonly environment?: string;
  readonly baseUrl?: string;
  readonly model?: string;
  readonly temperature?: number;
  readonly apiKeyEnv?: string;
  readonly maxTokens?: number;
  readonly trials: number;
  readonly concurrency: number;
  readonly resamples: number;
  readonly confidence: number;
  readonly seed: string;
  readonly tokenLimitField?: TokenLimitField;
  /** False for --no-seed-field. */
  readonly seedField: boolean;
}

export function registerSimulator(program: Command): void {
  const family = program.command("simulator").description("the simulated user");
  addRolloutSourceOptions(family.command("audit"))
    .option(
      "--simulator <name>",
      `scripted, a strategy (${STRATEGIES.join(", ")}), or a campaign file (.yaml) whose simulator it is`,
      "scripted",
    )
    .option("--base-url <url>", "OpenAI-compatible endpoint of a strategy's model, with /v1")
    .option("--model <name>", "model of a strategy")
    .addOption(numberOption("--temperature <number>", "of a strategy's model; default: 1", { min: 0, max: 2 }))
    .addOption(wholeNumberOption("--max-tokens <count>", "of one answer of a strategy's model; default: 512", { min: 1, max: 1_000_000 }))
    .addOption(
      new Option(
        "--token-limit-field <name>",
        "what the endpoint calls that limit (default: max_tokens, and the other name where that is refused)",
      ).choices(TokenLimitField.unwrap().options),
    )
    .option("--no-seed-field", "send no seed to a strategy's model (default: one with every call, and none where that is refused)")
    .option("--api-key-env <name>", "environment variable with the endpoint's key")
    .option(
      "--tasks <count>",
      `how many tasks, spread over the set (default: ${DEFAULT_NUM_TASKS} for golden actions, all for rollouts); ids may stand here unless they are a plain number`,
    )
    .option("--task-ids <ids>", "these tasks: ids with commas between")
    .addOption(new Option("--environment <name>", "the same as --task-set").hideHelp())
    .addOption(wholeNumberOption("--trials <count>", "replays of each sequence of actions", { min: 2, max: 1000, default: 8 }))
    .addOption(wholeNumberOption("--concurrency <count>", "replays at once", { min: 1, max: 256, default: 8 }))
    .addOption(wholeNumberOption("--resamples <count>", "bootstrap resamples of tasks", { ...RESAMPLES, default: 2000 }))
    .addOption(numberOption("--confidence <share>", "of every interval", { min: 0.51, max: 0.9999, default: 0.95 }))
    .option("--seed <text>", "seed of everything", "0")
    .option("--json", "as JSON (SimulatorAudit)")
    .description(
      "replay the same agent actions several times and see how much the user alone changes the outcome; without files: golden actions",
    )
    .action(audit);
}

async function audit(files: string[], options: AuditOptions): Promise<void> {
  const config = await simulatorConfig(options);
  const opened = await openSource(files, { ...options, ...(options.environment === undefined ? {} : { taskSet: options.environment }) });
  if (config.type === "llm") await checkEndpoint(config);
  const watch = createEndpointWatch(openSimulator(config, null, (note) => watch.onNote(note))); // an answer from the cache would hide the very noise that is looked for
  const report = await auditSimulator({
    trials: options.trials,
    concurrency: options.concurrency,
    resamples: options.resamples,
    confidence: options.confidence,
    seed: options.seed,
    ...opened,
    simulator: watch.simulator,
    isDeterministic: config.type === "scripted",
    priceUsdPerMillionTokens: config.type === "llm" ? config.priceUsdPerMillionTokens : null,
    signal: watch.signal,
    onReplay: createProgress(),
    onTrouble: watch.onTrouble,
  }).finally(watch.close);
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  emit({ ...report, notes: [...watch.notes] }, options, renderAudit);
}

/** The simulator that the options name. Throws config.invalid, also for options of a strategy's model beside a simulator that is none. */
async function simulatorConfig(options: AuditOptions): Promise<SimulatorConfig> {
  const { simulator, seedField, ...rest } = options;
  const { baseUrl, model, temperature, maxTokens, tokenLimitField, apiKeyEnv } = rest;
  const given = { baseUrl, model, temperature, maxTokens, tokenLimitField, apiKeyEnv, ...(seedField ? {} : { hasSeed: false }) };
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  const isFile = /\.ya?ml$/.test(simulator);
  if (named.length > 0 && (isFile || simulator === "scripted"))
    throw invalid(
      `--simulator ${simulator} takes no ${named.map(([key]) => optionOf(key)).join(", ")}: ${isFile ? "the file says it" : "it asks no model"}`,
    );
  if (isFile) return (await loadCampaignFile(simulator)).simulator;
  if (simulator === "scripted") return { type: "scripted" };
  if (!STRATEGIES.some((strategy) => strategy === simulator))
    throw invalid(`unknown simulator ${simulator}: choose scripted, ${STRATEGIES.join(", ")}, or a campaign file`);
  if (baseUrl === undefined || model === undefined) throw invalid(`--simulator ${simulator} needs --base-url and --model`);
  const config = { type: "llm", strategy: simulator, ...Object.fromEntries(named) };
  const parsed = SimulatorConfig.safeParse(config);
  if (!parsed.success) throw invalid(describeOptions(parsed.error, config));
  return parsed.data;
}

const optionOf = (key: string): string => (key === "hasSeed" ? "--no-seed-field" : `--${toOption(key)}`);

/** What is replayed, and where. Throws config.invalid, and what reading throws. */
async function openSource(
  files: readonly string[],
  options: AuditOptions,
): Promise<Pick<AuditInput, "taskSet" | "environment" | "source">> {
  if (files.length === 0 && options.campaign === undefined) {
    const taskSet = options.taskSet ?? DEFAULT_TASK_SET;
    const chosen = await openNamedTaskSet({ ...options, taskSet });
    const tasks = chosenOf(chosen?.sets.flatMap((set) => set.tasks) ?? [], options, DEFAULT_NUM_TASKS);
    return { taskSet, environment: (chosen as ChosenSet).environment, source: { type: "golden-actions", tasks } };
  }
  const named =
    options.taskSet === undefined && options.campaign === undefined ? { ...options, taskSet: await guessTaskSet(files, options) } : options;
  const { rollouts, reading, environment } = await readRolloutSource(files, named);
  if (environment === null) throw invalid("the rollouts' environment is not known: name it with --task-set");
  const { graded, ungraded } = divideByGrading(rollouts);
  if (graded.length === 0) throw invalid(`no rollout can be replayed and graded: ${Object.keys(ungraded).join("; ")}`);
  const all = Array.from(new Map(graded.map(({ task }) => [task.id, task])).values());
  const chosen = new Set(chosenOf(all, options, null).map(({ id }) => id));
  return {
    taskSet: named.taskSet ?? `campaign ${options.campaign}`,
    environment,
    source: {
      type: "trajectories",
      reading: { ...reading, notes: addCounts(reading.notes, ungraded) },
      rollouts: graded.filter(({ task }) => chosen.has(task.id)),
    },
  };
}

function chosenOf(all: readonly Task[], choice: TaskChoice, defaultCount: number | null): readonly Task[] {
  const { tasks, notes } = chooseTasks(all, choice, defaultCount);
  for (const note of notes) console.error(note);
  return tasks;
}

const invalid = (message: string): CampaignError =>
  new CampaignError("config.invalid", message, { next: "turnwise simulator audit --help" });
