// A campaign that 0.1.0 left behind in the middle of its rollouts goes on to its end under this code, as 0.1.0 would have.
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LocalTurnJournal } from "#adapters/artifact-store/journal.ts";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { RecordPaths } from "#adapters/record/paths.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { present } from "../fixtures/present.ts";
import { copyReleaseRecord } from "../fixtures/release-record.ts";
import { sha256AsTrajectories1 } from "../support/trajectories-1.ts";
import { fingerprint, withRecordedCampaign } from "./stack-campaign.ts";

const ID = "interrupted";
const IN_FLIGHT = ["train-0255", "train-0458", "train-0515"];
const TRIALS = 4;

/** What 3cd7170 made of the same config when nothing interrupted it. */
const UNDISTURBED = JSON.parse(readFileSync(join(REPOSITORY, "tests/fixtures/records/interrupted-finished-by-0.1.0.json"), "utf8")) as {
  groups: Record<string, string>;
  stages: Record<string, { decision: string | null; outputs: Record<string, string> }>;
  finalPolicy: string;
  trainPassRate: number;
  selectionPassRate: number;
};

/** Every file of the campaign by name, but for the journals. */
async function files(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".json"));
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const)));
}

async function journalledTurns(root: string, taskId: string): Promise<number> {
  let numTurns = 0;
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const entries = await new LocalTurnJournal(root, RecordPaths.journal(ID, 1, "train", taskId, trial, 0)).read();
    numTurns += entries.filter(({ type }) => type === "turn").length;
  }
  return numTurns;
}

/** By the names of its groups, the hash that each has in 0.1.0's form of trajectories. */
async function groupsAsOf010(record: CampaignRecord): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const iteration of await record.listIterations(ID))
    for (const purpose of ["train", "selection"] as const)
      for (const task of await record.listGroups(ID, iteration, purpose)) {
        const { trajectories } = present(await record.readGroup(ID, iteration, purpose, task));
        hashes[`${iteration}/${purpose}/${task}`] = await sha256AsTrajectories1(await record.readTrajectories(trajectories));
      }
  return hashes;
}

test("the interrupted campaign of 0.1.0 goes on to the end that 0.1.0 would have reached", { timeout: 5 * 60_000 }, async () => {
  const journalled: Record<string, number> = {};
  let before: Record<string, string> = {};
  let folder = "";
  const prepare = async (_record: unknown, { recordRoot }: { readonly recordRoot: string }) => {
    copyReleaseRecord(recordRoot);
    for (const task of IN_FLIGHT) journalled[task] = await journalledTurns(recordRoot, task);
    folder = join(recordRoot, "campaigns", ID);
    before = await files(folder);
    return ID;
  };
  await withRecordedCampaign(prepare, { services: ["temporal", "policy", "control", "rollout", "training"] }, async ({ record, end }) => {
    const ended = await end(240);
    expect(ended).toMatchObject({ state: "completed", numIterations: 1, test: null, noTestReason: "its config has test: null" });

    // What was committed stands, to the byte; what was in a journal was not asked again.
    const after = await files(folder);
    expect(Object.keys(before)).toHaveLength(48);
    expect(after).toMatchObject(before);
    expect(journalled).toEqual({ "train-0255": 27, "train-0458": 4, "train-0515": 0 }); // of the last one only the user had spoken
    for (const task of IN_FLIGHT) expect(present(await record.readGroup(ID, 1, "train", task)).numResumedTurns).toBe(journalled[task]);

    // Everything made now is what 0.1.0 makes: rollouts, batch, weights, and what was decided by them.
    const made = await fingerprint(record, ID);
    expect(await groupsAsOf010(record)).toEqual(UNDISTURBED.groups);
    expect(made["1/redesign/table"]).toBe(UNDISTURBED.stages["1/redesign"]?.outputs["table"]);
    expect(ended.finalPolicy.hash).toBe(UNDISTURBED.finalPolicy);
    for (const stage of ["calibration", "redesign", "selection"] as const)
      expect((await record.readStage(ID, 1, stage))?.decision).toBe(UNDISTURBED.stages[`1/${stage}`]?.decision);
    const { trainPassRate, selectionPassRate } = UNDISTURBED;
    expect(await record.readIteration(ID, 1)).toMatchObject({ trainPassRate, selectionPassRate, promotion: "promote" });
  });
});
