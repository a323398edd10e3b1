// A campaign on a stack of its own: free ports, temporary home, everything gone afterwards.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { type Stack, type StackOptions, startStack, stopStack } from "#adapters/services/stack.ts";
import { REPOSITORY, readSettings, type Settings } from "#adapters/settings.ts";
import { CampaignClient } from "#application/campaign/campaign-client.ts";
import { checkCampaign, createCampaign } from "#application/campaign/create-campaign.ts";
import { launch } from "#application/campaign/launch.ts";
import { openRecord } from "#application/record.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import type { CampaignEnd } from "#contracts/manifests.ts";

export const QUICKSTART = join(REPOSITORY, "configs", "campaigns", "quickstart.yaml");

/** Small enough for CI, large enough that every stage can be caught at work. */
export const SMALL = [
  "rollout.tasksPerIteration=16",
  "rollout.groupSize=4",
  "rollout.concurrentGroups=4",
  "selection.tasks=16",
  "selection.trials=1",
  "training.hyperparameters.numMinibatches=12",
  "training.hyperparameters.checkpointEverySteps=3",
  "stop.maxIterations=1",
];

export interface StackCampaign {
  readonly campaignId: string;
  readonly stack: Stack;
  readonly settings: Settings;
  readonly record: CampaignRecord;
  /** Starts the workflow again from the record, on whatever stack runs in this home now. */
  relaunch(): Promise<void>;
  /** Resolves with the end of the campaign, or of another one on this stack. Throws when it takes longer, or pauses. */
  end(seconds: number, id?: string): Promise<CampaignEnd>;
}

export async function withStackCampaign(
  overrides: readonly string[],
  options: Pick<StackOptions, "services">,
  scenario: (campaign: StackCampaign) => Promise<void>,
): Promise<void> {
  const create = async (record: CampaignRecord, settings: Settings) => {
    const config = await loadCampaignFile(QUICKSTART, overrides);
    return (await createCampaign(record, config.name, await checkCampaign(config, settings, { mustReach: true }))).id;
  };
  await withRecordedCampaign(create, options, scenario);
}

/** The same of a campaign that `prepare` puts into the record; it answers its id. */
export async function withRecordedCampaign(
  prepare: (record: CampaignRecord, settings: Settings) => Promise<string>,
  options: Pick<StackOptions, "services">,
  scenario: (campaign: StackCampaign) => Promise<void>,
): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), "turnwise-e2e-"));
  const stack = await startStack({ home, ports: "free", endsWithUs: true, ...options });
  const settings = readSettings({ TURNWISE_HOME: home });
  const record = openRecord(settings);
  try {
    const id = await prepare(record, settings);
    const relaunch = () => launch(readSettings({ TURNWISE_HOME: home }), record, id);
    await relaunch();
    const end = (seconds: number, of = id) => waitForEnd(record, home, of, seconds);
    await scenario({ campaignId: id, stack, settings, record, relaunch, end });
  } catch (error) {
    throw new Error(`${String(error)}\n${await lastLogLines(home)}`, { cause: error });
  } finally {
    await stopStack(home);
    await rm(home, { recursive: true, force: true });
  }
}

async function waitForEnd(record: CampaignRecord, home: string, id: string, seconds: number): Promise<CampaignEnd> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    const end = await record.readEnd(id);
    if (end !== null) return end;
    const status = await statusOf(home, id);
    if (status?.state === "paused") throw new Error(`the campaign paused: ${JSON.stringify(status.reason)}`);
    await pause(1_000);
  }
  throw new Error(`the campaign did not end within ${seconds} s; it is at ${JSON.stringify(await statusOf(home, id))}`);
}

/** Null while the server is away. */
async function statusOf(home: string, id: string): Promise<CampaignStatus | null> {
  try {
    const client = await CampaignClient.connect(readSettings({ TURNWISE_HOME: home }));
    try {
      return await client.status(id);
    } finally {
      await client.close();
    }
  } catch {
    return null;
  }
}

export async function until(what: string, seconds: number, isReached: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    if (await isReached()) return;
    await pause(50);
  }
  throw new Error(`${what}: not reached within ${seconds} s`);
}

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

/** What the campaign's rollouts and weights came to, without times: equal for equal campaigns. */
export async function fingerprint(record: CampaignRecord, id: string): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const iteration of await record.listIterations(id)) {
    for (const purpose of ["train", "selection"] as const) {
      for (const task of await record.listGroups(id, iteration, purpose)) {
        const group = await record.readGroup(id, iteration, purpose, task);
        result[`${iteration}/${purpose}/${task}`] = group?.trajectories.sha256 ?? "missing";
      }
    }
    for (const stage of ["calibration", "redesign", "training", "selection"] as const) {
      const manifest = await record.readStage(id, iteration, stage);
      for (const [name, ref] of Object.entries(manifest?.outputs ?? {})) result[`${iteration}/${stage}/${name}`] = ref.sha256;
    }
  }
  return result;
}

/** Processes whose command line holds all of these words. */
export async function findProcesses(...words: readonly string[]): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return words.every((word) => command.includes(word)) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

async function lastLogLines(home: string): Promise<string> {
  const folder = join(home, "logs");
  const files = await readdir(folder).catch(() => []);
  const tails = await Promise.all(
    files.map(async (file) => `== ${file}\n${(await readFile(join(folder, file), "utf8")).split("\n").slice(-12).join("\n")}`),
  );
  return tails.join("\n");
}
