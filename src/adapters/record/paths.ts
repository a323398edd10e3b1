// The names of the record, in one place: what lies where below its root.
import type { RolloutPurpose, StageName } from "#contracts/manifests.ts";

const numbered = (number: number) => String(number).padStart(4, "0");
const iterationFolder = (campaignId: string, iteration: number) => `campaigns/${campaignId}/iterations/${numbered(iteration)}`;
/** The one setting that a campaign tests under: its own environment and user. */
const testFolder = (campaignId: string) => `campaigns/${campaignId}/test/default`;

export const RecordPaths = {
  campaigns: "campaigns",
  campaign: (campaignId: string) => `campaigns/${campaignId}/campaign.json`,
  end: (campaignId: string) => `campaigns/${campaignId}/end.json`,
  steering: (campaignId: string) => `campaigns/${campaignId}/steering`,
  steeringWord: (campaignId: string, number: number) => `campaigns/${campaignId}/steering/${numbered(number)}.json`,
  iterations: (campaignId: string) => `campaigns/${campaignId}/iterations`,
  iterationFolder,
  iteration: (campaignId: string, iteration: number) => `${iterationFolder(campaignId, iteration)}/iteration.json`,
  stage: (campaignId: string, iteration: number, stage: StageName) =>
    stage === "test" ? `${testFolder(campaignId)}/test.json` : `${iterationFolder(campaignId, iteration)}/${stage}.json`,
  groups: (campaignId: string, iteration: number, purpose: RolloutPurpose) =>
    purpose === "test"
      ? `${testFolder(campaignId)}/groups/${numbered(iteration)}`
      : `${iterationFolder(campaignId, iteration)}/groups/${purpose}`,
  group: (campaignId: string, iteration: number, purpose: RolloutPurpose, taskId: string) =>
    `${RecordPaths.groups(campaignId, iteration, purpose)}/${taskId}.json`,
  journals: (campaignId: string, iteration: number) => `${iterationFolder(campaignId, iteration)}/turns`,
  /** The turn journals of one group in flight. */
  groupJournals: (campaignId: string, iteration: number, purpose: RolloutPurpose, taskId: string) =>
    purpose === "test"
      ? `${testFolder(campaignId)}/turns/${numbered(iteration)}/${taskId}`
      : `${RecordPaths.journals(campaignId, iteration)}/${purpose}/${taskId}`,
  /** The turn journal of one attempt at one rollout. */
  journal: (campaignId: string, iteration: number, purpose: RolloutPurpose, taskId: string, trial: number, attempt: number) =>
    `${RecordPaths.groupJournals(campaignId, iteration, purpose, taskId)}/${trial}-${attempt}.jsonl`,
} as const;

/** What 0.1.0 called its selection: the names that its campaigns have. */
export const EarlierPaths = {
  selectionStage: (campaignId: string, iteration: number) => `${iterationFolder(campaignId, iteration)}/evaluation.json`,
  selectionGroups: (campaignId: string, iteration: number) => `${iterationFolder(campaignId, iteration)}/groups/evaluation`,
} as const;
