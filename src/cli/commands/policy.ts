// turnwise policy …: makes and describes seed policies.
import type { Command } from "commander";
import { createInitialPolicy, type InitialPolicy, type InitialPolicyRequest } from "#application/policies/initial-policy.ts";
import {
  EMBEDDED_POLICY,
  EMBEDDED_RECIPE,
  NOMINAL_TOKENS_PER_MINUTE,
  readSeedReport,
  type SeedRequest,
  trainSeedPolicy,
} from "#application/policies/seed-policy.ts";
import type { PassRateReport, SeedReport } from "#contracts/seed-recipe.ts";
import { CampaignError } from "#core/errors.ts";
import { formatCount, formatDecimal, formatPercent } from "#core/format.ts";
import { numberOption, SEED, wholeNumberOption } from "../number-options.ts";
import { emit, type OutputOptions, printLine, renderPairs, renderTable } from "../output.ts";

export function registerPolicy(program: Command): void {
  const family = program.command("policy");
  family
    .command("train-seed")
    .description("train an embedded policy from scratch: demonstrations, tokenizer, supervised stages, measured pass rate, model card")
    .option("--recipe <file>", "seed, stages and budgets", EMBEDDED_RECIPE)
    .option("--out <folder>", "where the model directory is written (default: the recipe's folder)")
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
    .command("init")
    .argument("<folder>", "where the model directory is written")
    .description("write a policy of random weights that can say any text: a random start for environments of one's own")
    .addOption(wholeNumberOption("--seed <n>", "of the weights", { ...SEED, default: 1 }))
    .addOption(wholeNumberOption("--layers <n>", "of the model", { min: 1, max: 64, default: 4 }))
    .addOption(
      wholeNumberOption("--heads <n>", "of 16 numbers each; together they are as wide as the model", { min: 1, max: 256, default: 8 }),
    )
    .addOption(wholeNumberOption("--context <n>", "bytes of prompt and answer together", { min: 256, max: 4096, default: 2048 }))
    .option("--json")
    .action(init);
  family
    .command("show")
    .argument("[folder]", "model directory with a seed-report.json", EMBEDDED_POLICY)
    .option("--json")
    .description("what a seed policy is, how it was made and what it passes")
    .action(show);
}

async function trainSeedCommand(flags: SeedRequest & OutputOptions): Promise<void> {
  const startedAt = performance.now();
  const say = (message: string): void => {
    if (flags.json !== true) printLine(`${formatDecimal((performance.now() - startedAt) / 1000, 0).padStart(5)} s  ${message}`);
  };
  const abort = new AbortController();
  const stop = (): void =>
    abort.abort(new CampaignError("trainer.crashed", "interrupted", { next: "start it again: it goes on where it was" }));
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const report = await trainSeedPolicy(flags, { signal: abort.signal, onProgress: say });
  emit(report, flags, render);
}

async function init(folder: string, flags: Omit<InitialPolicyRequest, "folder"> & OutputOptions): Promise<void> {
  emit(await createInitialPolicy({ ...flags, folder }), flags, renderInitial);
}

const renderInitial = ({ folder, numParameters, policyHash, context }: InitialPolicy): string =>
  [
    `${formatCount(numParameters)} parameters in ${folder}, policy hash ${policyHash.slice(0, 12)}`,
    `next: policy: { type: embedded, checkpoint: ${folder}, format: native, maxContextTokens: ${context} } in a campaign file`,
  ].join("\n");

async function show(folder: string, flags: { readonly json?: boolean }): Promise<void> {
  emit(await readSeedReport(folder), flags, render);
}

function render(report: SeedReport): string {
  const weights = report.files["model.safetensors"];
  const facts = renderPairs([
    ["parameters", formatCount(report.numParameters)],
    ["vocabulary", String(report.vocabSize)],
    ["weights", `${formatCount(weights?.numBytes)} bytes, sha256 ${weights?.sha256}`],
    ["stages", report.stages.map(({ name, tokens }) => `${name} ${formatCount(tokens)} tokens`).join(", ")],
    ["temperature", String(report.evaluation.temperature)],
  ]);
  const rows = [
    { split: "held out", ...report.evaluation },
    { split: "training", ...report.training },
  ];
  const table = renderTable<(typeof rows)[number]>(
    [
      { header: "tasks of", value: ({ split }) => split },
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
