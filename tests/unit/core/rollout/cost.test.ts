import fc from "fast-check";
import { expect, test } from "vitest";
import type { Usage } from "#contracts/trajectory.ts";
import { costOf, FREE, metersOf } from "#core/rollout/cost.ts";
import { partyMetrics } from "#core/rollout/party-metrics.ts";
import { addReasoning, NO_USAGE, sumUsage } from "#core/rollout/usage.ts";
import { userErrorRate } from "#core/rollout/user-error-rate.ts";

const count = fc.nat({ max: 1_000_000 });
const usage: fc.Arbitrary<Usage> = fc.record({
  promptTokens: count,
  completionTokens: count,
  simulatorPromptTokens: count,
  simulatorCompletionTokens: count,
  modelCalls: count,
  simulatorCalls: count,
});
const price = fc.record({ input: fc.double({ min: 0, max: 100, noNaN: true }), output: fc.double({ min: 0, max: 100, noNaN: true }) });

test("a million prompt tokens cost the input price, a million completion tokens the output price", () => {
  expect(costOf({ promptTokens: 1_000_000, completionTokens: 0 }, { input: 0.15, output: 0.6 })).toBeCloseTo(0.15, 12);
  expect(costOf({ promptTokens: 0, completionTokens: 1_000_000 }, { input: 0.15, output: 0.6 })).toBeCloseTo(0.6, 12);
});

test("the meters of rollouts together are the sums of their meters, party by party", () => {
  fc.assert(
    fc.property(fc.array(usage, { maxLength: 6 }), price, price, (usages, user, policy) => {
      const together = metersOf(sumUsage(usages), { user, policy });
      const apart = usages.map((one) => metersOf(one, { user, policy }));
      for (const party of ["user", "policy"] as const) {
        for (const key of ["calls", "promptTokens", "completionTokens"] as const)
          expect(together[party][key]).toBe(apart.reduce((sum, meters) => sum + meters[party][key], 0));
        const usd = apart.reduce((sum, meters) => sum + meters[party].usd, 0);
        expect(Math.abs(together[party].usd - usd)).toBeLessThanOrEqual(1e-9 * Math.max(1, usd));
      }
    }),
  );
});

test("a policy without a price costs nothing, and no party pays for another", () => {
  fc.assert(
    fc.property(usage, price, (one, user) => {
      const meters = metersOf(one, { user });
      expect(meters.policy.usd).toBe(0);
      expect(meters.user.usd).toBe(
        costOf({ promptTokens: one.simulatorPromptTokens, completionTokens: one.simulatorCompletionTokens }, user),
      );
      expect(metersOf(one, { user: FREE }).user.usd).toBe(0);
    }),
  );
});

test("the user's error rate is the share of all attempts that ended because of the user", () => {
  expect(userErrorRate([])).toBe(0);
  expect(userErrorRate([{ numRollouts: 8, retriedByOutcome: {} }])).toBe(0);
  const group = { numRollouts: 8, retriedByOutcome: { sim_error: 3, env_error: 1 } };
  expect(userErrorRate([group])).toBe(3 / 12);
  expect(userErrorRate([group, { numRollouts: 3, retriedByOutcome: { infra_error: 5 } }])).toBe(3 / 20);
});

test("a stage's metrics hold the user's part, and reasoning only where there was some", () => {
  const silent = { numRollouts: 4, retriedByOutcome: { sim_error: 1 }, numFlaggedStops: 2, usage: NO_USAGE };
  expect(partyMetrics("selection", [silent])).toEqual({ "selection/user_error_rate": 0.2, "selection/flagged_user_stops": 2 });
  const thinking = { ...silent, usage: { ...NO_USAGE, reasoningTokens: 5, reasoningCharacters: 20 } };
  expect(partyMetrics("rollout", [thinking, thinking])).toMatchObject({
    "rollout/flagged_user_stops": 4,
    "rollout/reasoning_tokens": 10,
    "rollout/reasoning_characters": 40,
  });
});

test("reasoning is counted wherever a server puts it, and a usage without any says nothing about it", () => {
  expect(addReasoning(NO_USAGE, { content: "plain" })).toEqual(NO_USAGE);
  expect(addReasoning(NO_USAGE, { content: "hi", reasoning: "abc" })).toEqual({ ...NO_USAGE, reasoningCharacters: 3 });
  expect(addReasoning(NO_USAGE, { content: "<think>abc</think>hi" }).reasoningCharacters).toBe("<think>abc</think>".length);
});
