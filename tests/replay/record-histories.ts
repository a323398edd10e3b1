// Records the histories that replay.test.ts replays:  node tests/replay/record-histories.ts VERSION
// Run it when a release changes what the workflows do, and keep the files of earlier releases: campaigns outlive code.
import { realpathSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, Connection } from "@temporalio/client";
import { historyToJSON } from "@temporalio/common/lib/proto-utils.js";
import { NativeConnection, Worker } from "@temporalio/worker";
import { REPOSITORY } from "#adapters/settings.ts";
import {
  CONTROL_QUEUE,
  campaignWorkflowId,
  iterationWorkflowId,
  ROLLOUT_QUEUE,
  rolloutWorkflowId,
  TRAINING_QUEUE,
  testWorkflowId,
} from "#contracts/workflow-ids.ts";
import type { campaign } from "../../workflows/campaign.ts";
import {
  approveRewardUpdate,
  pauseUpdate,
  rejectRewardUpdate,
  resumeUpdate,
  setBudgetUpdate,
  statusQuery,
} from "../../workflows/messages.ts";
import { startTemporalServer } from "../support/temporal-server.ts";
import { campaignInput, fakeActivities, testConfig } from "../workflow/fake-activities.ts";

const version = process.argv[2];
if (version === undefined || !/^\d+$/.test(version)) throw new Error("usage: node tests/replay/record-histories.ts VERSION");

const server = await startTemporalServer();
const identity = "recorder";
const connection = await Connection.connect({ address: server.address });
const native = await NativeConnection.connect({ address: server.address });
const client = new Client({ connection, identity });
const workflowsPath = fileURLToPath(new URL("../../workflows/index.ts", import.meta.url));

const SPEAKER = { who: "recorder", why: "" };
/** One campaign with a reached budget, a pause, an approval, a rejection, a failed training stage and a test: every branch that a history can take. */
const brokenTraining = new Set([2]);
const { activities } = fakeActivities({ gate: "accept", brokenTraining, beforeGroup: () => new Promise((done) => setTimeout(done, 200)) });
const workers = await Promise.all(
  [CONTROL_QUEUE, ROLLOUT_QUEUE, TRAINING_QUEUE].map((taskQueue) =>
    Worker.create({
      connection: native,
      taskQueue,
      activities,
      identity,
      buildId: "recorded",
      ...(taskQueue === CONTROL_QUEUE ? { workflowsPath } : {}),
    }),
  ),
);
const running = workers.map((worker) => worker.run());
const base = testConfig();
const config = testConfig({
  calibration: { ...base.calibration, mode: "approve" },
  budget: { maxModelCalls: 50 },
  test: { tasks: 3, trials: 1 },
});
const handle = await client.workflow.start<typeof campaign>("campaign", {
  workflowId: campaignWorkflowId("recorded"),
  taskQueue: CONTROL_QUEUE,
  args: [campaignInput("recorded", config)],
});

async function reach(state: string, iteration: number): Promise<void> {
  for (;;) {
    const status = await handle.query(statusQuery);
    if (status.state === state && status.iteration === iteration) return;
    await new Promise((done) => setTimeout(done, 100));
  }
}

await reach("paused", 1);
await handle.executeUpdate(setBudgetUpdate, { args: [{ ...SPEAKER, budget: { maxModelCalls: 10_000 } }] });
await handle.executeUpdate(pauseUpdate, { args: [SPEAKER] });
await handle.executeUpdate(resumeUpdate, { args: [SPEAKER] });
await reach("waiting-for-approval", 1);
await handle.executeUpdate(approveRewardUpdate, { args: [SPEAKER] });
await reach("waiting-for-approval", 2);
await handle.executeUpdate(rejectRewardUpdate, { args: [SPEAKER] });
await reach("paused", 2);
brokenTraining.clear();
await handle.executeUpdate(resumeUpdate, { args: [SPEAKER] });
await handle.result();

for (const [name, workflowId] of Object.entries({
  campaign: campaignWorkflowId("recorded"),
  iteration: iterationWorkflowId("recorded", 1),
  "rollout-batch": rolloutWorkflowId("recorded", 1, "train"),
  "campaign-test": testWorkflowId("recorded"),
})) {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  await writeFile(
    fileURLToPath(new URL(`histories/${name}-${version}.json`, import.meta.url)),
    historyToJSON(history)
      .replaceAll(dirname(realpathSync(join(REPOSITORY, "node_modules"))), ".")
      .replaceAll(REPOSITORY, "."),
  );
  console.log(`${name}: ${history.events?.length ?? 0} events`);
}
for (const worker of workers) worker.shutdown();
await Promise.all(running);
await connection.close();
await native.close();
await server.stop();
