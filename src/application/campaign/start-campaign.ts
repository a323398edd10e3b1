// From a campaign file to a campaign that runs, and the plan of one that does not run yet.
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { modelFiles } from "#adapters/policy-store/policy-store.ts";
import { countVisibleGpus } from "#adapters/services/gpus.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { CampaignId } from "#contracts/manifests.ts";
import { CampaignError } from "#core/errors.ts";
import { openRecord } from "../record.ts";
import { ensureServices } from "../services/ensure-services.ts";
import { readSettings, shellVariables } from "../settings.ts";
import { type CheckedCampaign, checkCampaign, createCampaign, findCampaign } from "./create-campaign.ts";
import { launch, requireOpen } from "./launch.ts";
import { type CampaignPlan, describeTasks, planCampaign, type TaskPlan } from "./plan.ts";

export interface CampaignRequest {
  /** Path of a campaign file. */
  readonly file: string;
  /** `path.to.key=value`, over the values of the file. */
  readonly overrides: readonly string[];
  /** Id of the campaign; the file's name unless given. */
  readonly name?: string | undefined;
}

export interface StartPlan {
  readonly campaignId: string;
  readonly config: CampaignConfig;
  readonly plan: CampaignPlan;
  readonly tasks: TaskPlan;
  /** Why a start would fail here though the plan holds: the model is not there. */
  readonly problem: CampaignError | null;
}

/** What a start would do and cost. Writes nothing and starts nothing. Throws config.* and environment.* for what cannot work anywhere. */
export async function planStart(request: CampaignRequest): Promise<StartPlan> {
  const { campaignId, checked } = await readRequest(request, { mustReach: false });
  const plan = await planCampaign(openRecord(readSettings()), checked.given, await countVisibleGpus(shellVariables()));
  return { campaignId, config: checked.given, plan, tasks: describeTasks(checked.taskSet), problem: await missingModel(checked) };
}

/** Starts the campaign, or joins it when it runs already; answers its id. `onStarting`: services are started first. */
export async function startCampaign(request: CampaignRequest, onStarting: () => void): Promise<string> {
  const { campaignId, checked } = await readRequest(request, { mustReach: true });
  const known = openRecord(readSettings());
  await requireOpen(known, campaignId);
  await findCampaign(known, campaignId, checked);
  const settings = await ensureServices(onStarting);
  const record = openRecord(settings);
  await createCampaign(record, campaignId, checked);
  await launch(settings, record, campaignId);
  return campaignId;
}

interface ReadRequest {
  readonly campaignId: string;
  /** `given`: the config as the file and the overrides say it. */
  readonly checked: CheckedCampaign & { readonly given: CampaignConfig };
}

async function readRequest({ file, overrides, name }: CampaignRequest, options: { mustReach: boolean }): Promise<ReadRequest> {
  const given = await loadCampaignFile(file, overrides);
  const campaignId = parseCampaignId(name ?? given.name);
  return { campaignId, checked: { ...(await checkCampaign(given, readSettings(), options)), given } };
}

async function missingModel({ policyDirectory }: CheckedCampaign): Promise<CampaignError | null> {
  try {
    await modelFiles(policyDirectory);
    return null;
  } catch (error) {
    if (error instanceof CampaignError) return error;
    throw error;
  }
}

/** Throws config.invalid for a text that cannot name a campaign. */
export function parseCampaignId(text: string): string {
  const parsed = CampaignId.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new CampaignError("config.invalid", `${JSON.stringify(text)} cannot name a campaign`, {
    next: "use lower-case letters, digits and hyphens, at most 80",
  });
}
