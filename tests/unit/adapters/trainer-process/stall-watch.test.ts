import { describe, expect, test } from "vitest";
import { watchForStall } from "#adapters/trainer-process/stall-watch.ts";

/** A job of whom `behave` says, second by second, whether it tells of an event and how many CPU seconds it uses; when it is given up on. */
function givenUpAfter(
  timeoutSeconds: number,
  behave: (second: number) => { event?: boolean; cpu?: number | null },
): { second: number; why: string } | null {
  let second = 0;
  let cpu: number | null = 0;
  const watch = watchForStall(
    timeoutSeconds,
    () => cpu,
    () => second * 1000,
  );
  for (second = 1; second <= 1000; second++) {
    const { event = false, cpu: used = 0 } = behave(second);
    cpu = used === null || cpu === null ? null : cpu + used;
    if (event) watch.sawEvent();
    const why = watch.stalled();
    if (why !== null) return { second, why };
  }
  return null;
}

describe("a job is given up on", () => {
  test("when it neither tells nor works for the timeout", () => {
    expect(givenUpAfter(30, () => ({}))).toEqual({ second: 31, why: "no event and no work for 30 s" });
  });

  test("never, while it tells of events, even far apart, or works and tells now and then", () => {
    expect(givenUpAfter(30, (second) => ({ event: second % 29 === 0 }))).toBeNull();
    expect(givenUpAfter(30, (second) => ({ cpu: 0.9, event: second % 110 === 0 }))).toBeNull();
  });

  test("a timeout after it last worked, when a rank of it begins to hang", () => {
    expect(givenUpAfter(30, (second) => ({ cpu: second <= 50 ? 2 : 0.001 }))?.second).toBeGreaterThan(80);
    expect(givenUpAfter(30, (second) => ({ cpu: second <= 50 ? 2 : 0.001 }))?.second).toBeLessThanOrEqual(50 + 30 + 4);
  });

  test("after four times the timeout, when it works without a word", () => {
    expect(givenUpAfter(30, () => ({ cpu: 16 }))).toEqual({ second: 121, why: "no event for 120 s, though its processes are busy" });
  });

  test("by its events alone where CPU time cannot be told", () => {
    expect(givenUpAfter(30, () => ({ cpu: null }))?.second).toBe(31);
  });

  test("no sooner when a rank that worked has gone, and its CPU time with it", () => {
    expect(givenUpAfter(30, (second) => ({ cpu: second === 20 ? -15 : 1, event: second === 25 }))?.second).toBe(25 + 121);
  });
});
