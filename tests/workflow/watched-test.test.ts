// What a person who watches sees of the test, with the real workflows, a real server and the command line's own client.
import "../support/quiet-temporal.ts";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { bundleWorkflowCode, NativeConnection, Worker } from "@temporalio/worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSettings } from "#adapters/settings.ts";
import { CampaignClient } from "#application/campaign/campaign-client.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { CONTROL_QUEUE, ROLLOUT_QUEUE, TRAINING_QUEUE } from "#contracts/workflow-ids.ts";
import { describeStatus } from "../../src/cli/campaign/watch.ts";
import { startTemporalServer, type TemporalServer } from "../support/temporal-server.ts";
import { campaignInput, fakeActivities, testConfig } from "./fake-activities.ts";

let server: TemporalServer;
let native: NativeConnection;

beforeAll(async () => {
  server = await startTemporalServer();
  native = await NativeConnection.connect({ address: server.address });
});
afterAll(async () => {
  await native?.close();
  await server?.stop();
});

test("the test of the final policy is watched group by group, and what it waits for is found", { timeout: 120_000 }, async () => {
  let isHeld = true;
  const held = { isReached: false };
  const { activities } = fakeActivities({
    beforeGroup: async (taskId, iteration) => {
      while (isHeld && taskId === "x2" && iteration === 1) {
        held.isReached = true;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  });
  const workflowBundle = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)) });
  const workers = await Promise.all([
    Worker.create({ connection: native, taskQueue: CONTROL_QUEUE, workflowBundle, activities }),
    Worker.create({ connection: native, taskQueue: ROLLOUT_QUEUE, activities }),
    Worker.create({ connection: native, taskQueue: TRAINING_QUEUE, activities }),
  ]);
  const runs = workers.map((worker) => worker.run());
  const client = await CampaignClient.connect(readSettings({ TURNWISE_TEMPORAL_ADDRESS: server.address }));
  try {
    const config = testConfig({ test: { tasks: 3, trials: 1 }, stop: { maxIterations: 1 } });
    await client.start(campaignInput("watched", { ...config, rollout: { ...config.rollout, concurrentGroups: 1 } }));
    const status = await statusOnce(client, "watched", ({ stage, progress }) => held.isReached && stage === "test" && progress?.done === 1);
    expect(status).toMatchObject({ stage: "test", promotedIteration: 1, promotedPolicy: "policy1", progress: { done: 1, total: 3 } });
    expect(stripVTControlCharacters(describeStatus(status, null))).toMatch(/^campaign's end test +━+ 1\/3 groups$/);
    expect(await client.waiting(status)).toBeNull();
    isHeld = false;
    await expect.poll(() => client.status("watched"), { timeout: 30_000 }).toBeNull();
  } finally {
    isHeld = false;
    await client.close();
    for (const worker of workers) worker.shutdown();
    await Promise.all(runs);
  }
});

async function statusOnce(client: CampaignClient, id: string, isSo: (status: CampaignStatus) => boolean): Promise<CampaignStatus> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const status = await client.status(id);
    if (status !== null && isSo(status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the campaign did not come to where it was waited for");
}
