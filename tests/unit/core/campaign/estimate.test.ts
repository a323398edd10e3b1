import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import {
  countRollouts,
  estimateCampaign,
  publishedMeans,
  type RolloutMeans,
  reachedLimits,
  recordedMeans,
} from "#core/campaign/estimate.ts";
import { sampleConfig } from "../../../fixtures/sample-record.ts";

const LLM = {
  type: "llm",
  baseUrl: "http://127.0.0.1:1/v1",
  model: "m",
  strategy: "verify",
  priceUsdPerMillionTokens: { input: 2, output: 10 },
} as unknown as CampaignConfig["simulator"];

const config = (budget: CampaignConfig["budget"] = {}): CampaignConfig => ({
  ...sampleConfig(),
  simulator: LLM,
  rollout: { ...sampleConfig().rollout, tasksPerIteration: 5, groupSize: 4 },
  selection: { tasks: 3, trials: 2, promote: "not-worse", margin: 0.1 },
  test: { tasks: 4, trials: 2 },
  pricing: { gpuHourUsd: 36 },
  stop: { maxIterations: 3 },
  budget,
});

const means: RolloutMeans = {
  policyCalls: 10,
  userCalls: 6,
  userPromptTokens: 50_000,
  userCompletionTokens: 10_000,
  policyTokens: null,
  policyGpuSeconds: 5,
  trainerGpuSeconds: 15,
  basis: "here",
};
/** 0.1 + 0.1 USD of the user, 5 s of a GPU at 0.01 USD a second. */
const USD_PER_ROLLOUT = 0.25;

describe("an estimate", () => {
  test("is means times rollouts: base and every policy in selection, base and final one in the test, GPU time at its price", () => {
    const counts = countRollouts(config(), null);
    const rollouts = 3 * 20 + 4 * 6 + 2 * 8;
    const { usd, ...rest } = estimateCampaign(config(), means, counts);
    expect(rest).toEqual({ rollouts, policyCalls: 10 * rollouts, userCalls: 6 * rollouts, basis: "here" });
    expect(usd).toBeCloseTo(USD_PER_ROLLOUT * rollouts + 3 * 20 * 0.15, 9);
  });

  test("of a fork leaves out what it shares with its parent, of a campaign without selection or test what it does not do", () => {
    expect(estimateCampaign(config(), means, countRollouts(config(), 2)).rollouts).toBe(20 + 6 + 16);
    expect(estimateCampaign(config(), means, countRollouts(config(), 7)).rollouts).toBe(16);
    const bare = { ...config(), selection: null, test: null };
    expect(estimateCampaign(bare, means, countRollouts(bare, null)).rollouts).toBe(60);
  });

  test("knows what published rollouts took where the record has none", () => {
    expect(publishedMeans({ type: "scripted" })).toMatchObject({ policyCalls: 12.3, userCalls: 0, userPromptTokens: 0 });
    expect(publishedMeans(LLM)).toMatchObject({ userCalls: 14.9, userPromptTokens: 14.9 * 760, policyGpuSeconds: null });
  });

  test("takes what failed and was made again into the means", () => {
    const usage = { modelCalls: 30, simulatorCalls: 12, promptTokens: 4, completionTokens: 2 };
    const group = { outcomes: [{}, {}], usage: { ...usage, simulatorPromptTokens: 8, simulatorCompletionTokens: 6 } };
    const gpu = { policyGpuSeconds: null, trainerGpuSeconds: 1 };
    expect(recordedMeans([group, group] as unknown as Parameters<typeof recordedMeans>[0], gpu, "b")).toEqual({
      ...{ policyCalls: 15, userCalls: 6, userPromptTokens: 4, userCompletionTokens: 3, policyTokens: { prompt: 2, completion: 1 } },
      ...{ policyGpuSeconds: null, trainerGpuSeconds: 1, basis: "b" },
    });
  });
});

describe("a budget", () => {
  const counts = countRollouts(config(), null);
  const base = 6 * USD_PER_ROLLOUT;
  const iteration = 26 * USD_PER_ROLLOUT + 20 * 0.15;
  const whole = base + 3 * iteration + 16 * USD_PER_ROLLOUT;

  test("that the estimate does not reach is not spoken of", () => {
    expect(reachedLimits(config({ maxUsd: Math.ceil(whole), maxModelCalls: 16 * 100 }), means, counts)).toEqual([]);
    expect(reachedLimits(config(), means, counts)).toEqual([]);
  });

  test("that it reaches is told with the iterations that it pays for", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: whole - 0.01, noNaN: true }), (maxUsd) => {
        const [said = ""] = reachedLimits(config({ maxUsd }), means, counts);
        const [, after] = /after about (\d) of 3 iterations$/.exec(said) ?? [];
        const paid = said.endsWith("in the test") ? 3 : Number(after);
        if (paid > 0) expect(base + paid * iteration).toBeLessThanOrEqual(maxUsd + 1e-9);
        if (paid < 3) expect(base + (paid + 1) * iteration).toBeGreaterThan(maxUsd - 1e-9);
      }),
    );
    expect(reachedLimits(config({ maxModelCalls: 6 * 16 + 26 * 16 }), means, counts)).toEqual([
      "the budget of 512 model calls is reached after about 1 of 3 iterations",
    ]);
  });

  test("costs nothing where nothing costs", () => {
    const free = { ...config({ maxUsd: 1 }), simulator: { type: "scripted" as const }, pricing: { gpuHourUsd: 0 } };
    expect(reachedLimits(free, { ...means, userCalls: 0 }, counts)).toEqual([]);
  });
});
