// Words at every moment: around the start of each child, and in any order, with the real workflows on a real server.
import "../support/quiet-temporal.ts";
import { WorkflowNotFoundError } from "@temporalio/client";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StateName } from "#contracts/campaign-status.ts";
import { CampaignWorld, codeOf, type RunningCampaign, steer } from "./campaign-world.ts";
import { testConfig } from "./fake-activities.ts";

let world: CampaignWorld;
beforeAll(async () => {
  world = await CampaignWorld.open();
});
afterAll(() => world?.close());

const sleep = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));

/** Until nothing has been begun for a while. */
async function settle({ fakes }: RunningCampaign): Promise<void> {
  for (let before = -1; before !== fakes.begun.length + fakes.calls.length; await sleep(1500))
    before = fakes.begun.length + fakes.calls.length;
}

const DELAYS = [0, 10, 30, 80, 160];
const NUM_TRAIN = 24;

describe.concurrent("a pause or a resume that comes while a child starts is not lost", () => {
  const config = { test: { tasks: 3, trials: 1 }, stop: { maxIterations: 1 } };

  /** A pause `delay` ms after `moment`; what follows must wait for the resume, which is said `delay` ms after another moment of waiting. */
  async function pauseAt(moment: string, delay: number, numTrain = NUM_TRAIN): Promise<void> {
    const reached = Promise.withResolvers<void>();
    const options = {
      numTasks: { train: numTrain },
      beforeStage: async (name: string, iteration: number) => {
        if (`${name} ${iteration}` === moment) reached.resolve();
      },
      beforeGroup: async (taskId: string, iteration: number) => {
        if (`${taskId} ${iteration}` === moment) reached.resolve();
        await sleep(iteration === 1 ? 80 : 0);
      },
    };
    const rollout = { ...testConfig().rollout, concurrentGroups: numTrain > NUM_TRAIN ? 16 : 2 };
    await world.run(options, { ...config, rollout }, async (campaign) => {
      const { fakes, handle } = campaign;
      await reached.promise;
      await sleep(delay);
      expect(await steer.pause(campaign)).toBe("paused");
      await settle(campaign);
      expect(fakes.ends).toEqual([]);
      const numBegun = fakes.begun.filter((key) => key.startsWith("1 train")).length;
      if (fakes.iterations.length < 2) expect(numBegun).toBeLessThan(numTrain);
      expect((await campaign.status()).state).toBe("paused");

      // Words in quick succession: the last one stands.
      const answers = [
        steer.resume(campaign),
        sleep(delay).then(() => steer.pause(campaign)),
        sleep(2 * delay).then(() => steer.resume(campaign)),
      ];
      await Promise.all(answers);
      const { word } = fakes.words.at(-1) ?? {};
      expect((await campaign.status()).state).not.toBe(word === "resume" ? "paused" : "running");
      if (word === "pause") await steer.resume(campaign);
      expect(await handle.result()).toMatchObject({ state: "completed" });
      expect(new Set(fakes.begun).size).toBe(fakes.begun.length);
      expect(fakes.begun.filter((key) => key.startsWith("1 train"))).toHaveLength(numTrain);
    });
  }

  test.each([
    ["an iteration", "commit 0"],
    ["a batch of rollouts", "open 1"],
  ])(
    "%s",
    async (_child, moment) => {
      await Promise.all(DELAYS.map((delay) => pauseAt(moment, delay)));
    },
    120_000,
  );

  test("the test", async () => {
    await Promise.all(DELAYS.map((delay) => pauseAt("commit 1", delay, 4)));
  }, 180_000);

  test("the next page of a batch of rollouts", async () => {
    await Promise.all([0, 150].map((delay) => pauseAt("t250 1", delay, 290)));
  }, 180_000);
});

describe("words in any order", () => {
  const NUM_CAMPAIGNS = 12;
  type Message = "pause" | "resume" | "approve" | "reject" | "budget" | "stop" | "stop-with-test" | "query";
  const message = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Message>("pause", "resume") },
    { weight: 3, arbitrary: fc.constantFrom<Message>("approve", "reject", "budget", "query") },
    { weight: 1, arbitrary: fc.constantFrom<Message>("stop", "stop-with-test") },
  );
  const talk = fc.record({
    isCut: fc.boolean(),
    steps: fc.array(fc.record({ message, delay: fc.integer({ min: 0, max: 400 }) }), { minLength: 6, maxLength: 12 }),
  });

  /** What was said, without the code under test: paused, and how it is to end. */
  class Model {
    #isPaused = false;
    #stop: Message | null = null;

    hear(said: Message): void {
      if (said === "pause") this.#isPaused = true;
      if (said === "resume" || said.startsWith("stop")) this.#isPaused = false;
      if (said.startsWith("stop")) this.#stop = said;
    }

    /** States that are true now, besides the end that may have come meanwhile. */
    states(): StateName[] {
      if (this.#stop === "stop") return ["stopping"];
      if (this.#isPaused) return ["paused"];
      return this.#stop === null ? ["running", "waiting-for-approval"] : ["stopping"];
    }

    end(): StateName {
      return this.#stop === null ? "completed" : "stopped";
    }
  }

  const speak = (campaign: RunningCampaign, said: Message): Promise<unknown> => {
    if (said === "query") return campaign.status().then(({ state }) => state);
    if (said === "budget") return steer.budget(campaign, { maxModelCalls: 100_000 });
    return said === "stop-with-test" ? steer.stop(campaign, true) : steer[said](campaign);
  };

  test("the status says the truth after every word, and the end is the one that was asked for", async () => {
    const talks = fc.sample(talk, { numRuns: NUM_CAMPAIGNS, seed: 20261130 });
    await Promise.all(
      talks.map(async ({ isCut, steps }, index) => {
        const calibration = { ...testConfig().calibration, mode: "approve" as const };
        const options = { gate: "accept" as const, beforeGroup: () => sleep(20) };
        const overrides = { calibration, test: { tasks: 3, trials: 1 } };
        const scenario = async (campaign: RunningCampaign) => {
          const model = new Model();
          const { fakes } = campaign;
          for (const { message: said, delay } of steps) {
            await sleep(delay);
            const answer = await codeOf(speak(campaign, said));
            const told = `campaign ${index}: ${steps.map((step) => step.message).join(" ")}; ${said} was ${answer}`;
            if (answer.startsWith("answered")) {
              model.hear(said);
              expect(
                [...model.states(), model.end()].map((state) => `answered ${state}`),
                told,
              ).toContain(answer);
            }
            if (fakes.ends.length > 0) break;
            if (!answer.startsWith("answered")) {
              expect(["approve", "reject"], told).toContain(said);
              expect(["campaign.not-waiting", "campaign.already-answered"], told).toContain(answer);
            }
            expect([...model.states(), model.end()], told).toContain((await campaign.status()).state);
          }
          while (fakes.ends.length === 0) {
            const { state } = await campaign.status();
            if (state === "paused") await steer.resume(campaign).catch(ignoreEnded);
            if (state === "waiting-for-approval") await steer.approve(campaign).catch(ignoreEnded);
            await sleep(50);
          }
          expect(await campaign.handle.result()).toMatchObject({ state: model.end() });
          const groups = fakes.calls.filter((call) => call.startsWith("group"));
          expect(new Set(groups).size).toBe(groups.length);
          expect(fakes.calls.filter((call) => call.startsWith("test")).length).toBeLessThanOrEqual(1);
          expect(fakes.words.map(({ number }) => number)).toEqual(fakes.words.map((_, place) => place + 1));
        };
        await world.run(options, overrides, scenario, isCut ? { iterationsPerRun: 1 } : {});
      }),
    );
  }, 180_000);

  /** The campaign was faster than the word. */
  function ignoreEnded(error: unknown): void {
    if (!(error instanceof WorkflowNotFoundError)) expect(String(error)).toContain("Update");
  }
});
