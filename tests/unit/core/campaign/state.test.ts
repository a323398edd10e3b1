// The state of a campaign is a fold: the record gives the one that the workflow had.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CampaignState } from "#contracts/campaign-status.ts";
import { SteeringWord } from "#contracts/steering.ts";
import { endReason } from "#core/campaign/progress.ts";
import { applyWord, initialState, isHeld, rebuildState } from "#core/campaign/state.ts";
import { happenings, liveThrough, manifest, tableOf } from "./campaign-history.ts";

const said = { schemaVersion: 1, campaignId: "c", iteration: 3, why: "", at: "2026-01-01T00:00:00.000Z" } as const;
const byAna = { ...said, by: "person", who: "ana@lab" } as const;

/** The state after these words. */
const steeringAfter = (...words: object[]) =>
  words.reduce<CampaignState>(
    (state, word) => applyWord(state, SteeringWord.parse({ ...byAna, ...word, number: state.steering.numWords + 1 })),
    initialState(manifest),
  ).steering;

const guard = (who: string) => ({ word: "pause", by: "guard", who, why: "it looks wrong" });

describe("law", () => {
  test("the record of any life of a campaign gives the state that its workflow had", () => {
    fc.assert(
      fc.property(happenings, (all) => {
        const { state, iterations, words } = liveThrough(all);
        const { runningSeconds, ...rest } = rebuildState(manifest, iterations, words);
        expect(rest).toEqual({ progress: state.progress, steering: state.steering });
        expect(runningSeconds).toBe(iterations.reduce((sum, { iteration }) => sum + 16 + iteration, 0));
      }),
      { numRuns: 500 },
    );
  });

  test("every prefix of a life is a state that travels: it fits its contract and survives JSON", () => {
    fc.assert(
      fc.property(happenings, (all) => {
        const { state } = liveThrough(all);
        expect(CampaignState.parse(JSON.parse(JSON.stringify(state)))).toEqual(state);
      }),
    );
  });

  test("a guard that was raised holds the campaign until somebody resumes, ends it or raises the budget", () => {
    fc.assert(
      fc.property(happenings, (all) => {
        const { steering } = liveThrough(all).state;
        if (steering.raisedGuards.length > 0) expect(steering.pause).not.toBeNull();
      }),
    );
  });
});

describe("words", () => {
  test("a resume acknowledges the guards that paused, in its iteration, and no budget", () => {
    expect(steeringAfter(guard("guard.disk"), { word: "resume" })).toMatchObject({
      pause: null,
      raisedGuards: [],
      acknowledged: [{ code: "guard.disk", iteration: 3 }],
    });
    expect(steeringAfter(guard("guard.budget"), { word: "resume" }).acknowledged).toEqual([]);
  });

  test("a budget that is set anew lifts the pause of the budget and no other, and keeps what it does not name", () => {
    const raised = steeringAfter(guard("guard.budget"), { word: "budget", budget: { maxModelCalls: 9 } });
    expect(raised).toMatchObject({ pause: null, raisedGuards: [], budget: { maxUsd: 100, maxModelCalls: 9 } });
    expect(steeringAfter(guard("guard.disk"), { word: "budget", budget: { maxUsd: 1 } })).toMatchObject({
      pause: { code: "guard.disk" },
      raisedGuards: ["guard.disk"],
    });
    expect(steeringAfter({ word: "pause" }, { word: "budget", budget: { maxUsd: 1 } }).pause?.code).toBe("campaign.paused-by-user");
  });

  test("the first answer to a table stands", () => {
    const { answers } = steeringAfter({ word: "reject", table: tableOf(1) }, { word: "approve", table: tableOf(1), who: "ben@lab" });
    expect(answers).toEqual({ [tableOf(1)]: { word: "reject", who: "ana@lab" } });
  });

  test("a stop lifts the pause: who wants the end does not want to wait for it", () => {
    expect(steeringAfter(guard("guard.disk"), { word: "stop", withTest: true })).toMatchObject({
      pause: null,
      raisedGuards: [],
      acknowledged: [],
    });
  });

  test("a pause holds a stop that opens a test, and none that opens nothing", () => {
    const stopped = (withTest: boolean) => isHeld(steeringAfter({ word: "stop", withTest }, { word: "pause" }));
    expect([stopped(true), stopped(false)]).toEqual([true, false]);
    expect(isHeld(steeringAfter())).toBe(false);
  });

  test.each([
    [{ word: "pause", why: "lunch" }, "campaign.paused-by-user", "paused by ana@lab: lunch", "turnwise campaign resume c"],
    [{ word: "pause" }, "campaign.paused-by-user", "paused by ana@lab", "turnwise campaign resume c"],
    [guard("guard.disk"), "guard.disk", "it looks wrong", "turnwise campaign resume c"],
    [guard("guard.budget"), "guard.budget", "it looks wrong", "turnwise campaign budget c --max-usd … | --max-calls … | --max-hours …"],
  ])("the reason of a pause names its code, its words and what helps: %j", (word, code, message, next) => {
    expect(steeringAfter(word).pause).toEqual({ code, message, next });
  });
});

describe("the end", () => {
  const progress = (nextIteration: number, passRate: number | null) => {
    const { progress } = initialState(manifest);
    return { ...progress, nextIteration, promoted: { ...progress.promoted, passRate } };
  };
  test.each([
    [2, 0.9, null, null],
    [3, 0.9, null, "all 2 iterations are done"],
    [1, 0.59, 0.6, null],
    [1, 0.6, 0.6, "the promoted policy's selection pass rate 0.600 reached the target 0.6"],
    [1, null, 0.6, null],
  ])("before iteration %d, at pass rate %s and target %s: %s", (next, passRate, targetPassRate, expected) => {
    expect(endReason(progress(next, passRate), { maxIterations: 2, targetPassRate })).toBe(expected);
  });
});
