// What a person is told to type when a queue has no worker: always something that works where he is.
import { expect, test } from "vitest";
import type { PendingActivity } from "#adapters/temporal/queue-workers.ts";
import { describeWaiting, untakenQueue } from "#application/campaign/waiting.ts";
import { noWorker } from "#application/campaign/worker-hint.ts";

const place = { home: "/home", services: null, remoteAddress: null };
const BY_HAND = "node infra/setup/run.mjs workers/training.ts";

test("the hint fits what runs here", () => {
  const hint = (changes: Partial<Parameters<typeof noWorker>[1]>) => noWorker("turnwise-training", { ...place, ...changes });
  expect(hint({})).toEqual({ message: "no worker takes the work of turnwise-training", next: "turnwise up" });
  expect(hint({ services: ["temporal", "control"] })).toMatchObject({
    message: expect.stringContaining("started without a training worker"),
    next: expect.stringContaining(BY_HAND),
  });
  expect(hint({ services: ["training"] })).toMatchObject({ next: expect.stringContaining("/home/logs/training.log") });
  expect(hint({ remoteAddress: "there:7233" }).next).toContain(`TURNWISE_TEMPORAL_ADDRESS=there:7233 ${BY_HAND}`);
});

const activity = (changes: Partial<PendingActivity>): PendingActivity => ({
  type: "train",
  queue: "turnwise-training",
  hasBegun: false,
  scheduledAt: 0,
  attempt: 1,
  lastFailure: null,
  details: null,
  ...changes,
});

test("work is untaken when none of it has been begun and the oldest has waited a while", () => {
  expect(untakenQueue([], 100_000)).toBeNull();
  expect(untakenQueue([activity({})], 100_000)).toBe("turnwise-training");
  expect(untakenQueue([activity({ scheduledAt: 99_000 })], 100_000)).toBeNull();
  expect(untakenQueue([activity({}), activity({ hasBegun: true })], 100_000)).toBeNull();
  expect(untakenQueue([activity({ queue: "b", scheduledAt: 9 }), activity({ queue: "a", scheduledAt: 8 })], 100_000)).toBe("a");
});

test("rollouts that all ask again say why, and no longer once one of them has a turn", () => {
  const trouble = activity({ type: "rolloutGroup", hasBegun: true, details: { trouble: "user simulator m: HTTP 502: away" } });
  const again = activity({ type: "rolloutGroup", hasBegun: true, attempt: 2, lastFailure: "trial 0 failed in 3 attempts" });
  const going = activity({ type: "rolloutGroup", hasBegun: true, attempt: 2, lastFailure: "was away", details: { trial: 0, turn: 1 } });
  const waitsFor = (...pending: PendingActivity[]) => describeWaiting(pending, null, place)?.message ?? null;
  expect(waitsFor(trouble, again)).toBe("rolloutGroup asks again; the last answer: user simulator m: HTTP 502: away");
  expect(waitsFor(again, trouble)).toBe("attempt 2 of rolloutGroup is at work; the last one failed: trial 0 failed in 3 attempts");
  expect(waitsFor(trouble, going)).toBeNull();
  expect(waitsFor(activity({ hasBegun: true }))).toBeNull();
});

test("a failure between two attempts is told, unless nobody is there to try again", () => {
  const failing = [activity({ attempt: 3, lastFailure: "no space left" })];
  const workers = { queue: "turnwise-training", isPolled: true, busyWith: [] };
  expect(describeWaiting(failing, workers, place)?.message).toBe("attempt 3 of train comes soon; the last one failed: no space left");
  expect(describeWaiting(failing, { ...workers, isPolled: false }, place)?.next).toBe("turnwise up");
  expect(describeWaiting([activity({})], workers, place)).toBeNull();
});
