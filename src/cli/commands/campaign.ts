// turnwise campaign …: start, list, show, watch, pause, resume, stop, approve, budget, fork.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { UpdateDefinition } from "@temporalio/common";
import type { Command } from "commander";
import { stringify } from "yaml";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import { createPolicyStore, modelFiles } from "#adapters/policy-store/policy-store.ts";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { openRecord as openRecordAt } from "#adapters/record/open-record.ts";
import { countVisibleGpus } from "#adapters/services/gpus.ts";
import { readSettings, type Settings, shellVariables } from "#adapters/settings.ts";
import { askCampaigns } from "#application/campaign/ask-campaigns.ts";
import { CampaignClient } from "#application/campaign/campaign-client.ts";
import { checkCampaign, checkFork, createCampaign, findCampaign } from "#application/campaign/create-campaign.ts";
import { commitFork, planFork } from "#application/campaign/fork-campaign.ts";
import { describeTasks, estimateFor, planCampaign } from "#application/campaign/plan.ts";
import { rebuildInput } from "#application/campaign/rebuild-state.ts";
import { speaker } from "#application/campaign/speaker.ts";
import { type CampaignSummary, summarizeCampaign } from "#application/campaign/summary.ts";
import { BudgetConfig } from "#contracts/campaign-config.ts";
import type { CampaignStatus, StateName } from "#contracts/campaign-status.ts";
import { CampaignId } from "#contracts/manifests.ts";
import { endReason } from "#core/campaign/progress.ts";
import { CampaignError, ERROR_CODES } from "#core/errors.ts";
import {
  approveRewardUpdate,
  pauseUpdate,
  rejectRewardUpdate,
  resumeUpdate,
  type Speaker,
  setBudgetUpdate,
  stopUpdate,
} from "../../../workflows/messages.ts";
import { printPlan } from "../campaign/print-plan.ts";
import { printSummary } from "../campaign/print-summary.ts";
import { ensureServices } from "../campaign/services.ts";
import { describeStatus, describeWaiting, nextStep, watchCampaign } from "../campaign/watch.ts";
import { exitCodeOf } from "../failure.ts";
import { interruptSignal, onInterruptSay } from "../interrupt.ts";
import { type Column, formatTime, renderTable } from "../output.ts";

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
  ] as const) {
    family.command(name).argument("<id>").option("--json").description(description).action(action);
  }
  const word = (name: string, description: string) =>
    family
      .command(name)
      .argument("<id>")
      .option("--reason <text>", "why; kept in the record", "")
      .option("--json")
      .description(description);
  word("pause", "stop new work at the next group or stage boundary").action((id: string, options: SteeringOptions) =>
    tell(id, options, pauseUpdate, speaker(options.reason)),
  );
  word("resume", "go on after a pause, a crash, or a lost Temporal database").action(resume);
  word("stop", "end a campaign; everything committed stays")
    .option("--with-test", "open its test before it ends")
    .action((id: string, options: SteeringOptions & { withTest?: boolean }) =>
      tell(id, options, stopUpdate, { ...speaker(options.reason || "stopped by a person"), withTest: options.withTest === true }),
    );
  word("approve", "answer a campaign in mode `approve` that waits for a word on its reward table")
    .option("--reject", "keep the table in force instead")
    .action((id: string, options: SteeringOptions & { reject?: boolean }) =>
      tell(id, options, options.reject === true ? rejectRewardUpdate : approveRewardUpdate, speaker(options.reason)),
    );
  word("budget", "set new limits; a campaign that its budget paused goes on")
    .option("--max-usd <number>", "USD of all parties")
    .option("--max-calls <number>", "model calls of all parties")
    .option("--max-hours <number>", "hours of running time")
    .action(setBudget);
  family
    .command("fork")
    .argument("<id>", "the campaign to fork")
    .option("--from <iteration>", "the last iteration that both share (default: its last committed one)")
    .option("--set <path=value>", "override a value of its config; may be repeated", collect, [])
    .option("--name <id>", "id of the new campaign (default: the old one's with -fork)")
    .option("--watch", "follow the new campaign to its end")
    .option("--json")
    .description("a new campaign that goes on from a committed iteration of another one")
    .action(fork);
}

interface SteeringOptions extends JsonOption {
  readonly reason: string;
}

export function openRecord(settings: Settings): CampaignRecord {
  return openRecordAt(settings.recordRoot).record;
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
    const plan = await planCampaign(openRecord(readSettings()), config, await countVisibleGpus(shellVariables()));
    const tasks = describeTasks(checked.taskSet);
    if (options.json === true) printJson({ campaignId, config, plan, tasks });
    else {
      console.log(stringify(config).trimEnd());
      printPlan(campaignId, plan, tasks);
    }
    await modelFiles(checked.policyDirectory); // the plan holds where the model is; a start here would fail, and so does this
    return;
  }
  await requireOpen(openRecord(readSettings()), campaignId);
  await findCampaign(openRecord(readSettings()), campaignId, checked);
  const settings = await ensureServices();
  const record = openRecord(settings);
  await createCampaign(record, campaignId, checked);
  await launch(settings, record, campaignId);
  if (options.watch === true) return follow(settings, record, campaignId, options);
  if (options.json === true) return printJson({ campaignId });
  console.log(`campaign ${campaignId} runs\n  turnwise campaign watch ${campaignId}`);
}

/** Starts or joins the workflow of a campaign in the record, from wherever the record says it is. Throws campaign.ended. */
export async function launch(settings: Settings, record: CampaignRecord, campaignId: string): Promise<void> {
  await requireOpen(record, campaignId);
  const client = await CampaignClient.connect(settings);
  try {
    await client.start(await rebuildInput(record, campaignId));
  } finally {
    await client.close();
  }
}

/** Throws campaign.ended with what ended it. */
async function requireOpen(record: CampaignRecord, campaignId: string): Promise<void> {
  const end = await record.readEnd(campaignId);
  if (end === null) return;
  throw new CampaignError("campaign.ended", `campaign ${campaignId} is ${end.state}: ${end.reason}`, {
    next: `turnwise campaign show ${campaignId}; to go on from it: turnwise campaign fork ${campaignId} --set stop.maxIterations=…`,
  });
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
    process.exitCode = exitCodeOfPause(status) ?? process.exitCode;
    if (options.json === true) return printJson({ ...(await summarizeCampaign(record, campaignId)), status });
    const summary = await summarizeCampaign(record, campaignId, { isWhole: true });
    printSummary(summary);
    if (status !== null) printStatus(status, summary, settings);
  } finally {
    await client.close();
  }
}

/** Of the failure that paused a campaign; null for whatever else holds it. */
function exitCodeOfPause(status: CampaignStatus | null): number | null {
  const code = status?.state === "paused" ? ERROR_CODES.find((known) => known === status.reason?.code) : undefined;
  return code === undefined ? null : exitCodeOf(new CampaignError(code, status?.reason?.message ?? ""));
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
      iterations: summary.iterations.filter(({ iteration, isComplete }) => isComplete && iteration > 0).length,
      created: summary.createdAt,
      summary,
    };
  });
  if (options.json === true) return printJson(rows);
  if (rows.length === 0)
    return console.log("no campaigns yet; start one: turnwise campaign start configs/campaigns/quickstart.yaml --watch");
  const columns: Column<(typeof rows)[number]>[] = [
    { header: "campaign", value: ({ id }) => id },
    { header: "state", value: ({ state }) => (state === "open" ? "not running" : state) },
    { header: "iterations", align: "right", value: ({ iterations }) => String(iterations) },
    { header: "created", value: ({ created }) => formatTime(created) },
    { header: "", value: ({ waiting }) => waiting?.message ?? "" },
  ];
  console.log(renderTable(columns, rows));
}

async function show(id: string, options: JsonOption): Promise<void> {
  const settings = readSettings();
  const summary = await summarizeCampaign(openRecord(settings), id, { isWhole: true });
  const [{ status, waiting } = { status: null, waiting: null }] = await askCampaigns(settings, summary.state === "open" ? [id] : []);
  if (options.json === true) return printJson({ ...summary, status, waiting });
  printSummary(summary);
  if (summary.state !== "open") return;
  if (status === null && waiting === null) return console.log(`not running; go on with: turnwise campaign resume ${id}`);
  if (status !== null) printStatus(status, summary, settings);
  if (waiting !== null) console.log(describeWaiting(waiting));
}

/** Where it is, and what it wants of whom. */
function printStatus(status: CampaignStatus, { iterations }: CampaignSummary, { recordRoot }: Settings): void {
  console.log(describeStatus(status, null));
  const undecided = status.question === null ? null : (iterations.findLast((iteration) => iteration.undecided !== null)?.undecided ?? null);
  if (undecided !== null) console.log(`  the whole report: ${join(recordRoot, undecided.reportUri)}`);
  const next = nextStep(status);
  if (next !== null) console.log(`  ${next}`);
}

async function watch(id: string, options: JsonOption): Promise<void> {
  const settings = readSettings();
  const record = openRecord(settings);
  await record.requireCampaign(id);
  await follow(settings, record, id, options);
}

/** Goes on from every state that does not run: paused, lost by Temporal, left behind by an earlier release. */
async function resume(id: string, options: SteeringOptions): Promise<void> {
  const record = openRecord(readSettings());
  await record.requireCampaign(id);
  await requireOpen(record, id);
  const settings = await ensureServices();
  const client = await CampaignClient.connect(settings);
  try {
    const input = await rebuildInput(record, id);
    const how = await client.start(input);
    const before = await client.status(id);
    const state = before?.state === "paused" ? await client.tell(id, resumeUpdate, speaker(options.reason)) : (before?.state ?? "running");
    const { progress } = input.state;
    const from = endReason(progress, input.settings) === null ? `iteration ${progress.nextIteration}` : "its end";
    if (options.json === true) return printJson({ campaignId: id, how, state, nextIteration: progress.nextIteration });
    if (how === "taken-over")
      console.log(`campaign ${id} was left running by an earlier release: its workflow is ended, its record is whole`);
    if (how !== "joined") console.log(`campaign ${id} goes on from the record at ${from}`);
    else console.log(before?.state === "paused" ? `campaign ${id} goes on` : `campaign ${id}: ${state}`);
    await sayIfHeldAgain(client, id);
  } finally {
    await client.close();
  }
}

const HELD_AGAIN_ATTEMPTS = 8;
const HELD_AGAIN_MILLISECONDS = 400;

/** A guard that still holds, or a limit below what is used, pauses a campaign again at once: whoever resumed it is told so. */
async function sayIfHeldAgain(client: CampaignClient, id: string): Promise<void> {
  for (let attempt = 0; attempt < HELD_AGAIN_ATTEMPTS; attempt += 1) {
    await sleep(HELD_AGAIN_MILLISECONDS);
    const status = await client.status(id);
    if (status?.state !== "paused") continue;
    console.log(`campaign ${id} is paused again: ${status.reason?.message ?? "see turnwise campaign show"}`);
    return console.log(`  ${nextStep(status)}`);
  }
  console.log(`  turnwise campaign watch ${id}`);
}

async function setBudget(
  id: string,
  options: SteeringOptions & { readonly maxUsd?: string; readonly maxCalls?: string; readonly maxHours?: string },
): Promise<void> {
  const { maxUsd, maxCalls, maxHours } = options;
  const limits = { maxUsd, maxModelCalls: maxCalls, maxHours };
  const budget = parseBudget(limits, `turnwise campaign budget ${id} --max-usd 300`);
  await tell(id, options, setBudgetUpdate, { ...speaker(options.reason), budget });
}

const LIMITS = {
  maxUsd: { option: "--max-usd", wanted: "a positive number" },
  maxModelCalls: { option: "--max-calls", wanted: "a positive whole number" },
  maxHours: { option: "--max-hours", wanted: "a positive number" },
} as const;

/** Throws config.invalid for every limit that is none, by its option, and when none is named. */
function parseBudget(limits: Readonly<Record<keyof typeof LIMITS, string | undefined>>, next: string): BudgetConfig {
  const named = Object.entries(limits).flatMap(([name, text]) => (text === undefined ? [] : [[name, Number(text)] as const]));
  const budget = BudgetConfig.safeParse(Object.fromEntries(named));
  if (budget.success && named.length > 0) return budget.data;
  const wrong = new Set((budget.error?.issues ?? []).map(({ path }) => String(path[0]) as keyof typeof LIMITS));
  const problems = [...wrong].map((name) => `${LIMITS[name].option} ${limits[name]} is not ${LIMITS[name].wanted}`);
  throw new CampaignError("config.invalid", problems.length === 0 ? "no limit is named" : problems.join("; "), { next });
}

interface ForkOptions extends JsonOption {
  readonly from?: string;
  readonly set: string[];
  readonly name?: string;
  readonly watch?: boolean;
}

async function fork(id: string, options: ForkOptions): Promise<void> {
  const forkId = parseId(options.name ?? `${id}-fork`);
  const planned = await planFork(openRecord(readSettings()), id, { forkId, from: options.from, overrides: options.set });
  await checkFork(planned.manifest, readSettings());
  const settings = await ensureServices();
  const record = openRecord(settings);
  const { parent, config } = planned.manifest;
  const estimate = await estimateFor(record, config, parent?.iteration ?? null);
  await commitFork(record, createPolicyStore(record.store, settings.policyRoot), planned, estimate);
  await launch(settings, record, forkId);
  if (options.watch === true) return follow(settings, record, forkId, options);
  if (options.json === true) return printJson({ campaignId: forkId, parent });
  console.log(`campaign ${forkId} goes on from iteration ${parent?.iteration} of ${id}\n  turnwise campaign watch ${forkId}`);
}

async function tell<Args extends [Speaker]>(
  id: string,
  options: JsonOption,
  update: UpdateDefinition<StateName, Args>,
  ...args: Args
): Promise<void> {
  const settings = readSettings();
  const record = openRecord(settings);
  await record.requireCampaign(id);
  await requireOpen(record, id);
  const client = await CampaignClient.connect(settings);
  try {
    const answer = await client.tell(id, update, ...args);
    if (options.json === true) return printJson({ campaignId: id, answer });
    console.log(`campaign ${id}: ${answer}`);
    if (update.name === setBudgetUpdate.name) await sayIfHeldAgain(client, id);
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
