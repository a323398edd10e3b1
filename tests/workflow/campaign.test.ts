import "../support/quiet-temporal.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  approveRewardUpdate,
  pauseUpdate,
  rejectRewardUpdate,
  resumeUpdate,
  setBudgetUpdate,
  stopUpdate,
} from "../../workflows/messages.ts";
import { CampaignWorld, createGate, SPEAKER } from "./campaign-world.ts";
import { campaignInput, type FakeOptions, testConfig } from "./fake-activities.ts";

let world: CampaignWorld;
beforeAll(async () => {
  world = await CampaignWorld.open();
});
afterAll(() => world?.close());

describe.concurrent("campaign", () => {
  test("the base policy is measured first, then every iteration goes through the five stages in order", async () => {
    await world.run({}, {}, async (campaign) => {
      const end = await campaign.handle.result();
      expect(end).toMatchObject({ state: "completed", numIterations: 2, finalPolicy: { name: "policy2" } });
      const stages = campaign.calls.filter((call) => !call.startsWith("group") && !call.startsWith("open"));
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
    await world.run({ onCanary }, {}, async (campaign) => {
      await campaign.handle.result();
      const [base, first, second] = ["selection 0 64 0", "rollout 1 64 0.000001", "selection 1 64 0.000001"];
      expect(found.slice(0, 3)).toEqual([base, first, second]);
    });
  });

  test("every planned group is rolled out exactly once, by the promoted policy", async () => {
    await world.run({ promotion: "keep" }, {}, async (campaign) => {
      await campaign.handle.result();
      const groups = campaign.calls.filter((call) => call.startsWith("group"));
      expect(new Set(groups).size).toBe(groups.length);
      expect(groups.filter((call) => call.includes(" train "))).toHaveLength(2 * 4);
      expect(groups.filter((call) => call.includes("2 train")).sort()).toEqual(
        ["t1", "t2", "t3", "t4"].map((task) => `group 2 train ${task} base`),
      );
    });
  });

  test("starting the same campaign twice gives one campaign", async () => {
    const gate = createGate();
    await world.run({ beforeGroup: () => gate.opened }, {}, async (campaign) => {
      const second = await campaign.start(campaignInput(campaign.id, testConfig()));
      expect(second.firstExecutionRunId).toBe(campaign.handle.firstExecutionRunId);
      gate.open();
      await campaign.handle.result();
    });
  });

  test("an accepted table is used for the batch of its own iteration and stays", async () => {
    await world.run({ gate: "accept" }, {}, async (campaign) => {
      await campaign.handle.result();
      expect(campaign.calls).toContain("batch 1 blobs/table1");
      expect(campaign.calls).toContain("batch 2 blobs/table2");
    });
  });

  test("a batch without a live row trains nothing and keeps the policy", async () => {
    await world.run({ numLiveRows: 0 }, {}, async (campaign) => {
      expect((await campaign.handle.result()).finalPolicy.name).toBe("base");
      expect(campaign.calls.filter((call) => call.startsWith("train"))).toEqual([]);
    });
  });

  test("mode approve waits for a person, and a rejected table is not used", async () => {
    const calibration = { ...testConfig().calibration, mode: "approve" as const };
    await world.run({ gate: "accept" }, { calibration }, async (campaign) => {
      await campaign.until(({ state }) => state === "waiting-for-approval");
      expect(await campaign.handle.executeUpdate(approveRewardUpdate, { args: [SPEAKER] })).toBe("running");
      await campaign.until(({ state, iteration }) => state === "waiting-for-approval" && iteration === 2);
      await campaign.handle.executeUpdate(rejectRewardUpdate, { args: [SPEAKER] });
      await campaign.handle.result();
      expect(campaign.calls).toContain("batch 1 blobs/table1");
      expect(campaign.calls).toContain("redesign 2 rejected");
      expect(campaign.calls).toContain("batch 2 blobs/table1");
    });
  });

  test("approving a campaign that does not wait is refused with a code", async () => {
    const gate = createGate();
    await world.run({ beforeGroup: () => gate.opened }, {}, async (campaign) => {
      await expect(campaign.handle.executeUpdate(approveRewardUpdate, { args: [SPEAKER] })).rejects.toMatchObject({
        cause: { type: "campaign.not-waiting" },
      });
      gate.open();
      await campaign.handle.result();
    });
  });

  test("while paused no new group begins; after resume the campaign ends as if nothing had been", async () => {
    const gate = createGate();
    await world.run(
      { beforeGroup: (taskId, iteration) => (iteration === 1 && taskId === "t1" ? gate.opened : Promise.resolve()) },
      {},
      async (campaign) => {
        await campaign.until(({ iteration, stage }) => iteration === 1 && stage === "rollout");
        await campaign.handle.executeUpdate(pauseUpdate, { args: [SPEAKER] });
        gate.open();
        await new Promise((done) => setTimeout(done, 1_000));
        const before = campaign.calls.length;
        await new Promise((done) => setTimeout(done, 1_000));
        expect(campaign.calls.length).toBe(before);
        expect((await campaign.status()).state).toBe("paused");
        await campaign.handle.executeUpdate(resumeUpdate, { args: [SPEAKER] });
        expect(await campaign.handle.result()).toMatchObject({ state: "completed", numIterations: 2 });
      },
    );
  });

  test("a failure that retries cannot cure pauses the campaign with its code, and resume goes on", async () => {
    const brokenTraining = new Set([1]);
    await world.run({ brokenTraining }, {}, async (campaign) => {
      const status = await campaign.until(({ state }) => state === "paused");
      expect(status.reason).toMatchObject({ code: "trainer.diverged", next: expect.stringContaining("turnwise campaign resume") });
      brokenTraining.clear();
      await campaign.handle.executeUpdate(resumeUpdate, { args: [SPEAKER] });
      expect(await campaign.handle.result()).toMatchObject({ state: "completed", finalPolicy: { name: "policy2" } });
      expect(campaign.calls.filter((call) => call === "train 1 base")).toHaveLength(1);
    });
  });

  test("a guard pauses once; resuming acknowledges it", async () => {
    await world.run({ truncationRates: [0, 0.1, 0.3] }, {}, async (campaign) => {
      const status = await campaign.until(({ state }) => state === "paused");
      expect(status.reason?.code).toBe("guard.truncation");
      await campaign.handle.executeUpdate(resumeUpdate, { args: [SPEAKER] });
      expect(await campaign.handle.result()).toMatchObject({ state: "completed" });
    });
  });

  test("the budget pauses between iterations; a larger one lets the campaign go on", async () => {
    await world.run({}, { budget: { maxModelCalls: 40 } }, async (campaign) => {
      const status = await campaign.until(({ state }) => state === "paused");
      expect(status.reason?.code).toBe("guard.budget");
      await campaign.handle.executeUpdate(setBudgetUpdate, { args: [{ ...SPEAKER, budget: { maxModelCalls: 10_000 } }] });
      await campaign.handle.executeUpdate(resumeUpdate, { args: [SPEAKER] });
      expect(await campaign.handle.result()).toMatchObject({ state: "completed" });
    });
  });

  test("stop ends a running campaign and keeps the promoted policy", async () => {
    const gate = createGate();
    await world.run({ beforeGroup: (_task, iteration) => (iteration === 2 ? gate.opened : Promise.resolve()) }, {}, async (campaign) => {
      await campaign.until(({ iteration, stage }) => iteration === 2 && stage === "rollout");
      const stopping = campaign.handle.executeUpdate(stopUpdate, { args: [{ ...SPEAKER, why: "enough", withTest: false }] });
      gate.open();
      expect(await stopping).toBe("stopping");
      expect(await campaign.handle.result()).toMatchObject({ state: "stopped", reason: "enough", finalPolicy: { name: "policy1" } });
      expect(campaign.calls).toContain("end stopped");
    });
  });

  test("the target pass rate ends the campaign early", async () => {
    await world.run({}, { stop: { maxIterations: 5, targetPassRate: 0.6 } }, async (campaign) => {
      expect(await campaign.handle.result()).toMatchObject({
        state: "completed",
        numIterations: 1,
        reason: expect.stringContaining("target"),
      });
    });
  });
});
