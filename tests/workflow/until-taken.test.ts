// Work that nobody takes, on a real server: told when no worker is there, waited for when the workers are busy with others.
import "../support/quiet-temporal.ts";
import { fileURLToPath } from "node:url";
import { Client, Connection, WorkflowFailedError } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import { bundleWorkflowCode, NativeConnection, Worker } from "@temporalio/worker";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { readSettings } from "#adapters/settings.ts";
import { findQueueWorkers, pendingActivities } from "#adapters/temporal/queue-workers.ts";
import { CampaignClient } from "#application/campaign/campaign-client.ts";
import { findWaiting } from "#application/campaign/waiting.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { isServed } from "#contracts/queue-workers.ts";
import { CONTROL_QUEUE } from "#contracts/workflow-ids.ts";
import { createQueueActivities } from "../../activities/queue.ts";
import { pauseUpdate } from "../../workflows/messages.ts";
import { startTemporalServer, type TemporalServer } from "../support/temporal-server.ts";
import { campaignInput } from "./fake-activities.ts";
import type { takesWork } from "./taken-workflow.ts";

let server: TemporalServer;
let connection: Connection;
let native: NativeConnection;
let client: Client;
let control: Worker;
let isOver: Promise<void>;
/** What the workflows were told, in order. */
const asked: string[] = [];

beforeAll(async () => {
  server = await startTemporalServer();
  connection = await Connection.connect({ address: server.address });
  native = await NativeConnection.connect({ address: server.address });
  client = new Client({ connection });
  let time = 0;
  const { findWorkers } = createQueueActivities({
    findQueueWorkers: (queue) => findQueueWorkers(client, queue),
    // A minute of waiting in three questions.
    clock: { now: () => (time += 15_000), sleep: () => new Promise((done) => setTimeout(done, 100)) },
  });
  control = await Worker.create({
    connection: native,
    taskQueue: "control",
    workflowBundle: await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL("taken-workflow.ts", import.meta.url)) }),
    activities: {
      async findWorkers(input: { queue: string }) {
        const found = await findWorkers(input);
        asked.push(`${found.queue} ${isServed(found) ? "served" : "nobody"}`);
        return found;
      },
    },
  });
  isOver = control.run();
});
afterAll(async () => {
  control?.shutdown();
  await isOver;
  await connection?.close();
  await native?.close();
  await server?.stop();
});

const start = (queue: string, name: string) =>
  client.workflow.start<typeof takesWork>("takesWork", { workflowId: name, taskQueue: "control", args: [queue, name] });
const createWorker = (taskQueue: string, work: (name: string) => Promise<string>) =>
  Worker.create({ connection: native, taskQueue, maxConcurrentActivityTaskExecutions: 1, activities: { work } });

test("a queue without a worker ends in service.no-worker, not retryable, with the command that starts one", async () => {
  const handle = await start("turnwise-training", "alone");
  const error = await handle.result().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  const { cause } = error as WorkflowFailedError;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  expect(cause).toMatchObject({ type: "service.no-worker", nonRetryable: true });
  expect(cause?.message).toContain("node infra/setup/run.mjs workers/training.ts");
  expect(asked).toEqual(["turnwise-training nobody"]);
  expect(await findQueueWorkers(client, "turnwise-training")).toEqual({ queue: "turnwise-training", isPolled: false, busyWith: [] });
});

test("work for a busy worker waits as long as it must, and goes into the queue again and again", async () => {
  const release = Promise.withResolvers<void>();
  const worker = await createWorker("busy", async (name) => {
    if (name === "first") await release.promise;
    return `${name} done`;
  });
  await worker.runUntil(async () => {
    const first = await start("busy", "first");
    await vi.waitFor(async () => expect(await pendingActivities(client, "first")).toMatchObject([{ hasBegun: true, queue: "busy" }]));
    const second = await start("busy", "second");
    await vi.waitFor(() => expect(asked.filter((line) => line === "busy served").length).toBeGreaterThanOrEqual(2), { timeout: 20_000 });
    expect((await findQueueWorkers(client, "busy")).busyWith).toEqual(["first"]);
    expect((await second.describe()).status.name).toBe("RUNNING");
    release.resolve();
    expect(await Promise.all([first.result(), second.result()])).toEqual(["first done", "second done"]);
  });
}, 40_000);

test("a worker that starts while it is asked for takes the work", async () => {
  const handle = await start("late", "patient");
  await vi.waitFor(async () => expect(await pendingActivities(client, "patient")).toMatchObject([{ hasBegun: false, queue: "late" }]));
  const worker = await createWorker("late", async (name) => `${name} done`);
  expect(await worker.runUntil(handle.result())).toBe("patient done");
});

test("a person is told of work without a worker, and of a worker that is busy with another campaign", async () => {
  const place = { home: "/home/of/the/stack", services: ["control", "rollout"], remoteAddress: null };
  const status = (campaignId: string) => ({ campaignId, iteration: 1 }) as CampaignStatus;
  const options = (id: string) => ({
    workflowId: `campaign/${id}/iteration/1`,
    taskQueue: "control",
    args: ["turnwise-rollout", id, 60] as [string, string, number],
  });
  const stuck = await client.workflow.start<typeof takesWork>("takesWork", options("stuck"));
  const told = (id: string) => findWaiting(client, status(id), place);
  await vi.waitFor(async () => expect((await told("stuck"))?.message).toContain("no worker takes the work of turnwise-rollout"), {
    timeout: 20_000,
  });
  expect(await told("not-begun")).toBeNull();

  const release = Promise.withResolvers<void>();
  const worker = await createWorker("turnwise-rollout", async (name) => {
    await release.promise;
    return name;
  });
  await worker.runUntil(async () => {
    await vi.waitFor(async () => expect(await told("stuck")).toBeNull(), { timeout: 20_000 });
    const second = await client.workflow.start<typeof takesWork>("takesWork", options("second"));
    const busy = "waits for a free worker of turnwise-rollout, which works for campaign stuck";
    await vi.waitFor(async () => expect(await told("second")).toEqual({ message: busy, next: null }), { timeout: 20_000 });
    release.resolve();
    await Promise.all([stuck.result(), second.result()]);
  });
}, 60_000);

test("the command line says that nobody works for the workflows, where a call would only time out", async () => {
  const cli = await CampaignClient.connect(readSettings({ TURNWISE_HOME: "/nowhere", TURNWISE_TEMPORAL_ADDRESS: server.address }));
  await cli.start(campaignInput("unheard"));
  const answers = await Promise.all(
    [cli.status("unheard"), cli.steer("unheard", pauseUpdate, { who: "a@b", why: "" })].map((call) =>
      call.catch((error: unknown) => error),
    ),
  );
  for (const answer of answers)
    expect(answer).toMatchObject({ code: "service.no-worker", message: "no worker takes the work of turnwise-control-2" });
  await cli.close();
}, 60_000);

test("the queue of workflows is seen as served by whoever asks for workflows", async () => {
  expect(await findQueueWorkers(client, CONTROL_QUEUE)).toMatchObject({ isPolled: false });
  const worker = await Worker.create({
    connection: native,
    taskQueue: CONTROL_QUEUE,
    workflowsPath: fileURLToPath(new URL("taken-workflow.ts", import.meta.url)),
  });
  await worker.runUntil(() =>
    vi.waitFor(async () => expect(await findQueueWorkers(client, CONTROL_QUEUE)).toMatchObject({ isPolled: true })),
  );
});
