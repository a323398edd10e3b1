// The names of the record, in one place: what lies where below its root.
import type { RolloutPurpose, StageName } from "#contracts/manifests.ts";

const iterationFolder = (campaignId: string, iteration: number) =>
  `campaigns/${campaignId}/iterations/${String(iteration).padStart(4, "0")}`;

export const RecordPaths = {
  campaigns: "campaigns",
  campaign: (campaignId: string) => `campaigns/${campaignId}/campaign.json`,
  end: (campaignId: string) => `campaigns/${campaignId}/end.json`,
  iterations: (campaignId: string) => `campaigns/${campaignId}/iterations`,
  iterationFolder,
  iteration: (campaignId: string, iteration: number) => `${iterationFolder(campaignId, iteration)}/iteration.json`,
  stage: (campaignId: string, iteration: number, stage: StageName) => `${iterationFolder(campaignId, iteration)}/${stage}.json`,
  groups: (campaignId: string, iteration: number, purpose: RolloutPurpose) => `${iterationFolder(campaignId, iteration)}/groups/${purpose}`,
  group: (campaignId: string, iteration: number, purpose: RolloutPurpose, taskId: string) =>
    `${RecordPaths.groups(campaignId, iteration, purpose)}/${taskId}.json`,
  journals: (campaignId: string, iteration: number) => `${iterationFolder(campaignId, iteration)}/turns`,
  /** The turn journals of one group in flight. */
  groupJournals: (campaignId: string, iteration: number, purpose: RolloutPurpose, taskId: string) =>
    `${RecordPaths.journals(campaignId, iteration)}/${purpose}/${taskId}`,
  /** The turn journal of one attempt at one rollout. */
  journal: (campaignId: string, iteration: number, purpose: RolloutPurpose, taskId: string, trial: number, attempt: number) =>
    `${RecordPaths.groupJournals(campaignId, iteration, purpose, taskId)}/${trial}-${attempt}.jsonl`,
} as const;
