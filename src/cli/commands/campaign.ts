// turnwise campaign …: start, list, show, watch, pause, resume, stop, approve, budget, fork.
import type { Command } from "commander";
import { stringify } from "yaml";
import { resumeCampaign } from "#application/campaign/resume-campaign.ts";
import { type ListedCampaign, listCampaigns, showCampaign } from "#application/campaign/show-campaigns.ts";
import { parseCampaignId, planStart, startCampaign } from "#application/campaign/start-campaign.ts";
import { startFork } from "#application/campaign/start-fork.ts";
import { type CampaignWord, findHeldAgain, steerCampaign } from "#application/campaign/steer-campaign.ts";
import { BudgetConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "#core/errors.ts";
import { formatTime } from "#core/format.ts";
import { follow, printStatus } from "../campaign/follow.ts";
import { printPlan } from "../campaign/print-plan.ts";
import { printSummary } from "../campaign/print-summary.ts";
import { describeWaiting, nextStep } from "../campaign/watch.ts";
import { type Column, type OutputOptions, printJson, renderTable } from "../output.ts";
import { sayServicesStart } from "../services-starting.ts";

export function registerCampaign(program: Command): void {
  const family = program.command("campaign");
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
    steer(id, options, { type: "pause", why: options.reason }),
  );
  word("resume", "go on after a pause, a crash, or a lost Temporal database").action(resume);
  word("stop", "end a campaign; everything committed stays")
    .option("--with-test", "open its test before it ends")
    .action((id: string, options: SteeringOptions & { withTest?: boolean }) =>
      steer(id, options, { type: "stop", why: options.reason || "stopped by a person", withTest: options.withTest === true }),
    );
  word("approve", "answer a campaign in mode `approve` that waits for a word on its reward table")
    .option("--reject", "keep the table in force instead")
    .action((id: string, options: SteeringOptions & { reject?: boolean }) =>
      steer(id, options, { type: options.reject === true ? "reject" : "approve", why: options.reason }),
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

interface SteeringOptions extends OutputOptions {
  readonly reason: string;
}

interface StartOptions extends OutputOptions {
  readonly name?: string;
  readonly set: string[];
  readonly dryRun?: boolean;
  readonly watch?: boolean;
}

async function start(file: string, options: StartOptions): Promise<void> {
  const request = { file, overrides: options.set, name: options.name };
  if (options.dryRun === true) {
    const { problem, ...planned } = await planStart(request);
    const { campaignId, config, plan, tasks } = planned;
    if (options.json === true) printJson({ campaignId, config, plan, tasks });
    else {
      console.log(stringify(config).trimEnd());
      printPlan(campaignId, plan, tasks);
    }
    if (problem !== null) throw problem; // the plan holds where the model is; a start here would fail, and so does this
    return;
  }
  const campaignId = await startCampaign(request, sayServicesStart);
  if (options.watch === true) return follow(campaignId, options);
  if (options.json === true) return printJson({ campaignId });
  console.log(`campaign ${campaignId} runs\n  turnwise campaign watch ${campaignId}`);
}

async function list(options: OutputOptions): Promise<void> {
  const rows = (await listCampaigns()).map(rowOf);
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

function rowOf({ summary, status, waiting }: ListedCampaign) {
  return {
    id: summary.campaignId,
    state: waiting === null ? (status?.state ?? summary.state) : "waiting",
    waiting,
    iterations: summary.iterations.filter(({ iteration, isComplete }) => isComplete && iteration > 0).length,
    created: summary.createdAt,
    summary,
  };
}

async function show(id: string, options: OutputOptions): Promise<void> {
  const shown = await showCampaign(id);
  const { summary, status, waiting } = shown;
  if (options.json === true) return printJson({ ...summary, status, waiting });
  printSummary(summary);
  if (summary.state !== "open") return;
  if (status === null && waiting === null) return console.log(`not running; go on with: turnwise campaign resume ${id}`);
  printStatus(shown);
  if (waiting !== null) console.log(describeWaiting(waiting));
}

async function watch(id: string, options: OutputOptions): Promise<void> {
  await follow(id, options);
}

async function resume(id: string, options: SteeringOptions): Promise<void> {
  const { how, state, wasPaused, nextIteration, isAtEnd } = await resumeCampaign(id, options.reason, sayServicesStart);
  if (options.json === true) return printJson({ campaignId: id, how, state, nextIteration });
  if (how === "taken-over")
    console.log(`campaign ${id} was left running by an earlier release: its workflow is ended, its record is whole`);
  if (how !== "joined") console.log(`campaign ${id} goes on from the record at ${isAtEnd ? "its end" : `iteration ${nextIteration}`}`);
  else console.log(wasPaused ? `campaign ${id} goes on` : `campaign ${id}: ${state}`);
  await sayIfHeldAgain(id);
}

/** Whoever resumed a campaign is told when it pauses again at once. */
async function sayIfHeldAgain(id: string): Promise<void> {
  const status = await findHeldAgain(id);
  if (status === null) return console.log(`  turnwise campaign watch ${id}`);
  console.log(`campaign ${id} is paused again: ${status.reason?.message ?? "see turnwise campaign show"}`);
  console.log(`  ${nextStep(status)}`);
}

async function setBudget(
  id: string,
  options: SteeringOptions & { readonly maxUsd?: string; readonly maxCalls?: string; readonly maxHours?: string },
): Promise<void> {
  const { maxUsd, maxCalls, maxHours } = options;
  const limits = { maxUsd, maxModelCalls: maxCalls, maxHours };
  const budget = parseBudget(limits, `turnwise campaign budget ${id} --max-usd 300`);
  await steer(id, options, { type: "budget", why: options.reason, budget });
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

interface ForkOptions extends OutputOptions {
  readonly from?: string;
  readonly set: string[];
  readonly name?: string;
  readonly watch?: boolean;
}

async function fork(id: string, options: ForkOptions): Promise<void> {
  const forkId = parseCampaignId(options.name ?? `${id}-fork`);
  const parent = await startFork(id, { forkId, from: options.from, overrides: options.set }, sayServicesStart);
  if (options.watch === true) return follow(forkId, options);
  if (options.json === true) return printJson({ campaignId: forkId, parent });
  console.log(`campaign ${forkId} goes on from iteration ${parent?.iteration} of ${id}\n  turnwise campaign watch ${forkId}`);
}

async function steer(id: string, options: OutputOptions, word: CampaignWord): Promise<void> {
  const answer = await steerCampaign(id, word);
  if (options.json === true) return printJson({ campaignId: id, answer });
  console.log(`campaign ${id}: ${answer}`);
  if (word.type === "budget") await sayIfHeldAgain(id);
}
