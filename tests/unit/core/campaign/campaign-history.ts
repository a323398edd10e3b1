// What can happen to a campaign, as fast-check draws it: what is said while it works or waits, and how its iterations end.
import fc from "fast-check";
import type { CampaignState, Steering } from "#contracts/campaign-status.ts";
import type { IterationManifest } from "#contracts/manifests.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import { NO_METERS, NOTHING_METERED } from "#core/campaign/meters.ts";
import { advanceState, applyWord, initialState } from "#core/campaign/state.ts";
import { policyRef, ref, testConfig } from "../../../workflow/fake-activities.ts";

export const manifest = {
  id: "c",
  basePolicy: policyRef("base"),
  priorTable: ref("prior"),
  config: testConfig({ budget: { maxUsd: 100 } }),
};
export const tableOf = (iteration: number): string => ref(`fitted${iteration}`).sha256;

const GUARDS = ["guard.budget", "guard.truncation", "guard.disk", "guard.gradient-norm"] as const;
const budget = fc.record(
  { maxUsd: fc.integer({ min: 1, max: 500 }), maxModelCalls: fc.integer({ min: 1, max: 99 }) },
  { requiredKeys: [] },
);

/** What may be said or happen; an iteration's manifest comes by itself whenever the campaign works. */
export const happenings = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant("commit" as const), promotes: fc.boolean(), rejects: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("guard" as const), code: fc.constantFrom(...GUARDS) }) },
    fc.record({ type: fc.constant("failure" as const) }),
    { weight: 2, arbitrary: fc.record({ type: fc.constant("pause" as const), why: fc.string() }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant("resume" as const) }) },
    fc.record({ type: fc.constant("stop" as const), withTest: fc.boolean() }),
    { weight: 2, arbitrary: fc.record({ type: fc.constant("budget" as const), budget }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constantFrom("approve" as const, "reject" as const) }) },
  ),
  { maxLength: 40 },
);
export type Happening = typeof happenings extends fc.Arbitrary<(infer One)[]> ? One : never;

export interface Told {
  readonly state: CampaignState;
  readonly iterations: readonly IterationManifest[];
  readonly words: readonly SteeringWord[];
}

/** The campaign's workflow without its waits: what can happen in a state does, in its order. */
export function liveThrough(all: readonly Happening[]): Told {
  let state = initialState(manifest);
  const iterations: IterationManifest[] = [];
  const words: SteeringWord[] = [];
  for (const happening of all) {
    const { steering, progress } = state;
    const isWorking = steering.raisedGuards.length === 0 && !isFailed(steering) && steering.stop === null;
    if (happening.type === "commit") {
      // A person's pause lets what is in flight end.
      if (!isWorking) continue;
      const iteration = iterationOf(state, happening);
      iterations.push(iteration);
      state = advanceState(state, iteration);
      continue;
    }
    const isOfWork = happening.type === "guard" || happening.type === "failure";
    if (isOfWork && !isWorking) continue;
    const word = { ...wordOf(happening, progress.nextIteration), number: steering.numWords + 1 } as SteeringWord;
    words.push(word);
    state = applyWord(state, word);
  }
  return { state, iterations, words };
}

const isFailed = ({ pause }: Steering): boolean => pause?.code === "trainer.crashed";

function wordOf(happening: Exclude<Happening, { type: "commit" }>, iteration: number) {
  const said = { schemaVersion: 1, campaignId: "c", iteration, why: "", at: "2026-01-01T00:00:00.000Z" };
  const byPerson = { ...said, by: "person", who: "ana@lab" };
  switch (happening.type) {
    case "guard":
      return { ...said, word: "pause", by: "guard", who: happening.code };
    case "failure":
      return { ...said, word: "pause", by: "failure", who: "trainer.crashed" };
    case "pause":
      return { ...byPerson, word: "pause", why: happening.why };
    case "resume":
      return { ...byPerson, word: "resume" };
    case "stop":
      return { ...byPerson, word: "stop", why: "enough", withTest: happening.withTest };
    case "budget":
      return { ...byPerson, word: "budget", budget: happening.budget };
    default:
      return { ...byPerson, word: happening.type, table: tableOf(iteration) };
  }
}

function iterationOf({ progress }: CampaignState, { promotes, rejects }: { promotes: boolean; rejects: boolean }): IterationManifest {
  const iteration = progress.nextIteration;
  const trained = policyRef(`policy${iteration}`);
  return {
    schemaVersion: 2,
    campaignId: "c",
    iteration,
    policyBefore: progress.promoted.policy,
    policyTrained: iteration === 0 ? null : trained,
    policyAfter: promotes && iteration > 0 ? trained : progress.promoted.policy,
    tableBefore: progress.table,
    tableAfter: rejects ? progress.table : ref(`table${iteration}`),
    gateDecision: rejects ? "reject" : "accept",
    promotion: iteration === 0 ? "none" : promotes ? "promote" : "keep",
    trainPassRate: iteration / 100,
    selectionPassRate: 0.5 + (promotes ? iteration / 100 : 0),
    trainTruncationRate: 0.1,
    meters: { ...NO_METERS, policy: { ...NOTHING_METERED, calls: 7, usd: 0.25 } },
    runningSeconds: 16 + iteration,
    finishedAt: "2026-01-01T00:00:00.000Z",
  };
}
