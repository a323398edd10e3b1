// The model card of a seed policy, from its report: what it is, how it was made, what it does and what that does not show.
import type { PassRateReport, SeedReport } from "#contracts/seed-recipe.ts";
import { formatCount, formatDecimal, formatPercent } from "#core/format.ts";
import { cardWords } from "./card-words.ts";

/** README.md of the model directory. */
export function modelCard(report: SeedReport): string {
  const { recipe, evaluation, training, files } = report;
  const { model } = recipe;
  const words = cardWords(recipe.environment);
  const weights = files["model.safetensors"];
  return `# ${words.title}

A Qwen3-architecture language model of ${formatCount(report.numParameters)} parameters (${model.numLayers} layers, width ${model.hiddenSize}, ${model.numHeads} heads of ${model.headDim},
feed-forward ${model.intermediateSize}, vocabulary ${report.vocabSize}, tied embeddings, fp32), trained from scratch to ${words.purpose}. It is the
policy that ${words.campaign} starts from: it knows the work and has bad habits, so that training has something to remove.

${words.format}

## How it was made

\`turnwise policy train-seed --recipe recipe.yaml\` makes these files again: same recipe, same bytes on the same machine and library versions.
${words.demonstrations}

| stage | slip rate | tokens | conversations | optimizer steps | expert's own pass rate | validation loss, nats per token |
|---|---|---|---|---|---|---|
${report.stages.map(stageRow(recipe)).join("\n")}

Validation is on conversations without slips, so its loss rises when slips are learnt.

## What it does

Sampled at temperature ${evaluation.temperature}, ${words.rollouts}.

| ${words.subjects} | tasks | trials | pass rate | by doing nothing | standard error | tasks with passes and failures | turns | tokens |
|---|---|---|---|---|---|---|---|---|
${measuredRow("held out", evaluation)}
${measuredRow("training", training)}

By kind of task, held-out ${words.subjects}: ${evaluation.perKind.map(({ kind, numTasks, passRate }) => `${kind} ${formatPercent(passRate)} (${numTasks})`).join(", ")}.

How the rollouts ended: ${Object.entries(evaluation.stopReasons)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(", ")}.

## What this does not show

${words.limits}

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

const measuredRow = (subjects: string, report: PassRateReport): string =>
  `| ${subjects} | ${report.numTasks} | ${report.trials} | ${formatPercent(report.passRate)} | ${formatPercent(report.doNothingFloor)} | ${formatPercent(report.standardError)} | ${formatPercent(report.mixedShare)} | ${formatDecimal(report.meanTurns, 1)} | ${formatDecimal(report.meanTokens, 0)} |`;
