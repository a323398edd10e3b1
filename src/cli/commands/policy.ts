// turnwise policy …: makes and describes seed policies.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { parseContractJson } from "#adapters/record/parse-contract.ts";
import { loadRecipe } from "#adapters/seed-policy/load-recipe.ts";
import { recipeFingerprint, trainSeed } from "#adapters/seed-policy/train-seed.ts";
import { REPOSITORY, readSettings } from "#adapters/settings.ts";
import { type PassRateReport, type SeedRecipe, SeedReport } from "#contracts/seed-recipe.ts";
import { CampaignError } from "#core/errors.ts";
import { numberOption, wholeNumberOption } from "../number-options.ts";
import { emit, formatPercent, printLine, renderPairs, renderTable } from "../output.ts";

const EMBEDDED = join(REPOSITORY, "configs", "models", "embedded-airline");
/** What one core of a laptop trains at; turns --minutes into a budget of tokens without measuring, so that the result stays the same. */
const NOMINAL_TOKENS_PER_MINUTE = 300_000;

interface TrainSeedFlags {
  readonly recipe: string;
  readonly out: string;
  readonly minutes?: number;
  readonly threads: number;
  readonly json?: boolean;
}

export function registerPolicy(program: Command): void {
  const family = program.command("policy").description("make and describe the policy that campaigns start from");
  family
    .command("train-seed")
    .description("train the embedded policy from scratch: demonstrations, tokenizer, supervised stages, measured pass rate, model card")
    .option("--recipe <file>", "seed, stages and budgets", join(EMBEDDED, "recipe.yaml"))
    .option("--out <folder>", "where the model directory is written", EMBEDDED)
    .addOption(
      numberOption("--minutes <n>", `scale the recipe's budget to n minutes at ${NOMINAL_TOKENS_PER_MINUTE} tokens a minute`, {
        min: 0.01,
        max: 10_080,
      }),
    )
    .addOption(wholeNumberOption("--threads <n>", "threads of the trainer", { min: 1, max: 256, default: 1 }))
    .option("--json")
    .action(trainSeedCommand);
  family
    .command("show")
    .argument("[folder]", "model directory with a seed-report.json", EMBEDDED)
    .option("--json")
    .description("what a seed policy is, how it was made and what it passes")
    .action(show);
}

async function trainSeedCommand(flags: TrainSeedFlags): Promise<void> {
  const settings = readSettings();
  const recipe = scaled(await loadRecipe(resolve(flags.recipe)), flags.minutes);
  const startedAt = performance.now();
  const say = (message: string): void => {
    if (flags.json !== true) printLine(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${message}`);
  };
  const abort = new AbortController();
  const stop = (): void =>
    abort.abort(new CampaignError("trainer.crashed", "interrupted", { next: "start it again: it goes on where it was" }));
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const report = await trainSeed({
    recipe,
    python: settings.python,
    workDirectory: join(settings.jobRoot, `train-seed-${recipeFingerprint(recipe)}`),
    outputDirectory: resolve(flags.out),
    threads: flags.threads,
    signal: abort.signal,
    onProgress: say,
  });
  emit(report, flags, render);
}

/** The recipe with its token budgets scaled in proportion; unchanged without a number of minutes. */
function scaled(recipe: SeedRecipe, minutes: number | undefined): SeedRecipe {
  if (minutes === undefined) return recipe;
  const factor = (minutes * NOMINAL_TOKENS_PER_MINUTE) / recipe.stages.reduce((sum, { tokens }) => sum + tokens, 0);
  const scale = (count: number): number => Math.ceil(count * factor);
  return {
    ...recipe,
    stages: recipe.stages.map((stage) => ({ ...stage, tokens: scale(stage.tokens), conversations: scale(stage.conversations) })),
  };
}

async function show(folder: string, flags: { readonly json?: boolean }): Promise<void> {
  const path = join(resolve(folder), "seed-report.json");
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new CampaignError("config.file-missing", `there is no ${path}`, {
      cause,
      next: "make a policy with `turnwise policy train-seed`",
    });
  });
  emit(parseContractJson(SeedReport, Buffer.from(text), path), flags, render);
}

function render(report: SeedReport): string {
  const weights = report.files["model.safetensors"];
  const facts = renderPairs([
    ["parameters", report.numParameters.toLocaleString("en")],
    ["vocabulary", String(report.vocabSize)],
    ["weights", `${weights?.numBytes.toLocaleString("en")} bytes, sha256 ${weights?.sha256}`],
    ["stages", report.stages.map(({ name, tokens }) => `${name} ${tokens.toLocaleString("en")} tokens`).join(", ")],
    ["temperature", String(report.evaluation.temperature)],
  ]);
  const rows = [
    { users: "held out", ...report.evaluation },
    { users: "training", ...report.training },
  ];
  const table = renderTable<(typeof rows)[number]>(
    [
      { header: "users", value: ({ users }) => users },
      { header: "tasks", align: "right", value: ({ numTasks }) => String(numTasks) },
      { header: "trials", align: "right", value: ({ trials }) => String(trials) },
      { header: "pass", align: "right", value: ({ passRate }) => formatPercent(passRate) },
      { header: "by doing nothing", align: "right", value: (row) => formatPercent(row.doNothingFloor) },
      { header: "mixed groups", align: "right", value: ({ mixedShare }) => formatPercent(mixedShare) },
    ],
    rows,
  );
  return [facts, "", table, "", kinds(report.evaluation)].join("\n");
}

const kinds = ({ perKind }: PassRateReport): string =>
  renderTable<PassRateReport["perKind"][number]>(
    [
      { header: "kind (held out)", value: ({ kind }) => kind },
      { header: "tasks", align: "right", value: ({ numTasks }) => String(numTasks) },
      { header: "pass", align: "right", value: ({ passRate }) => formatPercent(passRate) },
    ],
    perKind,
  );
