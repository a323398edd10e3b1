// turnwise quickstart: services up, one small campaign to its end, services down, and what it found.
import { join } from "node:path";
import type { Command } from "commander";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { readStack, startStack } from "#adapters/services/stack.ts";
import { REPOSITORY, readSettings } from "#adapters/settings.ts";
import { checkCampaign, createCampaign } from "#application/campaign/create-campaign.ts";
import { sayIgnored } from "../ignored-variables.ts";
import { interruptSignal } from "../interrupt.ts";
import { formatDuration, printLine } from "../output.ts";
import { style } from "../style.ts";
import { follow, launch, openRecord } from "./campaign.ts";

const FILE = join(REPOSITORY, "configs", "campaigns", "quickstart.yaml");

export function registerQuickstart(program: Command): void {
  program
    .command("quickstart")
    .description("run a small campaign from nothing to its result, without GPU or keys")
    .option(
      "--set <path=value>",
      "override a value of configs/campaigns/quickstart.yaml; may be repeated",
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option("--keep", "leave the services running afterwards")
    .option("--json")
    .action(quickstart);
}

async function quickstart(options: { set: string[]; keep?: boolean; json?: boolean }): Promise<void> {
  const startedAt = Date.now();
  const signal = interruptSignal();
  const settings = readSettings();
  const config = await loadCampaignFile(FILE, options.set);
  const checked = await checkCampaign(config, settings, { mustReach: true });
  const isOurs = readStack(settings.home) === null;
  const endsWithUs = isOurs && options.keep !== true;
  const say = options.json === true ? console.error : printLine;
  say(style.dim(isOurs ? "starting the services: Temporal, policy server, workers, MLflow" : "the services run already"));
  if (isOurs && options.json !== true) sayIgnored();
  const stack = await startStack({ home: settings.home, endsWithUs });
  try {
    signal.throwIfAborted();
    const running = readSettings();
    const record = openRecord(running);
    const campaignId = await freeId(record, config.name);
    await createCampaign(record, campaignId, checked);
    await launch(running, record, campaignId);
    say(
      style.dim(
        `campaign ${campaignId} started ${formatDuration((Date.now() - startedAt) / 1000)} after the command; Temporal ${stack.endpoints.temporalUiUrl}, MLflow ${stack.endpoints.mlflowUrl}`,
      ),
    );
    await follow(
      running,
      record,
      campaignId,
      options,
      endsWithUs ? `the services are stopped; go on with: turnwise campaign resume ${campaignId}` : undefined,
    );
    if (options.json === true) return;
    await sayIfReproduced(record, config.name, campaignId);
    printNextCommands(campaignId, endsWithUs);
  } finally {
    if (endsWithUs) await stack.stop();
  }
}

/** `quickstart`, `quickstart-2`, …: every run of the command is a campaign of its own. */
async function freeId(record: CampaignRecord, name: string): Promise<string> {
  const taken = new Set(await record.listCampaigns());
  if (!taken.has(name)) return name;
  for (let number = 2; ; number += 1) if (!taken.has(`${name}-${number}`)) return `${name}-${number}`;
}

/** Equal seeds give equal campaigns, to the last bit of the weights. */
async function sayIfReproduced(record: CampaignRecord, firstId: string, campaignId: string): Promise<void> {
  if (firstId === campaignId) return;
  const [first, own] = [await record.readEnd(firstId), await record.readEnd(campaignId)];
  if (first === null || own === null) return;
  const isSame = first.finalPolicy.hash === own.finalPolicy.hash;
  printLine(
    isSame
      ? `same seed, same result: the final policy is bit for bit that of ${firstId} (${own.finalPolicy.hash.slice(0, 12)})`
      : `the final policy differs from that of ${firstId}: another config, code, or processor`,
  );
}

/** Which tiers the training rollouts had, how often these passed, and what the estimator made of them. */
export const tierQuery = (campaignId: string): string =>
  `SELECT tier, count(*) AS turns, avg(reward) AS train_pass_rate, avg(advantage) AS advantage FROM turns WHERE campaign_id = '${campaignId}' AND tier IS NOT NULL GROUP BY tier ORDER BY turns DESC`;

function printNextCommands(campaignId: string, isStopped: boolean): void {
  printLine("");
  printLine("look further");
  printLine(`  ./turnwise history                       every campaign beside the others, by their tests`);
  printLine(`  ./turnwise query "${tierQuery(campaignId)}"`);
  printLine(`  ./turnwise campaign start configs/campaigns/quickstart.yaml --name second-seed --set seed=8 --watch`);
  if (isStopped) printLine(style.dim("the services are stopped; `./turnwise up` starts them again, with Temporal's and MLflow's pages"));
}
