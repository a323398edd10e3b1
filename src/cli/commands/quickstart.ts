// turnwise quickstart: services up, one small campaign to its end, services down, and what it found.
import type { Command } from "commander";
import { type Quickstart, startQuickstart } from "#application/campaign/quickstart.ts";
import { formatDuration } from "#core/format.ts";
import { follow } from "../campaign/follow.ts";
import { sayIgnored } from "../ignored-variables.ts";
import { interruptSignal } from "../interrupt.ts";
import { type OutputOptions, printLine } from "../output.ts";
import { style } from "../style.ts";

export function registerQuickstart(program: Command): void {
  program
    .command("quickstart")
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

interface QuickstartFlags extends OutputOptions {
  readonly set: string[];
  readonly keep?: boolean;
}

async function quickstart(options: QuickstartFlags): Promise<void> {
  const startedAt = Date.now();
  const say = options.json === true ? console.error : printLine;
  const run = await startQuickstart({
    overrides: options.set,
    keepsServices: options.keep === true,
    signal: interruptSignal(),
    onServices: (isStarting) => {
      say(style.dim(isStarting ? "starting the services: Temporal, policy server, workers, MLflow" : "the services run already"));
      if (isStarting && options.json !== true) sayIgnored();
    },
  });
  try {
    const { campaignId, temporalUiUrl, mlflowUrl, endsWithUs } = run;
    const seconds = (Date.now() - startedAt) / 1000;
    say(
      style.dim(
        `campaign ${campaignId} started ${formatDuration(seconds)} after the command; Temporal ${temporalUiUrl}, MLflow ${mlflowUrl}`,
      ),
    );
    const whenInterrupted = `the services are stopped; go on with: turnwise campaign resume ${campaignId}`;
    await follow(campaignId, options, endsWithUs ? whenInterrupted : undefined);
    if (options.json === true) return;
    await sayIfReproduced(run);
    printNextCommands(campaignId, endsWithUs);
  } finally {
    await run.close();
  }
}

async function sayIfReproduced(run: Quickstart): Promise<void> {
  const comparison = await run.compareWithFirst();
  if (comparison === null) return;
  const { firstId, policyHash, isSame } = comparison;
  printLine(
    isSame
      ? `same seed, same result: the final policy is bit for bit that of ${firstId} (${policyHash.slice(0, 12)})`
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
