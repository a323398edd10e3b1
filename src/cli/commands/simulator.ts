// turnwise simulator audit: how much of an outcome is the simulated user's doing, and what it did wrong.
import { type Command, Option } from "commander";
import type { RolloutSourceRequest } from "#application/rollouts/rollout-source.ts";
import { audit, DEFAULT_NUM_TASKS, simulatorOfFile } from "#application/simulator/audit-simulator.ts";
import type { TaskChoice } from "#application/simulator/choose-tasks.ts";
import { SimulatorConfig } from "#contracts/campaign-config.ts";
import { TokenLimitField } from "#contracts/request-fields.ts";
import { CampaignError } from "#core/errors.ts";
import { plainText } from "#core/text.ts";
import { describeOptions, toOption } from "../issues.ts";
import { numberOption, RESAMPLES, wholeNumberOption } from "../number-options.ts";
import { emit, type OutputOptions } from "../output.ts";
import { addRolloutSourceOptions } from "../rollout-source-options.ts";
import { renderAudit } from "../simulator/render-audit.ts";
import { createProgress } from "../simulator/show-progress.ts";
import { errorStyle } from "../style.ts";

const STRATEGIES = ["llm", "react", "verify", "reflection"] as const;

interface AuditOptions extends RolloutSourceRequest, OutputOptions, TaskChoice {
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
  const family = program.command("simulator");
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
    .action(run);
}

async function run(files: string[], options: AuditOptions): Promise<void> {
  const config = await simulatorConfig(options);
  const taskSet = options.environment ?? options.taskSet;
  const report = await audit(
    config,
    { ...options, files, taskSet },
    { onReplay: createProgress(), onChoice: (note) => console.error(note), onEndpoint: sayOverProgress },
  );
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  emit(report, options, renderAudit);
}

function sayOverProgress(line: string): void {
  console.error(`${process.stderr.isTTY ? "\r\u001b[K" : ""}${errorStyle.dim(plainText(line))}`);
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
  if (isFile) return simulatorOfFile(simulator);
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

const invalid = (message: string): CampaignError =>
  new CampaignError("config.invalid", message, { next: "turnwise simulator audit --help" });
