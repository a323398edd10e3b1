// turnwise campaign …: start, list, show, watch, pause, resume, stop, approve.
import type { Command } from "commander";
import { stringify } from "yaml";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { countVisibleGpus } from "#adapters/services/gpus.ts";
import { readSettings, type Settings } from "#adapters/settings.ts";
import { CampaignId } from "#contracts/manifests.ts";
import { endReason } from "#core/campaign/progress.ts";
import { CampaignError } from "#core/errors.ts";
import { approveRewardUpdate, pauseUpdate, rejectRewardUpdate, resumeUpdate, stopUpdate } from "../../../workflows/messages.ts";
import { askCampaigns } from "../campaign/ask-campaigns.ts";
import { CampaignClient } from "../campaign/campaign-client.ts";
import { checkCampaign, createCampaign } from "../campaign/create-campaign.ts";
import { describeTasks, planCampaign } from "../campaign/plan.ts";
import { printPlan, printSummary } from "../campaign/print-summary.ts";
import { rebuildProgress } from "../campaign/rebuild-progress.ts";
import { ensureServices } from "../campaign/services.ts";
import { summarizeCampaign } from "../campaign/summary.ts";
import { describeStatus, describeWaiting, watchCampaign } from "../campaign/watch.ts";
import { interruptSignal, onInterruptSay } from "../interrupt.ts";

interface JsonOption {
  readonly json?: boolean;
}

export function registerCampaign(program: Command): void {
  const family = program.command("campaign").description("start, watch and steer calibration campaigns");
  const collect = (value: string, earlier: string[]) => [...earlier, value];

  family
    .command("start")
    .argument("<file>", "campaign file, e.g. configs/campaigns/quickstart.yaml")
    .option("--name <id>", "id of the campaign (default: the file's name); the same id again joins the same campaign")
    .option("--set <path=value>", "override a value of the file; may be repeated", collect, [])
    .option("--dry-run", "print the resolved config, the plan and its estimated cost; write and start nothing")
    .option("--watch", "follow the campaign to its end")
    .option("--json")
    .description("start a campaign, or join it when it runs already")
    .action(start);
  family.command("list").option("--json").description("all campaigns of the record and their state").action(list);
  for (const [name, description, action] of [
    ["show", "what a campaign found and where it is", show],
    ["watch", "follow a running campaign", watch],
    ["pause", "stop new work at the next group or stage boundary", (id: string, options: JsonOption) => tell(id, options, pauseUpdate)],
    ["resume", "go on after a pause, a crash, or a lost Temporal database", resume],
  ] as const) {
    family.command(name).argument("<id>").option("--json").description(description).action(action);
  }
  family
    .command("stop")
    .argument("<id>")
    .option("--reason <text>", "kept in the record", "stopped by a person")
    .option("--json")
    .description("end a campaign; everything committed stays")
    .action((id: string, options: JsonOption & { reason: string }) => tell(id, options, stopUpdate, options.reason));
  family
    .command("approve")
    .argument("<id>")
    .option("--reject", "keep the table before instead")
    .option("--json")
    .description("answer a campaign in mode `approve` that waits for a word on its reward table")
    .action((id: string, options: JsonOption & { reject?: boolean }) =>
      tell(id, options, options.reject === true ? rejectRewardUpdate : approveRewardUpdate),
    );
}

export function openRecord(settings: Settings): CampaignRecord {
  return new CampaignRecord(new LocalArtifactStore(settings.recordRoot));
}

interface StartOptions extends JsonOption {
  readonly name?: string;
  readonly set: string[];
  readonly dryRun?: boolean;
  readonly watch?: boolean;
}

async function start(file: string, options: StartOptions): Promise<void> {
  const config = await loadCampaignFile(file, options.set);
  const campaignId = parseId(options.name ?? config.name);
  const checked = await checkCampaign(config, readSettings(), { mustReach: options.dryRun !== true });
  if (options.dryRun === true) {
    const plan = planCampaign(config, await countVisibleGpus(process.env));
    const tasks = describeTasks(checked.taskSet);
    if (options.json === true) return printJson({ campaignId, config, plan, tasks });
    console.log(stringify(config).trimEnd());
    return printPlan(plan, tasks);
  }
  const settings = await ensureServices();
  const record = openRecord(settings);
  const manifest = await createCampaign(record, campaignId, checked);
  await launch(settings, record, manifest.id);
  if (options.watch === true) return follow(settings, record, campaignId, options);
  if (options.json === true) return printJson({ campaignId });
  console.log(`campaign ${campaignId} runs\n  turnwise campaign watch ${campaignId}`);
}

/** Starts or joins the workflow of a campaign in the record, from wherever the record says it is. */
export async function launch(settings: Settings, record: CampaignRecord, campaignId: string): Promise<void> {
  if ((await record.readEnd(campaignId)) !== null) return;
  const { config } = await record.requireCampaign(campaignId);
  const client = await CampaignClient.connect(settings);
  try {
    await client.start({ campaignId, config, progress: await rebuildProgress(record, campaignId) });
  } finally {
    await client.close();
  }
}

export async function follow(
  settings: Settings,
  record: CampaignRecord,
  campaignId: string,
  options: JsonOption,
  whenInterrupted = `campaign ${campaignId} goes on by itself; follow it with: turnwise campaign watch ${campaignId}`,
): Promise<void> {
  const client = await CampaignClient.connect(settings);
  onInterruptSay(whenInterrupted);
  try {
    const end = await watchCampaign(client, record, campaignId, interruptSignal());
    const status = end === "ended" ? null : await client.status(campaignId);
    if (options.json === true) return printJson({ ...(await summarizeCampaign(record, campaignId)), status });
    printSummary(await summarizeCampaign(record, campaignId));
    if (status !== null) console.log(describeStatus(status, null));
    if (end === "waiting-for-approval") console.log(`  turnwise campaign approve ${campaignId}   (or: … approve ${campaignId} --reject)`);
    if (end === "paused") console.log(`  turnwise campaign resume ${campaignId}`);
  } finally {
    await client.close();
  }
}

async function list(options: JsonOption): Promise<void> {
  const record = openRecord(readSettings());
  const summaries = [];
  for (const id of await record.listCampaigns()) summaries.push(await summarizeCampaign(record, id));
  const open = summaries.filter(({ state }) => state === "open").map(({ campaignId }) => campaignId);
  const answers = await askCampaigns(readSettings(), open);
  const rows = summaries.map((summary) => {
    const { status = null, waiting = null } = answers[open.indexOf(summary.campaignId)] ?? {};
    return {
      id: summary.campaignId,
      state: waiting === null ? (status?.state ?? summary.state) : "waiting",
      waiting,
      iterations: Math.max(0, summary.iterations.length - 1),
      created: summary.createdAt,
      summary,
    };
  });
  if (options.json === true) return printJson(rows);
  if (rows.length === 0) console.log("no campaigns yet; start one: turnwise campaign start configs/campaigns/quickstart.yaml --watch");
  for (const { id, state, waiting, iterations, created } of rows) {
    console.log(`${id.padEnd(28)} ${state.padEnd(12)} ${iterations} iterations   ${created}`);
    if (waiting !== null) console.log(`  ${waiting.message}`);
  }
}

async function show(id: string, options: JsonOption): Promise<void> {
  const summary = await summarizeCampaign(openRecord(readSettings()), id);
  const [{ status, waiting } = { status: null, waiting: null }] = await askCampaigns(readSettings(), summary.state === "open" ? [id] : []);
  if (options.json === true) return printJson({ ...summary, status, waiting });
  printSummary(summary);
  if (status !== null) console.log(describeStatus(status, null));
  if (waiting !== null) console.log(describeWaiting(waiting));
  else if (summary.state === "open") console.log(`not running; go on with: turnwise campaign resume ${id}`);
}

async function watch(id: string, options: JsonOption): Promise<void> {
  const settings = readSettings();
  const record = openRecord(settings);
  await record.requireCampaign(id);
  await follow(settings, record, id, options);
}

async function resume(id: string, options: JsonOption): Promise<void> {
  const record = openRecord(readSettings());
  const { config } = await record.requireCampaign(id);
  const end = await record.readEnd(id);
  if (end !== null) {
    throw new CampaignError("campaign.ended", `campaign ${id} is ${end.state}: ${end.reason}`, { next: `turnwise campaign show ${id}` });
  }
  const settings = await ensureServices();
  const client = await CampaignClient.connect(settings);
  try {
    const status = await client.status(id);
    const progress = await rebuildProgress(record, id);
    const isRebuilt = status === null;
    if (isRebuilt) await client.start({ campaignId: id, config, progress });
    else if (status.state === "paused") await client.tell(id, resumeUpdate);
    const from = endReason(progress, config) === null ? `iteration ${progress.nextIteration}` : "its end";
    if (options.json === true) return printJson({ campaignId: id, isRebuilt, nextIteration: progress.nextIteration });
    console.log(isRebuilt ? `campaign ${id} goes on from the record at ${from}` : `campaign ${id} goes on`);
    console.log(`  turnwise campaign watch ${id}`);
  } finally {
    await client.close();
  }
}

async function tell(id: string, options: JsonOption, update: { readonly name: string }, argument?: string): Promise<void> {
  const settings = readSettings();
  await openRecord(settings).requireCampaign(id);
  const client = await CampaignClient.connect(settings);
  try {
    const answer = await client.tell(id, update, argument);
    if (options.json === true) printJson({ campaignId: id, answer });
    else console.log(`campaign ${id}: ${answer}`);
  } finally {
    await client.close();
  }
}

function parseId(text: string): string {
  const parsed = CampaignId.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new CampaignError("config.invalid", `${JSON.stringify(text)} cannot name a campaign`, {
    next: "use lower-case letters, digits and hyphens, at most 80",
  });
}

function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
