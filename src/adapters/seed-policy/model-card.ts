// The model card of a seed policy, from its report: what it is, how it was made, what it does and what that does not show.
import type { PassRateReport, SeedReport } from "#contracts/seed-recipe.ts";
import { formatCount, formatDecimal, formatPercent } from "#core/format.ts";

/** README.md of the model directory. */
export function modelCard(report: SeedReport): string {
  const { recipe, evaluation, training, files } = report;
  const { model } = recipe;
  const weights = files["model.safetensors"];
  return `# Embedded airline policy

A Qwen3-architecture language model of ${formatCount(report.numParameters)} parameters (${model.numLayers} layers, width ${model.hiddenSize}, ${model.numHeads} heads of ${model.headDim},
feed-forward ${model.intermediateSize}, vocabulary ${report.vocabSize}, tied embeddings, fp32), trained from scratch to be an airline's agent in the synthetic airline. It is the
policy that the quickstart campaign starts from: it knows the work and has bad habits, so that training has something to remove.

It reads and writes the prompt format compact/1: no system prompt, tool results as short views, ids as handles such as @r1 that the harness puts back
before a tool runs. It is of no use outside this format.

## How it was made

\`turnwise policy train-seed --recipe recipe.yaml\` makes these files again: same recipe, same bytes on the same machine and library versions.
Demonstrations are conversations of a scripted expert with the scripted user in the real environment, about users of the SFT split (airline seed
${recipe.airlineSeed}); none is shown twice. Training and held-out users never occur in them. With the slip rate's probability, per wish, the expert does one thing wrong:
it refuses what is allowed or allows what is not, takes the first reservation for the one that was meant, miscounts paid bags, guesses the payment method, takes the
other flight, forgets the other passengers.

| stage | slip rate | tokens | conversations | optimizer steps | expert's own pass rate | validation loss, nats per token |
|---|---|---|---|---|---|---|
${report.stages.map(stageRow(recipe)).join("\n")}

Validation is on conversations without slips, so its loss rises when slips are learnt.

## What it does

Sampled at temperature ${evaluation.temperature}, scripted users, at most 30 turns.

| users | tasks | trials | pass rate | by doing nothing | standard error | tasks with passes and failures | turns | tokens |
|---|---|---|---|---|---|---|---|---|
${measuredRow("held out", evaluation)}
${measuredRow("training", training)}

By kind of task, held-out users: ${evaluation.perKind.map(({ kind, numTasks, passRate }) => `${kind} ${formatPercent(passRate)} (${numTasks})`).join(", ")}.

How the rollouts ended: ${Object.entries(evaluation.stopReasons)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(", ")}.

## What this does not show

Expert, user and tasks come from one generator: unseen users and reservations, not unseen language. It cannot book, change passengers or compute prices, and passes
hardly any of tau-bench's own tasks beyond those that need no change.

| file | bytes | sha256 |
|---|---|---|
${Object.entries(files)
  .map(([name, { numBytes, sha256 }]) => `| ${name} | ${numBytes} | ${sha256} |`)
  .join("\n")}

Made with ${Object.entries(report.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ")}. Weights: ${formatCount(weights?.numBytes)} bytes. Licence: that of this repository; all data is generated.
`;
}

const stageRow =
  (recipe: SeedReport["recipe"]) =>
  (stage: SeedReport["stages"][number], index: number): string => {
    const losses = stage.validationLosses.map((loss) => formatDecimal(loss, 3));
    const shown = losses.length <= 6 ? losses : [...losses.slice(0, 3), "…", ...losses.slice(-2)];
    return `| ${stage.name} | ${recipe.stages[index]?.slipRate} | ${stage.tokens} | ${stage.conversations} | ${stage.optimizerSteps} | ${formatPercent(stage.expertPassRate)} | ${shown.join(", ")} |`;
  };

const measuredRow = (users: string, report: PassRateReport): string =>
  `| ${users} | ${report.numTasks} | ${report.trials} | ${formatPercent(report.passRate)} | ${formatPercent(report.doNothingFloor)} | ${formatPercent(report.standardError)} | ${formatPercent(report.mixedShare)} | ${formatDecimal(report.meanTurns, 1)} | ${formatDecimal(report.meanTokens, 0)} |`;
