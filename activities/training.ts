// From labelled rollouts to a batch file, and from the batch file to a new policy by way of the Python trainer.
import type { BuildBatchInput, BuildBatchResult, TrainInput, TrainResult } from "#contracts/activities.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { Meters } from "#contracts/meters.ts";
import { PolicyRef } from "#contracts/policy.ts";
import { RewardTable } from "#contracts/reward-table.ts";
import type { TrainingJob, TrainingResult, TrainingUsage } from "#contracts/training.ts";
import { computeAdvantages } from "#core/advantage/compute-advantages.ts";
import { describeEstimator } from "#core/advantage/describe-estimator.ts";
import { NO_METERS, NOTHING_METERED } from "#core/campaign/meters.ts";
import { toAdvantageGroup } from "#core/reward/advantage-groups.ts";
import { deriveSeed, seedToInt } from "#core/rng.ts";
import { buildBatch } from "#core/training/build-batch.ts";
import { trainingSeed } from "#core/training/training-seed.ts";
import { turnCredit } from "#core/training/turn-credit.ts";
import { labelGroup, outputOf } from "./calibration.ts";
import { openCampaign } from "./campaign.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { readGroups } from "./groups.ts";
import { withHeartbeat } from "./heartbeat.ts";
import { describeShaping, shapeGroups } from "./shaping.ts";
import { runStage } from "./stage.ts";

export function createTrainingActivities(deps: ActivityDependencies) {
  return {
    /** Turn rewards under the table, advantages by the estimator, tokens with their share: one immutable file. Same input, same bytes. */
    async buildBatch(input: BuildBatchInput): Promise<BuildBatchResult> {
      return withHeartbeat(async (signal) => {
        const campaign = await openCampaign(deps, input.campaignId);
        const { config } = campaign;
        const groups = await readGroups(deps, campaign, input, "train");
        const table = await deps.record.readJson(RewardTable, input.table);
        const shaped = await shapeGroups(deps, campaign, groups, signal);
        const labelled = groups.map((group) => shaped(labelGroup(group, table.scheme, campaign)));
        const rewarded = labelled.map((members) => toAdvantageGroup(members[0]?.taskId ?? "", members, table));
        const { advantages } = computeAdvantages(rewarded, config.advantage);
        const credit = labelled.flatMap((members, group) =>
          members.flatMap((rollout, member) =>
            turnCredit(rollout, rewarded[group]?.members[member]?.turnRewards_T ?? [], advantages[group]?.[member] ?? []),
          ),
        );
        const batch = buildBatch({
          groups: groups.map(({ trajectories }, index) => ({ trajectories, advantages: advantages[index] ?? [] })),
          policyHash: input.policy.hash,
          rewardTableSha256: table.sha256,
          tokenizerSha256: (await deps.policies.describe(input.policy)).fileHashes["tokenizer.json"],
          estimator: describeEstimator(config.advantage) + describeShaping(config),
          seed: seedToInt(deriveSeed(config.seed, "batch", input.iteration)),
        });
        const turnAdvantages = advantages.flat(2);
        return {
          batch: await deps.store.putBlob(deps.encodeBatch(batch), "TrainingBatch/1"),
          credit: await deps.record.putTurnCredit(credit),
          numRows: batch.header.numRows,
          numActionTokens: batch.header.numActionTokens,
          numLiveRows: advantages.flat().filter((turns) => turns.some((advantage) => advantage !== 0)).length,
          deadTurnShare: turnAdvantages.filter((advantage) => Math.abs(advantage) <= 1e-9).length / Math.max(1, turnAdvantages.length),
        };
      });
    },

    async train(input: TrainInput): Promise<TrainResult> {
      const manifest = await withHeartbeat((signal, report) =>
        runStage(deps, "training", input, () => runTraining(deps, input, signal, report)),
      );
      const { config } = await deps.record.requireCampaign(input.campaignId);
      if (config.retention.jobFolders === "drop") await deps.trainer.dropJob(input.campaignId, input.iteration);
      return {
        policy: await deps.record.readJson(PolicyRef, outputOf(manifest.outputs, "policy")),
        gradientNorm: manifest.metrics["training/gradient_norm_max"] ?? 0,
        meters: manifest.meters,
      };
    },
  };
}

async function runTraining(deps: ActivityDependencies, input: TrainInput, signal: AbortSignal, report: (details: unknown) => void) {
  const { campaignId, iteration, policy, batch } = input;
  const { config } = await deps.record.requireCampaign(campaignId);
  const jobDirectory = deps.trainer.jobDirectory(campaignId, iteration);
  const job = await createJob(deps, config, input);
  let totalSteps = 0;
  const result = await deps.trainer.run({
    jobDirectory,
    job,
    engine: config.training.command,
    stallTimeoutSeconds: config.training.stallTimeoutSeconds,
    signal,
    onEvent: (event) => {
      if (event.type === "job-start") totalSteps = event.totalSteps;
      if (event.type === "training-step") report({ step: event.step, totalSteps });
    },
  });
  const base = config.policy.weights === "lora" ? await wholeWeights(deps.policies, policy) : undefined;
  const trained = await deps.policies.import(jobDirectory, result, { label: config.name, parentHash: policy.hash, base });
  return {
    inputs: { policy: policy.hash, reference: input.reference.hash, batch: batch.sha256 },
    outputs: {
      policy: await deps.record.putJson(PolicyRef, trained, "PolicyRef/1"),
      batch,
      credit: input.credit,
      result: await deps.store.putBlob(new TextEncoder().encode(JSON.stringify(result)), "TrainingResult/1"),
    },
    metrics: trainingMetrics(result),
    meters: trainerMeters(config, await deps.trainer.usage(jobDirectory)),
    decision: null,
  };
}

/** GPUs times seconds, at their price; nothing on a CPU. */
function trainerMeters({ pricing }: CampaignConfig, usage: TrainingUsage | null): Meters {
  const gpuSeconds = usage === null ? 0 : usage.numDevices * usage.computeSeconds;
  return { ...NO_METERS, trainer: { ...NOTHING_METERED, gpuSeconds, usd: (gpuSeconds / 3600) * pricing.gpuHourUsd } };
}

async function createJob(
  deps: ActivityDependencies,
  config: CampaignConfig,
  { campaignId, iteration, policy, reference, batch }: TrainInput,
): Promise<TrainingJob> {
  const { backend, threads, numProcesses, hyperparameters } = config.training;
  return {
    schemaVersion: 1,
    jobId: `${campaignId}-${iteration}`,
    backend,
    threads,
    ...(backend === "fsdp" ? { numProcesses } : {}),
    ...(await startOf(deps, config, policy)),
    referenceDirectory: hyperparameters.klWeight > 0 ? await deps.policies.directory(reference) : null,
    optimizerState: await deps.policies.optimizerState(policy),
    batchPath: await deps.store.localPath(batch),
    batchSha256: batch.sha256,
    temperature: config.policy.temperature,
    hyperparameters,
    seed: trainingSeed(config.seed, iteration),
  };
}

/** The weights that training begins with: the policy's own, or for an adapter those that it adds to and the adapter itself, if there is one yet. */
async function startOf(
  { policies }: ActivityDependencies,
  config: CampaignConfig,
  policy: PolicyRef,
): Promise<Pick<TrainingJob, "modelDirectory" | "modelHash" | "adapter">> {
  if (config.policy.weights !== "lora") return { modelDirectory: await policies.directory(policy), modelHash: policy.hash };
  const model = await wholeWeights(policies, policy);
  const isFresh = model.hash === policy.hash;
  const start = isFresh ? { directory: null, hash: null } : { directory: await policies.directory(policy), hash: policy.hash };
  return {
    modelDirectory: await policies.directory(model),
    modelHash: model.hash,
    adapter: { ...config.training.adapter, ...start },
  };
}

/** The policy itself, or the one that an adapter adds to. */
async function wholeWeights(policies: ActivityDependencies["policies"], policy: PolicyRef): Promise<PolicyRef> {
  return (await policies.describe(policy)).base ?? policy;
}

/** Means over the optimizer steps; the last step's where a mean says little. Names and units: docs/metrics.md. */
export function trainingMetrics({ steps, totalSteps }: TrainingResult): Record<string, number> {
  const mean = (pick: (step: TrainingResult["steps"][number]) => number) => steps.reduce((sum, step) => sum + pick(step), 0) / steps.length;
  return {
    "training/steps": totalSteps,
    "training/loss": mean((step) => step.loss),
    "training/kl": mean((step) => step.kl),
    "training/entropy": mean((step) => step.entropy),
    "training/clip_fraction": mean((step) => step.clipFraction),
    "training/gradient_norm": mean((step) => step.gradientNorm),
    "training/gradient_norm_max": Math.max(...steps.map((step) => step.gradientNorm)),
    "training/ratio_max": Math.max(...steps.map((step) => step.ratioMax)),
    "training/truncated_fraction": mean((step) => step.truncatedFraction),
    "training/action_tokens": steps.reduce((sum, step) => sum + step.numTokens, 0),
    ...advantageByTurn(steps),
  };
}

/** Mean over the steps in which a turn index occurs. */
function advantageByTurn(steps: TrainingResult["steps"]): Record<string, number> {
  const means = Map.groupBy(
    steps.flatMap((step) => step.advantageByTurn),
    ({ turn }) => turn,
  );
  const entries = [...means].sort(([a], [b]) => a - b);
  return Object.fromEntries(
    entries.map(([turn, found]) => [`training/advantage_by_turn/${turn}`, found.reduce((sum, { mean }) => sum + mean, 0) / found.length]),
  );
}
