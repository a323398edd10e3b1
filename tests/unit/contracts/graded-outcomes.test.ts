// Rewards are numbers and a pass is said apart; what earlier versions recorded is read as what it meant.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Outcome, type StopReason } from "#contracts/trajectory.ts";
import { StoredGroupManifest } from "#contracts/upcast/manifests.ts";
import { StoredOutcome, StoredTrajectory } from "#contracts/upcast/trajectory.ts";
import { outcomeOf } from "#core/rollout/ending.ts";
import { sampleTrajectory } from "../../fixtures/sample-record.ts";

type Older = { readonly reward: 0 | 1 | null };

/** As version 1 wrote it: the same without what it had no word for. */
function asVersion1(reward: 0 | 1): Record<string, unknown> {
  const { outcome, ...rest } = sampleTrajectory("t", 0, reward);
  const { passed: _passed, parts: _parts, ...older } = outcome;
  return { ...rest, schemaVersion: 1, outcome: older };
}

const group = (schemaVersion: number, outcomes: readonly object[]) => ({
  schemaVersion,
  campaignId: "c",
  iteration: 1,
  purpose: "train",
  taskId: "t",
  policy: { name: "p", hash: "a".repeat(64), manifest: null },
  trajectories: { uri: "blobs/sha256/bb/b", sha256: "b".repeat(64), numBytes: 1, schema: "Trajectories/1" },
  outcomes: outcomes.map((outcome) => ({ type: "ok", numTurns: 2, stopReason: "user-stop", ...outcome })),
  usage: sampleTrajectory("t", 0, 1).usage,
  meters: Object.fromEntries(
    ["policy", "user", "proposer", "trainer"].map((party) => [
      party,
      { calls: 0, promptTokens: 0, completionTokens: 0, usd: 0, gpuSeconds: 0 },
    ]),
  ),
  seconds: 1,
  numRetriedRollouts: 0,
  retriedByOutcome: {},
  numFlaggedStops: 0,
  numResumedTurns: 0,
});

describe("version 1", () => {
  test.each([0, 1] as const)("a trajectory with reward %i is read with its pass, and nothing else changes", (reward) => {
    const expected = sampleTrajectory("t", 0, reward);
    expect(StoredTrajectory.parse(asVersion1(reward))).toEqual({ ...expected, outcome: { ...expected.outcome, parts: {} } });
  });

  test("a reward that version 1 could not write is refused, under its version and as an outcome that stands alone", () => {
    const odd = asVersion1(1);
    const outcome = { ...(odd["outcome"] as Older), reward: 0.5 };
    expect(StoredTrajectory.safeParse({ ...odd, outcome }).success).toBe(false);
    expect(StoredOutcome.safeParse(outcome).success).toBe(false);
  });

  test("outcomes of groups of version 2 have their pass; a graded one is refused there and read in version 3", () => {
    const read = StoredGroupManifest.parse(group(2, [{ reward: 1 }, { reward: 0 }]));
    expect(read.outcomes.map(({ reward, passed }) => [reward, passed])).toEqual([
      [1, true],
      [0, false],
    ]);
    expect(StoredGroupManifest.safeParse(group(2, [{ reward: 0.5 }])).success).toBe(false);
    expect(StoredGroupManifest.parse(group(3, [{ reward: 0.5, passed: true }])).outcomes[0]).toMatchObject({ reward: 0.5, passed: true });
  });

  test("an outcome alone: no reward has no pass, and one of today stays as it is", () => {
    const older = { type: "sim_error", reward: null, stopReason: "error", isDatabaseMatch: null, detail: "x" };
    expect(StoredOutcome.parse(older)).toEqual({ ...older, passed: null, parts: {} });
    const { outcome } = sampleTrajectory("t", 0, 1);
    expect(StoredOutcome.parse(outcome)).toEqual(outcome);
  });
});

describe("the outcome of a grade", () => {
  const endings = fc.constantFrom<Exclude<StopReason, "error">>(
    "user-stop",
    "transfer",
    "turn-cap",
    "token-cap",
    "context-cap",
    "unparsable",
  );
  const grades = fc.record({ reward: fc.double({ min: 0, max: 1, noNaN: true }), passed: fc.boolean() });

  test("is in its contract; only a conversation that ended by itself earns anything or passes", () => {
    fc.assert(
      fc.property(endings, grades, (stopReason, grade) => {
        const outcome = outcomeOf({ stopReason, detail: null }, { ...grade, parts: { steps: grade.reward } });
        expect(Outcome.parse(outcome)).toEqual(outcome);
        const isNatural = stopReason === "user-stop" || stopReason === "transfer";
        expect(outcome).toMatchObject(isNatural ? grade : { reward: 0, passed: false });
        expect(outcome.type === "ok").toBe(outcome.passed);
        expect(outcome.parts).toEqual({ steps: grade.reward });
      }),
    );
  });

  test.each([-0.1, 1.0001, Number.NaN, Number.POSITIVE_INFINITY])("a reward of %s is the environment's bug", (reward) => {
    const grade = { reward, passed: false, parts: {} };
    expect(() => outcomeOf({ stopReason: "user-stop", detail: null }, grade)).toThrowError(/graded with/);
  });
});
