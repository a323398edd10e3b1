import "../support/quiet-temporal.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { iterationWorkflowId } from "#contracts/workflow-ids.ts";
import {
  approveRewardUpdate,
  pauseUpdate,
  rejectRewardUpdate,
  resumeUpdate,
  setBudgetUpdate,
  stageSignal,
  stopUpdate,
} from "../../workflows/messages.ts";
import { CampaignWorld, codeOf, createGate, SPEAKER, steer } from "./campaign-world.ts";
import { campaignInput, type FakeOptions, testConfig } from "./fake-activities.ts";

const TESTED = { test: { tasks: 3, trials: 1 } };

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
      // In the words of the failure that has the code, not of what caused it in turn.
      const next = expect.stringContaining("turnwise campaign resume");
      expect(status.reason).toMatchObject({ code: "trainer.diverged", message: "gradient norm 1e9", next });
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

  test.each([
    [true, { base: {}, final: {} }, null],
    [false, null, "it was stopped before its test"],
  ])(
    "a stop (with the test: %s) in the middle of an iteration: what is measured is the promoted policy",
    async (withTest, result, noTestReason) => {
      const gate = createGate();
      const beforeGroup: FakeOptions["beforeGroup"] = (task, iteration) =>
        task.startsWith("t") && iteration === 2 ? gate.opened : Promise.resolve();
      await world.run({ beforeGroup }, TESTED, async (campaign) => {
        await campaign.until(({ iteration, stage }) => iteration === 2 && stage === "rollout");
        await steer.stop(campaign, withTest);
        gate.open();
        const end = await campaign.handle.result();
        expect(end).toMatchObject({ state: "stopped", reason: "enough", numIterations: 1, finalPolicy: { name: "policy1" }, noTestReason });
        expect(end).toMatchObject({ test: result });
        expect(campaign.calls.filter((call) => call.startsWith("test"))).toEqual(withTest ? ["test 1 base policy1"] : []);
      });
    },
  );

  test("a paused campaign that is stopped with its test opens it without another word", async () => {
    await world.run({ truncationRates: [0, 0.1, 0.3] }, TESTED, async (campaign) => {
      await campaign.until(({ state }) => state === "paused");
      expect(await steer.stop(campaign, true)).toBe("stopping");
      expect(await campaign.handle.result()).toMatchObject({ state: "stopped", test: { base: {}, final: {} } });
    });
  });

  test("a campaign that is paused when its iterations are done ends when somebody resumes", async () => {
    const gate = createGate();
    const beforeStage: FakeOptions["beforeStage"] = (name, iteration) =>
      `${name} ${iteration}` === "commit 2" ? gate.opened : Promise.resolve();
    await world.run({ beforeStage }, {}, async (campaign) => {
      await campaign.until(() => campaign.calls.includes("select 2 policy2 against 1"));
      expect(await steer.pause(campaign)).toBe("paused");
      gate.open();
      await campaign.until(() => campaign.fakes.iterations.length === 3);
      expect(await steer.budget(campaign, { maxUsd: 5 })).toBe("paused");
      expect(campaign.fakes.ends).toEqual([]);
      await steer.resume(campaign);
      expect(await campaign.handle.result()).toMatchObject({ state: "completed", numIterations: 2 });
    });
  });

  test("a stop while an iteration is being committed ends the campaign with that iteration", async () => {
    const gate = createGate();
    const beforeStage: FakeOptions["beforeStage"] = (name, iteration) =>
      `${name} ${iteration}` === "commit 1" ? gate.opened : Promise.resolve();
    await world.run({ beforeStage }, {}, async (campaign) => {
      await campaign.until(() => campaign.calls.includes("select 1 policy1 against 0"));
      await steer.stop(campaign);
      gate.open();
      const end = await campaign.handle.result();
      const [, first] = campaign.fakes.iterations;
      // Stopped before its commit began, it is not there; after that it is, in the end too.
      expect(end).toMatchObject({ state: "stopped", finalPolicy: { name: first === undefined ? "base" : "policy1" } });
      expect(end).toMatchObject({ numIterations: campaign.fakes.iterations.length - 1 });
    });
  });

  test("the test is opened once, for the base and the promoted policy, when the iterations are done", async () => {
    await world.run({}, TESTED, async (campaign) => {
      expect(await campaign.handle.result()).toMatchObject({ state: "completed", test: { base: {}, final: {} }, finalIteration: 2 });
      const test = campaign.calls.filter((call) => call.includes(" test ") || call.startsWith("test "));
      expect(test.toSorted()).toEqual([
        ...[1, 2, 3].map((task) => `group 0 test x${task} base`),
        ...[1, 2, 3].map((task) => `group 2 test x${task} policy2`),
        "test 2 base policy2",
      ]);
      expect(campaign.calls.slice(campaign.calls.indexOf("commit 2 policy2")).slice(-1)).toEqual(["end completed"]);
    });
  });

  test("a final policy that is the base policy is tested once", async () => {
    await world.run({ promotion: "keep" }, TESTED, async (campaign) => {
      expect(await campaign.handle.result()).toMatchObject({ finalIteration: 0, finalPolicy: { name: "base" } });
      expect(campaign.calls.filter((call) => call.includes(" test "))).toHaveLength(3);
    });
  });

  test("selection: null selects nothing: every trained policy follows, nothing is measured before the test", async () => {
    await world.run({}, { ...TESTED, selection: null }, async (campaign) => {
      const end = await campaign.handle.result();
      expect(end).toMatchObject({ state: "completed", finalPolicy: { name: "policy2" }, finalIteration: 2, test: { final: {} } });
      expect(campaign.calls.filter((call) => call.includes("select"))).toEqual([]);
      expect(campaign.fakes.iterations.map(({ selectionPassRate, promotion }) => `${selectionPassRate} ${promotion}`)).toEqual([
        "null none",
        "null promote",
        "null promote",
      ]);
    });
  });

  test("an iteration that somebody cancels in Temporal pauses its campaign, which goes on when it is resumed", async () => {
    const gate = createGate();
    await world.run({ beforeGroup: (_task, iteration) => (iteration === 1 ? gate.opened : Promise.resolve()) }, {}, async (campaign) => {
      await campaign.until(({ iteration, stage }) => iteration === 1 && stage === "rollout");
      await world.client.workflow.getHandle(iterationWorkflowId(campaign.id, 1)).cancel();
      const { reason } = await campaign.until(({ state }) => state === "paused");
      expect(reason?.code).toBe("campaign.iteration-failed");
      gate.open();
      await steer.resume(campaign);
      expect(await campaign.handle.result()).toMatchObject({ state: "completed", numIterations: 2 });
    });
  });

  test("what a child that is not at work says of its stage is not believed", async () => {
    await world.run({ truncationRates: [0, 0.1, 0.3] }, {}, async (campaign) => {
      const before = await campaign.until(({ state }) => state === "paused");
      await campaign.handle.signal(stageSignal, { iteration: 2, stage: "redesign", question: { table: "0".repeat(64) } });
      await campaign.handle.signal(stageSignal, { iteration: 1, stage: "redesign", question: { table: "0".repeat(64) } });
      expect(await campaign.status()).toEqual(before);
      expect(await codeOf(steer.approve(campaign))).toBe("campaign.not-waiting");
    });
  });
});
