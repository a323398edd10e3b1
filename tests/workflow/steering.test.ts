// What is said to a campaign lasts: in the record before it has an effect, through continue-as-new, through the loss of Temporal's database,
// and at whatever moment it is said.
import "../support/quiet-temporal.ts";
import { ApplicationFailure } from "@temporalio/common";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SteeringWord } from "#contracts/steering.ts";
import { CampaignWorld, codeOf, createGate, type RunningCampaign, SPEAKER, steer } from "./campaign-world.ts";
import { type FakeOptions, type Fakes, rebuiltInput, ref, testConfig } from "./fake-activities.ts";

let world: CampaignWorld;
beforeAll(async () => {
  world = await CampaignWorld.open();
});
afterAll(() => world?.close());

const APPROVING = { calibration: { ...testConfig().calibration, mode: "approve" as const } };
const TESTED = { test: { tasks: 3, trials: 1 } };

/** Everything that a record holds, but for times of the clock. */
function recordOf({ calls, words, iterations, ends }: Fakes, id: string) {
  const named = (value: object) => ({ ...value, campaignId: value["campaignId" as keyof object] === id });
  return {
    calls,
    words: words.map((word) => ({ ...named(word), at: "" })),
    iterations: iterations.map((iteration) => ({ ...named(iteration), runningSeconds: 0 })),
    ends: ends.map(named),
  };
}

describe.concurrent("continue-as-new after every iteration", () => {
  /** Words before and after every boundary; one group at a time, so that the order of calls is the same in every campaign. */
  async function live(isStopped: boolean, iterationsPerRun?: number) {
    let record = {};
    let numRuns = 0;
    const brokenTraining = new Set([3]);
    const options: FakeOptions = { gate: "accept", truncationRates: [0, 0.1, 0.3, 0.3], brokenTraining };
    const overrides = {
      ...APPROVING,
      ...TESTED,
      budget: { maxModelCalls: 60, maxUsd: 1000 },
      stop: { maxIterations: 3 },
      rollout: { ...testConfig().rollout, concurrentGroups: 1 },
    };
    const scenario = async (campaign: RunningCampaign) => {
      const ask = (iteration: number) =>
        campaign.until((status) => status.state === "waiting-for-approval" && status.iteration === iteration);
      const pausedBy = (code: string) => campaign.until(({ state, reason }) => state === "paused" && reason?.code === code);
      await pausedBy("guard.budget"); // 30 calls of selection, 30 of iteration 1
      await steer.budget(campaign, { maxModelCalls: 10_000 });
      await ask(1);
      await steer.pause(campaign);
      await steer.approve(campaign);
      await steer.resume(campaign);
      await pausedBy("guard.truncation"); // iteration 2
      await steer.resume(campaign);
      await ask(2);
      await steer.reject(campaign);
      await ask(3);
      await steer.approve(campaign);
      await pausedBy("trainer.diverged");
      brokenTraining.clear();
      if (isStopped) await steer.stop(campaign, true);
      else await steer.resume(campaign);
      await campaign.handle.result();
      record = recordOf(campaign.fakes, campaign.id);
      numRuns = await world.countRuns(campaign.id);
    };
    await world.run(options, overrides, scenario, iterationsPerRun === undefined ? {} : { iterationsPerRun });
    return { record, numRuns };
  }

  test.each([false, true])(
    "leaves the same record as one run of the workflow (stopped: %s)",
    async (isStopped) => {
      const [whole, cut] = await Promise.all([live(isStopped), live(isStopped, 1)]);
      expect(whole.numRuns).toBe(1);
      expect(cut.numRuns).toBeGreaterThanOrEqual(3);
      expect(cut.record).toEqual(whole.record);
    },
    120_000,
  );

  test("keeps the running time", async () => {
    await world.run(
      {},
      {},
      async (campaign) => {
        await campaign.handle.result();
        const { iterations } = campaign.fakes;
        const sum = iterations.reduce((total, { runningSeconds }) => total + runningSeconds, 0);
        const { runningSeconds } = await campaign.status();
        expect(iterations.map(({ iteration }) => iteration)).toEqual([0, 1, 2]);
        for (const iteration of iterations) expect(iteration.runningSeconds).toBeGreaterThan(0);
        expect(runningSeconds).toBeGreaterThanOrEqual(sum);
      },
      { iterationsPerRun: 1 },
    );
  });
});

describe.concurrent("a word is in the record before it has an effect", () => {
  test("held back on its way into the record, it changes nothing", async () => {
    const record = createGate();
    const coming = createGate();
    const beforeWord = async ({ word }: SteeringWord) => {
      if (word !== "approve") return;
      coming.open();
      await record.opened;
    };
    await world.run({ gate: "accept", beforeWord }, APPROVING, async (campaign) => {
      const before = await campaign.until(({ state }) => state === "waiting-for-approval");
      const answer = steer.approve(campaign);
      await coming.opened;
      const { runningSeconds: _, ...held } = await campaign.status();
      expect(held).toEqual({ ...held, ...before, runningSeconds: undefined });
      expect(campaign.calls).not.toContain("redesign 1 approved");
      record.open();
      expect(await answer).toBe("running");
      await campaign.until(({ iteration, state }) => iteration === 2 && state === "waiting-for-approval");
      expect(campaign.calls).toContain("redesign 1 approved");
    });
  });

  test("a pause that is held back pauses nothing: groups begin until it is in the record", async () => {
    const record = createGate();
    const groups = createGate();
    const beforeWord = ({ word }: SteeringWord) => (word === "pause" ? record.opened : Promise.resolve());
    const options = {
      beforeWord,
      beforeGroup: (_task: string, iteration: number) => (iteration === 1 ? groups.opened : Promise.resolve()),
    };
    await world.run(options, {}, async (campaign) => {
      await campaign.until(({ iteration, stage }) => iteration === 1 && stage === "rollout");
      const answer = steer.pause(campaign);
      groups.open();
      await campaign.until(({ stage }) => stage !== "rollout");
      record.open();
      expect(await answer).toBe("paused");
    });
  });

  test("one that the record refuses for good is told to its speaker and changes nothing; the next one is heard", async () => {
    const groups = createGate();
    const refused = new Set(["pause"]);
    const beforeWord = async ({ word }: SteeringWord) => {
      if (refused.delete(word)) throw ApplicationFailure.nonRetryable("the drive is gone", "store.corrupt");
    };
    await world.run({ beforeWord, beforeGroup: () => groups.opened }, {}, async (campaign) => {
      expect(await codeOf(steer.pause(campaign))).toBe("store.corrupt");
      expect(await campaign.status()).toMatchObject({ state: "running", reason: null });
      expect(campaign.fakes.words).toEqual([]);
      expect(await steer.pause(campaign)).toBe("paused");
      expect(await steer.resume(campaign)).toBe("running");
      groups.open();
      expect(await campaign.handle.result()).toMatchObject({ state: "completed" });
      expect(campaign.fakes.words.map(({ number, word }) => `${number} ${word}`)).toEqual(["1 pause", "2 resume"]);
    });
  });

  test("a stop that comes while another word is on its way into the record waits for it and loses nothing", async () => {
    const record = createGate();
    const coming = createGate();
    const groups = createGate();
    const beforeWord = async ({ word }: SteeringWord) => {
      if (word !== "budget") return;
      coming.open();
      await record.opened;
    };
    await world.run({ beforeWord, beforeGroup: () => groups.opened }, {}, async (campaign) => {
      await campaign.until(({ stage }) => stage === "base-selection");
      const budget = steer.budget(campaign, { maxModelCalls: 99 });
      await coming.opened;
      const answers = Promise.all([budget, steer.stop(campaign)]);
      expect((await campaign.status()).state).toBe("running");
      record.open();
      await answers;
      groups.open();
      expect(await campaign.handle.result()).toMatchObject({ state: "stopped", reason: "enough" });
      expect(campaign.fakes.words.map(({ word }) => word)).toEqual(["budget", "stop"]);
    });
  });
});

describe.concurrent("the loss of Temporal's database", () => {
  test("a campaign goes on from its record with its pause, budget, acknowledged guards and answers", async () => {
    const options: FakeOptions = { gate: "accept", truncationRates: [0, 0.3], brokenTraining: new Set([1]), passRates: [0, 0.5, 0.01] };
    await world.run(
      options,
      { ...APPROVING, guards: { ...testConfig().guards, truncationGrowth: null, minFreeGb: null } },
      async (campaign) => {
        await campaign.until(({ state }) => state === "waiting-for-approval");
        await steer.budget(campaign, { maxModelCalls: 5000 });
        await steer.approve(campaign);
        await campaign.until(({ state, reason }) => state === "paused" && reason?.code === "trainer.diverged");
        const before = await campaign.status();
        await campaign.lose();
        const { runningSeconds: _, stage: __, ...after } = await campaign.status();
        expect(before).toMatchObject(after);
        expect(after).toMatchObject({ state: "paused", budget: { maxModelCalls: 5000 }, reason: { code: "trainer.diverged" } });

        options.brokenTraining?.clear();
        expect(await steer.resume(campaign)).toBe("running");
        // Approved before the loss: the question comes back for iteration 2 only.
        await campaign.until(({ state, reason }) => state === "paused" && reason?.code === "guard.pass-rate-collapse");
        expect(campaign.calls).toContain("redesign 1 approved");
        await campaign.lose();
        expect((await campaign.status()).reason?.code).toBe("guard.pass-rate-collapse");
        await steer.resume(campaign);
        await campaign.until(({ state }) => state === "waiting-for-approval");
        await campaign.lose();
        await campaign.until(({ state, iteration }) => state === "waiting-for-approval" && iteration === 2);
        await steer.reject(campaign);
        expect(await campaign.handle.result()).toMatchObject({ state: "completed", numIterations: 2 });
        expect(campaign.fakes.words.map(({ word }) => word)).toEqual(["budget", "approve", "pause", "resume", "pause", "resume", "reject"]);
        expect(new Set(campaign.fakes.begun).size).toBe(campaign.fakes.begun.length);
      },
    );
  });

  test("a stop that is in the record stops the campaign that is started again", async () => {
    const groups = createGate();
    await world.run({ beforeGroup: () => groups.opened }, {}, async (campaign) => {
      await campaign.until(({ stage }) => stage === "base-selection");
      await steer.pause(campaign);
      await campaign.handle.terminate("lost");
      const stop = { schemaVersion: 1, campaignId: campaign.id, number: 2, iteration: 0, at: "2026-01-01T00:00:00.000Z" } as const;
      await campaign.fakes.activities.recordWord({ ...stop, word: "stop", by: "person", ...SPEAKER, why: "enough", withTest: false });
      const again = await campaign.start(rebuiltInput(campaign.id, campaign.config, campaign.fakes));
      expect(await again.result()).toMatchObject({ state: "stopped", reason: "enough" });
    });
  });
});

describe.concurrent("approval is asked once per fitted table", () => {
  test.each([
    ["approve", "redesign 1 approved", "batch 1 blobs/table1"],
    ["reject", "redesign 1 rejected", "batch 1 blobs/prior"],
  ] as const)("%s, then training fails, then resume: nobody is asked again", async (word, redesigned, batch) => {
    const brokenTraining = new Set([1]);
    await world.run({ gate: "accept", brokenTraining }, { ...APPROVING, stop: { maxIterations: 1 } }, async (campaign) => {
      await campaign.until(({ state }) => state === "waiting-for-approval");
      await steer[word](campaign);
      await campaign.until(({ state }) => state === "paused");
      brokenTraining.clear();
      await steer.resume(campaign);
      expect(await campaign.handle.result()).toMatchObject({ state: "completed" });
      expect(campaign.fakes.words.map((spoken) => spoken.word)).toEqual([word, "pause", "resume"]);
      expect(campaign.calls.filter((call) => call.startsWith("redesign") || call.startsWith("batch"))).toEqual([redesigned, batch]);
    });
  });

  test("approve and reject at once: the first wins, the second caller is told so", async () => {
    const record = createGate();
    await world.run({ gate: "accept", beforeWord: () => record.opened }, { ...APPROVING, stop: { maxIterations: 1 } }, async (campaign) => {
      const { question } = await campaign.until(({ state }) => state === "waiting-for-approval");
      expect(question).toEqual({ table: ref("fitted1").sha256 });
      const answers = Promise.all([codeOf(steer.approve(campaign)), codeOf(steer.reject(campaign))]);
      record.open();
      const said = await answers;
      expect(said).toContain("campaign.already-answered");
      const [word] = campaign.fakes.words;
      expect(said[word?.word === "approve" ? 0 : 1]).toBe("answered running");
      await campaign.handle.result();
      expect(campaign.calls).toContain(`redesign 1 ${word?.word === "approve" ? "approved" : "rejected"}`);
      expect(campaign.fakes.words).toHaveLength(1);
    });
  });

  test("a table whose redesign is committed, as 0.1.0 left it without a word, asks nobody", async () => {
    await world.run({ gate: "accept" }, { ...APPROVING, stop: { maxIterations: 1 } }, async (campaign) => {
      const redesign = {
        campaignId: campaign.id,
        iteration: 1,
        report: ref("report"),
        table: ref("prior"),
        startedAt: "2026-01-01T00:00:00Z",
      };
      await campaign.fakes.activities.redesign({ ...redesign, approval: "approved" });
      expect(await campaign.handle.result()).toMatchObject({ state: "completed" });
      expect(campaign.fakes.words).toEqual([]);
      expect(campaign.calls).toContain("batch 1 blobs/table1");
    });
  });

  test("a person's time to answer is no running time", async () => {
    await world.run({ gate: "accept" }, { ...APPROVING, stop: { maxIterations: 1 } }, async (campaign) => {
      const { runningSeconds } = await campaign.until(({ state }) => state === "waiting-for-approval");
      const asked = Date.now();
      await new Promise((done) => setTimeout(done, 2000));
      await steer.approve(campaign);
      const waited = (Date.now() - asked) / 1000;
      const answered = Date.now();
      await campaign.handle.result();
      const worked = (Date.now() - answered) / 1000;
      const [, first] = campaign.fakes.iterations;
      expect(waited).toBeGreaterThanOrEqual(2);
      expect(first?.runningSeconds).toBeLessThanOrEqual(runningSeconds + worked + 1);
    });
  });
});
