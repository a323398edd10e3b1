// turnwise tracking status | rebuild: what MLflow shows of the record, and the way to show it all again.
import type { Command } from "commander";
import {
  type CampaignTracking,
  readTrackingStatus,
  rebuildTracking,
  type SentCampaign,
  type TrackingStatus,
} from "#application/tracking/tracking.ts";
import { plainText } from "#core/text.ts";
import { type Column, emit, type OutputOptions, printLine, renderTable } from "../output.ts";
import { style } from "../style.ts";

export function registerTracking(program: Command): void {
  const family = program.command("tracking");
  family.command("status").option("--json").description("how much of each campaign MLflow shows").action(status);
  family
    .command("rebuild")
    .option("--json")
    .description("send MLflow everything that it lacks, also of campaigns that were sent before")
    .action(rebuild);
}

async function status(options: OutputOptions): Promise<void> {
  const found = await readTrackingStatus();
  if (found.campaigns.some(({ problem }) => problem !== null)) process.exitCode = MISSING_EXIT_CODE;
  emit(found, options, renderStatus);
}

const COLUMNS: readonly Column<CampaignTracking>[] = [
  { header: "campaign", value: ({ campaignId }) => campaignId },
  { header: "runs", align: "right", value: ({ numRuns }) => String(numRuns) },
  { header: "in MLflow", align: "right", value: ({ numProjected }) => (numProjected === null ? "–" : String(numProjected)) },
  {
    header: "",
    value: ({ problem, numRuns, numProjected }) =>
      (problem === null ? null : plainText(problem)) ?? (numProjected === numRuns || numProjected === null ? "" : "behind"),
  },
];

function renderStatus({ url, version, campaigns }: TrackingStatus): string {
  const server =
    version === null
      ? style.yellow(`MLflow does not answer at ${url}; campaigns do not need it, and it gets what it missed later`)
      : `MLflow ${version} at ${url}`;
  return campaigns.length === 0 ? server : `${server}\n${renderTable(COLUMNS, campaigns)}`;
}

async function rebuild(options: OutputOptions): Promise<void> {
  const projections: SentCampaign[] = [];
  for await (const projection of rebuildTracking()) {
    projections.push(projection);
    if ("problem" in projection) process.exitCode = MISSING_EXIT_CODE;
    if (options.json !== true) printLine(describeProjection(projection));
  }
  if (options.json === true) emit(projections, options, String);
}

function describeProjection(projection: SentCampaign): string {
  if (!("problem" in projection)) return `${projection.campaignId}: ${projection.numRuns} runs`;
  return `${style.yellow(projection.campaignId)} is not in MLflow: ${plainText(projection.problem.message)}`;
}

/** As of a service that failed: something that the record has is not in MLflow, and why is said. */
const MISSING_EXIT_CODE = 3;
