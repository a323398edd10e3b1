// What doing nothing passes: computed in a pure environment, measured in any other, and null where nobody can say.
import { describe, expect, test } from "vitest";
import { idleShare, measureIdle, passesUntouched } from "#core/environment/do-nothing-floor.ts";
import type { Episode, World } from "#core/environment/episode.ts";
import { pureWorld } from "#core/environment/pure-episode.ts";
import { ENDLESS } from "../../../laws/episodes.ts";
import { counter, TASK } from "../rollout/parties.ts";

const guard = (troubles: Error[] = []) => ({
  clock: ENDLESS,
  signal: new AbortController().signal,
  onTrouble: (trouble: Error) => void troubles.push(trouble),
});

/** A world that takes its time, with one answer replaced. */
function worldWith(part: Partial<Episode>, closes: number[] = []): World {
  const pure = pureWorld(counter);
  return {
    ...pure,
    isInstant: false,
    open: async (task, options) => ({
      ...(await pure.open(task, options)),
      close: async () => void closes.push(1),
      ...part,
    }),
  };
}

describe("what doing nothing passes", () => {
  test("is measured as it is computed", async () => {
    expect(await measureIdle(worldWith({}), TASK, "s", guard())).toBe(passesUntouched(counter, TASK));
  });

  test.each([true, false])("is %s where the world grades no turn so, whatever the reward; the episode is closed", async (passed) => {
    const closes: number[] = [];
    const world = worldWith({ grade: async ({ turns }) => ({ reward: 0.5, passed: passed && turns.length === 0, parts: {} }) }, closes);
    expect(await measureIdle(world, TASK, "s", guard())).toBe(passed);
    expect(closes).toEqual([1]);
  });

  test("is not known of a world that throws: null, told, and closed", async () => {
    const [closes, troubles]: [number[], Error[]] = [[], []];
    const world = worldWith({ grade: () => Promise.reject(new TypeError("no answer yet")) }, closes);
    expect(await measureIdle(world, TASK, "s", guard(troubles))).toBeNull();
    expect([closes, troubles.map(({ message }) => message)]).toEqual([[1], ["no answer yet"]]);
  });

  test("of several tasks is a share; one that is not known leaves none", () => {
    expect(idleShare([true, false, false, true])).toBe(0.5);
    expect(idleShare([])).toBe(0);
    expect(idleShare([true, null])).toBeNull();
  });
});
