// Budgets hold inside a stage, guards pause once: both with their code, their next command and a campaign that goes on.
import "../support/quiet-temporal.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CampaignWorld, createGate, type RunningCampaign, steer } from "./campaign-world.ts";
import { type FakeOptions, testConfig } from "./fake-activities.ts";

let world: CampaignWorld;
beforeAll(async () => {
  world = await CampaignWorld.open();
});
afterAll(() => world?.close());

const sleep = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));
const pausedBy = (campaign: RunningCampaign, code: string) =>
  campaign.until(({ state, reason }) => state === "paused" && reason?.code === code);
const numWords = (campaign: RunningCampaign, word: string) => campaign.fakes.words.filter((spoken) => spoken.word === word).length;
/** The pause of the next attempt, not the one that a resume has just lifted. */
const pausedAgain = (campaign: RunningCampaign, pauses: number) =>
  campaign.until(({ state }) => state === "paused" && numWords(campaign, "pause") === pauses);

const ROLLOUT = { ...testConfig().rollout, concurrentGroups: 3 };
const ONE = { stop: { maxIterations: 1 }, rollout: ROLLOUT };

describe.concurrent("a budget that is reached inside a stage", () => {
  // Selection of the base policy: 3 groups of 10 calls and 1 USD. Training: 12 groups.
  test.each([
    ["calls", { maxModelCalls: 75 }, { maxModelCalls: 10_000 }, "80 model calls reached the budget of 75"],
    ["USD", { maxUsd: 7.5 }, { maxUsd: 1000 }, "8.00 USD reached the budget of 7.5"],
  ])(
    "of %s: nothing new begins, what is in flight ends, a larger one lets it go on without a resume",
    async (_unit, budget, larger, first) => {
      await world.run({ numTasks: { train: 12 }, groupUsd: 1 }, { ...ONE, budget }, async (campaign) => {
        const { fakes } = campaign;
        const { reason } = await pausedBy(campaign, "guard.budget");
        expect(reason?.next).toBe(`turnwise campaign budget ${campaign.id} --max-usd … | --max-calls … | --max-hours …`);
        // Five groups reach it; whatever had begun before the fifth one ended is in flight, and ends.
        const numTrained = fakes.begun.length - 3;
        expect(numTrained).toBeGreaterThanOrEqual(5);
        expect(numTrained).toBeLessThanOrEqual(5 + 2);
        expect(fakes.calls.filter((call) => call.startsWith("group"))).toHaveLength(fakes.begun.length);
        expect(reason?.message).toContain(first.slice(first.indexOf("reached")));
        expect(campaign.calls).not.toContain("calibrate 1");

        await steer.resume(campaign);
        await pausedAgain(campaign, 2);
        expect((await campaign.status()).reason?.code).toBe("guard.budget");
        // Resuming without a larger one begins nothing, not even as many groups as run at once.
        expect(fakes.begun).toHaveLength(3 + numTrained);

        expect(await steer.budget(campaign, larger)).toBe("running");
        expect(await campaign.handle.result()).toMatchObject({ state: "completed" });
        expect(new Set(fakes.begun).size).toBe(fakes.begun.length);
        expect(fakes.begun).toHaveLength(3 + 12 + 3);
        expect(fakes.iterations[1]?.meters.policy).toMatchObject({ calls: 150, usd: 15 });
        expect(fakes.words.map(({ word, by }) => `${word} by ${by}`)).toEqual([
          "pause by guard",
          "resume by person",
          "pause by guard",
          "budget by person",
        ]);
      });
    },
  );

  test("in the test: its groups are not opened twice", async () => {
    const options: FakeOptions = { numTasks: { test: 8 } };
    // 3 + 4 + 3 groups before it, 16 in it.
    await world.run(options, { ...ONE, test: { tasks: 8, trials: 1 }, budget: { maxModelCalls: 150 } }, async (campaign) => {
      const { stage, iteration } = await pausedBy(campaign, "guard.budget");
      expect([stage, iteration]).toEqual(["test", 1]);
      expect(campaign.fakes.begun.length).toBeLessThanOrEqual(15 + 2);
      await steer.budget(campaign, { maxModelCalls: 10_000 });
      expect(await campaign.handle.result()).toMatchObject({ state: "completed", test: { base: {}, final: {} }, noTestReason: null });
      expect(campaign.fakes.begun).toHaveLength(10 + 16);
      expect(campaign.calls.filter((call) => call.startsWith("test"))).toEqual(["test 1 base policy1"]);
    });
  });

  test("one that is raised while the last groups of the stage end pauses nothing", async () => {
    const last = createGate();
    const options: FakeOptions = { beforeGroup: (task, iteration) => (iteration === 1 && task === "t3" ? last.opened : Promise.resolve()) };
    await world.run(options, { ...ONE, budget: { maxModelCalls: 60 } }, async (campaign) => {
      await campaign.until(() => campaign.fakes.calls.filter((call) => call.startsWith("group 1 train")).length === 3);
      await steer.budget(campaign, { maxModelCalls: 10_000 });
      last.open();
      expect(await campaign.handle.result()).toMatchObject({ state: "completed" });
      expect(numWords(campaign, "pause")).toBe(0);
    });
  });
});

describe.concurrent("a budget of hours", () => {
  test("counts running time and no pause, and goes through continue-as-new", async () => {
    const options: FakeOptions = { beforeGroup: () => sleep(400) };
    const seconds = 60;
    await world.run(
      options,
      { ...ONE, stop: { maxIterations: 2 }, budget: { maxHours: seconds / 3600 } },
      async (campaign) => {
        await campaign.until(({ iteration }) => iteration === 1);
        await steer.pause(campaign);
        const before = await campaign.until(({ state }) => state === "paused");
        await sleep(3000);
        const after = await campaign.status();
        expect(after.runningSeconds).toBe(before.runningSeconds);
        expect(after.runningSeconds).toBeGreaterThan(0.4);
        await steer.resume(campaign);
        // Less than has run already: reached at once, in a later run of the workflow, with the time of the runs before.
        await steer.budget(campaign, { maxHours: after.runningSeconds / 3600 });
        const paused = await pausedBy(campaign, "guard.budget");
        expect(paused.reason?.message).toContain("hours of running reached the budget");
        await steer.budget(campaign, { maxHours: 10 });
        expect(await campaign.handle.result()).toMatchObject({ state: "completed" });
        expect(new Set(campaign.fakes.begun).size).toBe(campaign.fakes.begun.length);
        const sum = campaign.fakes.iterations.reduce((total, { runningSeconds }) => total + runningSeconds, 0);
        expect(sum).toBeGreaterThan(after.runningSeconds);
      },
      { iterationsPerRun: 1 },
    );
  });
});

describe.concurrent("guards", () => {
  const rejecting = { gate: "reject" } as const;
  test.each<[string, FakeOptions, number]>([
    ["guard.truncation", { truncationRates: [0, 0.1, 0.3] }, 1],
    ["guard.gate-rejects", rejecting, 1],
    ["guard.gradient-norm", { gradientNorms: [0, 1, 10.5] }, 1],
    ["guard.user-errors", { userErrorRates: [0, 0, 0.25] }, 1],
    ["guard.pass-rate-collapse", { passRates: [0, 0.6, 0.2] }, 1],
    ["guard.user-errors", { userErrorRates: [0, 0.5, 0.5] }, 2],
  ])("%s pauses; a resume acknowledges it for its iteration", async (code, options, numPauses) => {
    await world.run(options, {}, async (campaign) => {
      for (let pause = 1; pause <= numPauses; pause += 1) {
        const { reason, iteration } = await pausedAgain(campaign, pause);
        expect(iteration).toBe(2 - numPauses + pause);
        expect(reason).toMatchObject({ code, next: `turnwise campaign resume ${campaign.id}` });
        await steer.resume(campaign);
      }
      expect(await campaign.handle.result()).toMatchObject({ state: "completed", numIterations: 2 });
      expect(campaign.fakes.words.map(({ word, who }) => `${word} ${who}`)).toEqual(
        Array.from({ length: numPauses }, () => [`pause ${code}`, "resume ana@lab"]).flat(),
      );
      expect(new Set(campaign.fakes.begun).size).toBe(campaign.fakes.begun.length);
    });
  });

  test("guard.disk pauses before a stage, of the test too; a resume acknowledges it for the rest of the iteration", async () => {
    let freeGb = 100;
    const beforeStage: FakeOptions["beforeStage"] = async (name, iteration) => {
      if (`${name} ${iteration}` === "calibrate 1") freeGb = 1.5;
    };
    await world.run({ freeGb: () => freeGb, beforeStage }, { ...ONE, test: { tasks: 3, trials: 1 } }, async (campaign) => {
      const first = await pausedAgain(campaign, 1);
      expect(first).toMatchObject({ iteration: 1, stage: "redesign", reason: { code: "guard.disk" } });
      expect(first.reason?.message).toContain("turnwise gc --dry-run");
      await steer.resume(campaign);
      expect(await pausedAgain(campaign, 2)).toMatchObject({ stage: "test", reason: { code: "guard.disk" } });
      await steer.resume(campaign);
      expect(await campaign.handle.result()).toMatchObject({ state: "completed", test: {} });
    });
  });
});
