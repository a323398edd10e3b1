// The promise itself: kill -9 of every kind of process while a campaign runs, and nothing but time is lost. Real services, real policy, real training.
import { rm } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { readStack, startStack } from "#adapters/services/stack.ts";
import { findProcesses, fingerprint, SMALL, type StackCampaign, until, withStackCampaign } from "./stack-campaign.ts";

const MINUTE = 60_000;
const END_SECONDS = 240;
let undisturbed: { hash: string; fingerprint: Record<string, string> };

async function result({ record, campaignId, end }: StackCampaign) {
  const { finalPolicy } = await end(END_SECONDS);
  return { hash: finalPolicy.hash, fingerprint: await fingerprint(record, campaignId) };
}

/** Resolves when so many groups of the iteration are committed. */
function groups({ record, campaignId }: StackCampaign, iteration: number, purpose: "train" | "selection", count: number): Promise<void> {
  return until(`${count} ${purpose} groups`, 120, async () => (await record.listGroups(campaignId, iteration, purpose)).length >= count);
}

beforeAll(async () => {
  await withStackCampaign(SMALL, { services: ["temporal", "policy", "control", "rollout", "training"] }, async (campaign) => {
    undisturbed = await result(campaign);
  });
}, 6 * MINUTE);

describe("kill -9", () => {
  test(
    "of every kind of process in turn changes nothing in the record, and the final checkpoint is the same to the bit",
    async () => {
      await withStackCampaign(SMALL, {}, async (campaign) => {
        const { stack, settings } = campaign;
        await groups(campaign, 0, "selection", 4);
        stack.killService("rollout", "SIGKILL");
        await groups(campaign, 0, "selection", 10);
        stack.killService("policy", "SIGKILL");
        await groups(campaign, 1, "train", 3);
        stack.killService("control", "SIGKILL");
        stack.killService("mlflow", "SIGKILL");
        await groups(campaign, 1, "train", 8);
        stack.killService("temporal", "SIGKILL");

        await until("the trainer works", 180, async () => (await findProcesses("trainer", "train", settings.jobRoot)).length > 0);
        for (const pid of await findProcesses("trainer", "train", settings.jobRoot)) process.kill(pid, "SIGKILL");
        await until("the trainer is back", 60, async () => (await findProcesses("trainer", "train", settings.jobRoot)).length > 0);
        stack.killService("training", "SIGKILL");

        expect(await result(campaign)).toEqual(undisturbed);
      });
    },
    8 * MINUTE,
  );

  test(
    "a campaign whose Temporal database was deleted goes on from the record to the same end",
    async () => {
      await withStackCampaign(SMALL, { services: ["temporal", "policy", "control", "rollout", "training"] }, async (campaign) => {
        await groups(campaign, 1, "train", 5);
        const { home } = campaign.settings;
        const before = await fingerprint(campaign.record, campaign.campaignId);
        await campaign.stack.stop();
        for (const suffix of ["", "-wal", "-shm"]) await rm(`${home}/services/temporal-1.8.2.db${suffix}`, { force: true });
        await startStack({ home, ports: "free", endsWithUs: true, services: ["temporal", "policy", "control", "rollout", "training"] });
        expect(readStack(home)).not.toBeNull();
        await campaign.relaunch();
        expect(await result(campaign)).toEqual(undisturbed);
        expect(undisturbed.fingerprint).toMatchObject(before);
      });
    },
    8 * MINUTE,
  );
});
