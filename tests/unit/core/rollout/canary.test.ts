import { describe, expect, test } from "vitest";
import { canaryMetrics, compareScores, pickStoredTurns } from "#core/rollout/canary.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { add, counter, memoryJournal, say, scriptedPolicy, TASK, user } from "./parties.ts";

const trajectories = await Promise.all(
  [0, 1, 2].map(async (trial) => {
    const parties = { task: TASK, environment: counter, simulator: user, journal: memoryJournal(), limits: { maxTurns: 9 } };
    const policy = scriptedPolicy([add(1), say("half"), add(1), say("done")]);
    return (await runTrajectory({ ...parties, policy, trial, seed: `s${trial}`, signal: new AbortController().signal })).trajectory;
  }),
);

describe("stored turns", () => {
  test("are the sampled tokens with everything before them", () => {
    const turns = pickStoredTurns(trajectories, "p", 100);
    expect(turns).toHaveLength(12);
    const row = trajectories[0]?.rows[0];
    const last = turns.find(
      ({ tokenIds }) => tokenIds.length === row?.tokenIds.length && tokenIds.every((id, position) => id === row.tokenIds[position]),
    );
    expect(last).toEqual({ tokenIds: row?.tokenIds, start: row?.spans.at(-1)?.start, logprobs: row?.logprobs.slice(-2) });
  });

  test("are the same whatever the order of trajectories, at most as many as asked, and only the policy's own", () => {
    expect(pickStoredTurns([...trajectories].reverse(), "p", 5)).toEqual(pickStoredTurns(trajectories, "p", 5));
    expect(pickStoredTurns(trajectories, "p", 5)).toHaveLength(5);
    expect(pickStoredTurns(trajectories, "another", 5)).toEqual([]);
  });
});

describe("scores", () => {
  const turns = [
    { tokenIds: [1, 2, 3], start: 1, logprobs: [-1, -2] },
    { tokenIds: [4, 5], start: 1, logprobs: [-3] },
  ];

  test("that differ by less than the threshold are reported", () => {
    const report = compareScores("p", turns, [[-1, -2.3], [-3]], 0.11);
    expect(report).toMatchObject({ numTurns: 2, numTokens: 3 });
    expect([report.meanDifference, report.maxDifference]).toEqual([expect.closeTo(0.1, 9), expect.closeTo(0.3, 9)]);
  });

  test.each([[[[-1, -2.4], [-3]]], [[[-1, -2], []]], [[[-1, -2], [Number.NaN]]]])("%j mean wrong weights or a wrong template", (scores) => {
    expect(() => compareScores("p", turns, scores, 0.11)).toThrow(expect.objectContaining({ code: "provider.wrong-weights" }));
  });

  test("of nothing say nothing", () => {
    expect(compareScores("p", [], [], 0).meanDifference).toBe(0);
  });
});

describe("reports", () => {
  test("become metrics of the stage that they came before, where anything was compared", () => {
    expect(canaryMetrics("selection", { numTurns: 64, numTokens: 640, meanDifference: 1e-7, maxDifference: 2e-6 })).toEqual({
      "selection/canary_turns": 64,
      "selection/canary_mean_difference": 1e-7,
      "selection/canary_max_difference": 2e-6,
    });
    expect(canaryMetrics("rollout", null)).toEqual({});
    expect(canaryMetrics("rollout", { numTurns: 0, numTokens: 0, meanDifference: 0, maxDifference: 0 })).toEqual({});
  });
});
