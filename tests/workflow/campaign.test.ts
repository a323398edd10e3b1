import "../support/quiet-temporal.ts";
import { fileURLToPath } from "node:url";
import { Client, Connection } from "@temporalio/client";
import { bundleWorkflowCode, NativeConnection, Worker, type WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { CONTROL_QUEUE, campaignWorkflowId, ROLLOUT_QUEUE, TRAINING_QUEUE } from "#contracts/workflow-ids.ts";
import type { campaign } from "../../workflows/campaign.ts";
import {
  approveRewardUpdate,
  pauseUpdate,
  rejectRewardUpdate,
  resumeUpdate,
  setBudgetUpdate,
  statusQuery,
  stopUpdate,
} from "../../workflows/messages.ts";
import { startTemporalServer, type TemporalServer } from "../support/temporal-server.ts";
import { campaignInput, type FakeOptions, fakeActivities, testConfig } from "./fake-activities.ts";

let server: TemporalServer;
let connection: Connection;
let native: NativeConnection;
let client: Client;
let bundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  server = await startTemporalServer();
  connection = await Connection.connect({ address: server.address });
  native = await NativeConnection.connect({ address: server.address });
  client = new Client({ connection });
  bundle = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)) });
});

afterAll(async () => {
  await connection?.close();
  await native?.close();
  await server?.stop();
});

const SPEAKER = { who: "ana@lab", why: "" };

let number = 0;

/** Runs `scenario` on a campaign with fake activities, on real workers and a real server. */
async function withCampaign(
  options: FakeOptions,
  overrides: Partial<CampaignConfig>,
  scenario: (context: { id: string; calls: string[]; handle: Awaited<ReturnType<typeof startCampaign>> }) => Promise<void>,
): Promise<void> {
  number += 1;
  const id = `test-${number}`;
  const { activities, calls } = fakeActivities(options);
  const workers = await Promise.all([
    Worker.create({ connection: native, taskQueue: CONTROL_QUEUE, workflowBundle: bundle, activities }),
    Worker.create({ connection: native, taskQueue: ROLLOUT_QUEUE, activities }),
    Worker.create({ connection: native, taskQueue: TRAINING_QUEUE, activities }),
  ]);
  const [control, rollout, training] = workers as [Worker, Worker, Worker];
  await control.runUntil(
    rollout.runUntil(
      training.runUntil(async () => {
        const handle = await startCampaign(id, testConfig(overrides));
        try {
          await scenario({ id, calls, handle });
        } finally {
          await handle.terminate("test over").catch(() => {});
        }
      }),
    ),
  );
}

async function startCampaign(id: string, config: CampaignConfig) {
  return client.workflow.start<typeof campaign>("campaign", {
    workflowId: campaignWorkflowId(id),
    taskQueue: CONTROL_QUEUE,
    args: [campaignInput(id, config)],
    workflowIdConflictPolicy: "USE_EXISTING",
  });
}

async function until(
  handle: { query(query: typeof statusQuery): Promise<CampaignStatus> },
  isReached: (status: CampaignStatus) => boolean,
): Promise<CampaignStatus> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const status = await handle.query(statusQuery);
    if (isReached(status)) return status;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`state never reached; last: ${JSON.stringify(await handle.query(statusQuery))}`);
}

/** A gate that holds groups back until it is opened. */
function createGate() {
  let open = (): void => {};
  const opened = new Promise<void>((done) => {
    open = done;
  });
  return { opened, open };
}

describe("campaign", () => {
  test("the base policy is measured first, then every iteration goes through the five stages in order", async () => {
    await withCampaign({}, {}, async ({ calls, handle }) => {
      const end = await handle.result();
      expect(end).toMatchObject({ state: "completed", numIterations: 2, finalPolicy: { name: "policy2" } });
      const stages = calls.filter((call) => !call.startsWith("group") && !call.startsWith("open"));
      expect(stages).toEqual([
        "select 0 base",
        "commit 0 base",
        "calibrate 1",
        "redesign 1 null",
        "batch 1 blobs/prior",
        "train 1 base",
        "select 1 policy1 against 0",
        "commit 1 policy1",
        "calibrate 2",
        "redesign 2 null",
        "batch 2 blobs/prior",
        "train 2 policy1",
        "select 2 policy2 against 1",
        "commit 2 policy2",
        "end completed",
      ]);
    });
  });

  test("what the check of the policy's server found reaches the record with the stage that it came before", async () => {
    const found: string[] = [];
    const onCanary: FakeOptions["onCanary"] = (stage, iteration, canary) => {
      found.push(`${stage} ${iteration} ${canary?.numTurns} ${canary?.meanDifference}`);
    };
    await withCampaign({ onCanary }, {}, async ({ handle }) => {
      await handle.result();
      const [base, first, second] = ["selection 0 64 0", "rollout 1 64 0.000001", "selection 1 64 0.000001"];
      expect(found.slice(0, 3)).toEqual([base, first, second]);
    });
  });

  test("every planned group is rolled out exactly once, by the promoted policy", async () => {
    await withCampaign({ promotion: "keep" }, {}, async ({ calls, handle }) => {
      await handle.result();
      const groups = calls.filter((call) => call.startsWith("group"));
      expect(new Set(groups).size).toBe(groups.length);
      expect(groups.filter((call) => call.includes(" train "))).toHaveLength(2 * 4);
      expect(groups.filter((call) => call.includes("2 train")).sort()).toEqual(
        ["t1", "t2", "t3", "t4"].map((task) => `group 2 train ${task} base`),
      );
    });
  });

  test("starting the same campaign twice gives one campaign", async () => {
    const gate = createGate();
    await withCampaign({ beforeGroup: () => gate.opened }, {}, async ({ id, handle }) => {
      const second = await startCampaign(id, testConfig());
      expect(second.firstExecutionRunId).toBe(handle.firstExecutionRunId);
      gate.open();
      await handle.result();
    });
  });

  test("an accepted table is used for the batch of its own iteration and stays", async () => {
    await withCampaign({ gate: "accept" }, {}, async ({ calls, handle }) => {
      await handle.result();
      expect(calls).toContain("batch 1 blobs/table1");
      expect(calls).toContain("batch 2 blobs/table2");
    });
  });

  test("a batch without a live row trains nothing and keeps the policy", async () => {
    await withCampaign({ numLiveRows: 0 }, {}, async ({ calls, handle }) => {
      expect((await handle.result()).finalPolicy.name).toBe("base");
      expect(calls.filter((call) => call.startsWith("train"))).toEqual([]);
    });
  });

  test("mode approve waits for a person, and a rejected table is not used", async () => {
    const calibration = { ...testConfig().calibration, mode: "approve" as const };
    await withCampaign({ gate: "accept" }, { calibration }, async ({ calls, handle }) => {
      await until(handle, ({ state }) => state === "waiting-for-approval");
      expect(await handle.executeUpdate(approveRewardUpdate, { args: [SPEAKER] })).toBe("running");
      await until(handle, ({ state, iteration }) => state === "waiting-for-approval" && iteration === 2);
      await handle.executeUpdate(rejectRewardUpdate, { args: [SPEAKER] });
      await handle.result();
      expect(calls).toContain("batch 1 blobs/table1");
      expect(calls).toContain("redesign 2 rejected");
      expect(calls).toContain("batch 2 blobs/table1");
    });
  });

  test("approving a campaign that does not wait is refused with a code", async () => {
    const gate = createGate();
    await withCampaign({ beforeGroup: () => gate.opened }, {}, async ({ handle }) => {
      await expect(handle.executeUpdate(approveRewardUpdate, { args: [SPEAKER] })).rejects.toMatchObject({
        cause: { type: "campaign.not-waiting" },
      });
      gate.open();
      await handle.result();
    });
  });

  test("while paused no new group begins; after resume the campaign ends as if nothing had been", async () => {
    const gate = createGate();
    await withCampaign(
      { beforeGroup: (taskId, iteration) => (iteration === 1 && taskId === "t1" ? gate.opened : Promise.resolve()) },
      {},
      async ({ calls, handle }) => {
        await until(handle, ({ iteration, stage }) => iteration === 1 && stage === "rollout");
        await handle.executeUpdate(pauseUpdate, { args: [SPEAKER] });
        gate.open();
        await new Promise((done) => setTimeout(done, 1_000));
        const before = calls.length;
        await new Promise((done) => setTimeout(done, 1_000));
        expect(calls.length).toBe(before);
        expect((await handle.query(statusQuery)).state).toBe("paused");
        await handle.executeUpdate(resumeUpdate, { args: [SPEAKER] });
        expect(await handle.result()).toMatchObject({ state: "completed", numIterations: 2 });
      },
    );
  });

  test("a failure that retries cannot cure pauses the campaign with its code, and resume goes on", async () => {
    const brokenTraining = new Set([1]);
    await withCampaign({ brokenTraining }, {}, async ({ calls, handle }) => {
      const status = await until(handle, ({ state }) => state === "paused");
      expect(status.reason).toMatchObject({ code: "trainer.diverged", next: expect.stringContaining("turnwise campaign resume") });
      brokenTraining.clear();
      await handle.executeUpdate(resumeUpdate, { args: [SPEAKER] });
      expect(await handle.result()).toMatchObject({ state: "completed", finalPolicy: { name: "policy2" } });
      expect(calls.filter((call) => call === "train 1 base")).toHaveLength(1);
    });
  });

  test("a guard pauses once; resuming acknowledges it", async () => {
    await withCampaign({ truncationRates: [0, 0.1, 0.3] }, {}, async ({ handle }) => {
      const status = await until(handle, ({ state }) => state === "paused");
      expect(status.reason?.code).toBe("guard.truncation");
      await handle.executeUpdate(resumeUpdate, { args: [SPEAKER] });
      expect(await handle.result()).toMatchObject({ state: "completed" });
    });
  });

  test("the budget pauses between iterations; a larger one lets the campaign go on", async () => {
    await withCampaign({}, { budget: { maxModelCalls: 40 } }, async ({ handle }) => {
      const status = await until(handle, ({ state }) => state === "paused");
      expect(status.reason?.code).toBe("guard.budget");
      await handle.executeUpdate(setBudgetUpdate, { args: [{ ...SPEAKER, budget: { maxModelCalls: 10_000 } }] });
      await handle.executeUpdate(resumeUpdate, { args: [SPEAKER] });
      expect(await handle.result()).toMatchObject({ state: "completed" });
    });
  });

  test("stop ends a running campaign and keeps the promoted policy", async () => {
    const gate = createGate();
    await withCampaign(
      { beforeGroup: (_task, iteration) => (iteration === 2 ? gate.opened : Promise.resolve()) },
      {},
      async ({ handle, calls }) => {
        await until(handle, ({ iteration, stage }) => iteration === 2 && stage === "rollout");
        const stopping = handle.executeUpdate(stopUpdate, { args: [{ ...SPEAKER, why: "enough", withTest: false }] });
        gate.open();
        expect(await stopping).toBe("stopping");
        expect(await handle.result()).toMatchObject({ state: "stopped", reason: "enough", finalPolicy: { name: "policy1" } });
        expect(calls).toContain("end stopped");
      },
    );
  });

  test("the target pass rate ends the campaign early", async () => {
    await withCampaign({}, { stop: { maxIterations: 5, targetPassRate: 0.6 } }, async ({ handle }) => {
      expect(await handle.result()).toMatchObject({ state: "completed", numIterations: 1, reason: expect.stringContaining("target") });
    });
  });
});
