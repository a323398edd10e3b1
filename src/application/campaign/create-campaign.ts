// From a campaign file to a campaign in the record: checks everything that can be checked before anything is written.
import { join, resolve } from "node:path";
import { loadPriorTable } from "#adapters/campaign-file/load-reward-table.ts";
import { checkEndpoint } from "#adapters/inference/check-endpoint.ts";
import { importPolicyDirectory, modelFiles } from "#adapters/policy-store/policy-store.ts";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { countVisibleGpus } from "#adapters/services/gpus.ts";
import { REPOSITORY, readSettings, type Settings, shellVariables } from "#adapters/settings.ts";
import { linkTaskData, openTaskSet, pinEnvironment } from "#adapters/task-data/open-task-set.ts";
import { codeVersion } from "#adapters/versions.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { CampaignManifest } from "#contracts/manifests.ts";
import { RewardTable } from "#contracts/reward-table.ts";
import { requireProgram } from "#core/advantage/shaping/shape-groups.ts";
import { checkMinibatches } from "#core/campaign/check-minibatches.ts";
import { checkPolicy } from "#core/campaign/check-policy.ts";
import { checkTasks } from "#core/campaign/check-tasks.ts";
import { checkTraining } from "#core/campaign/place-training.ts";
import { canonicalJson, sha256Hex } from "#core/canonical-json.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import { CampaignError } from "#core/errors.ts";
import { promptFormat } from "#core/prompt-format/formats.ts";
import { describeDifferences } from "./differing-settings.ts";
import { estimateFor } from "./plan.ts";

/** A config whose files, tasks and endpoints have been seen. */
export interface CheckedCampaign {
  readonly config: CampaignConfig;
  readonly taskSet: TaskSet;
  readonly priorTable: RewardTable;
  readonly policyDirectory: string;
}

/** Throws config.*, environment.* or provider.* for the first thing that cannot work. Without `mustReach` no endpoint is asked, and no GPU and no model is needed. Writes nothing. */
export async function checkCampaign(given: CampaignConfig, settings: Settings, options: { mustReach: boolean }): Promise<CheckedCampaign> {
  const config = { ...given, environment: await pinEnvironment(given.environment, settings) };
  checkPolicy(config);
  checkMinibatches(config);
  const taskSet = await openTaskSet(config.environment, settings);
  checkTasks(config, taskSet.splits);
  promptFormat(config.policy.format, taskSet.formats);
  const priorTable = await loadPriorTable(config.reward, taskSet.labeller, join(REPOSITORY, "configs", "rewards"));
  if (config.reward.shaping !== undefined) requireProgram(config.reward.shaping, taskSet.labeller.program, taskSet.world.id);
  const policyDirectory = resolve(REPOSITORY, config.policy.checkpoint);
  if (options.mustReach) {
    await checkReach(config, settings);
    await modelFiles(policyDirectory);
  }
  return { config, taskSet, priorTable, policyDirectory };
}

/** The same of a fork: its policy is in the record, and its data must be the very data of its parent. */
export async function checkFork({ config, dataSha256 }: CampaignManifest, settings: Settings): Promise<void> {
  checkPolicy(config);
  checkMinibatches(config);
  checkTasks(config, (await openTaskSet(config.environment, settings, dataSha256)).splits);
  await checkReach(config, settings);
}

async function checkReach({ policy, simulator, training }: CampaignConfig, settings: Settings): Promise<void> {
  checkTraining(training, await countVisibleGpus(shellVariables()));
  if (policy.type === "vllm" && policy.start === undefined) await checkEndpoint({ ...policy, allowedHosts: settings.policyHosts });
  if (simulator.type === "llm") await checkEndpoint(simulator);
}

/** The campaign of this id where it is the same one, null where there is none. Another config or other data under the id throws store.conflict. */
export async function findCampaign(record: CampaignRecord, campaignId: string, checked: CheckedCampaign): Promise<CampaignManifest | null> {
  const { config, taskSet } = checked;
  const existing = await record.readCampaign(campaignId);
  if (existing === null) return null;
  const isOther = existing.configSha256 !== sha256Hex(canonicalJson(config));
  if (!isOther && existing.dataSha256 === taskSet.dataSha256) return existing;
  const what = isOther ? `another config: ${describeDifferences(existing.config, config)}` : "other data";
  throw new CampaignError("store.conflict", `campaign ${campaignId} exists with ${what}`, {
    next: `choose another name with --name, or look at it with: turnwise campaign show ${campaignId}`,
  });
}

/** Writes the campaign into the record, or finds the same one there. Another config under the same id throws store.conflict. */
export async function createCampaign(record: CampaignRecord, campaignId: string, checked: CheckedCampaign): Promise<CampaignManifest> {
  const { config, taskSet, priorTable, policyDirectory } = checked;
  const existing = await findCampaign(record, campaignId, checked);
  if (existing !== null) return existing;
  await linkTaskData(config.environment, readSettings(), taskSet.dataSha256);
  await record.putCampaign({
    schemaVersion: 2,
    id: campaignId,
    config,
    configSha256: sha256Hex(canonicalJson(config)),
    codeVersion: await codeVersion(),
    dataSha256: taskSet.dataSha256,
    basePolicy: await importPolicyDirectory(record.store, policyDirectory, { label: config.name, parentHash: null }),
    priorTable: await record.putJson(RewardTable, priorTable, "RewardTable/2"),
    estimate: await estimateFor(record, config, null),
    parent: null,
    createdAt: new Date().toISOString(),
  });
  return record.requireCampaign(campaignId);
}
