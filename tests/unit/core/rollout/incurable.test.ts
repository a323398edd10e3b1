// The law over the whole error table: whatever is thrown wherever in a group, what leaves is retryable only if its cause is, and what
// trying again cannot cure is asked for once per rollout.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CampaignError, ERROR_CODES, type ErrorCode } from "#core/errors.ts";
import type { JournalEntry } from "#core/ports.ts";
import { type GroupInput, runGroup } from "#core/rollout/run-group.ts";
import { toApplicationFailure } from "../../../../activities/to-application-failure.ts";
import { add, counter, memoryJournal, say, scriptedPolicy, TASK, testClock, user } from "./parties.ts";

const GROUP_SIZE = 4;
const MAX_ATTEMPTS = 3;
const SCRIPT = [add(1), say("half"), add(1), say("done")];

type Fail = () => never;
/** Where a failure may come from. `fail` throws it and counts. */
const PLACES: Readonly<Record<string, (fail: Fail) => Partial<GroupInput<number>>>> = {
  "the policy, asked first": (fail) => ({ policy: { ...scriptedPolicy(SCRIPT), respond: async () => fail() } }),
  "the policy, later on": (fail) => {
    const policy = scriptedPolicy(SCRIPT);
    return { policy: { ...policy, respond: async (...args) => (args[0].turns.length === 1 ? fail() : policy.respond(...args)) } };
  },
  "the policy's server, brought back": (fail) => {
    const gone = new CampaignError("provider.unavailable", "refused");
    return { policy: { ...scriptedPolicy(SCRIPT), respond: () => Promise.reject(gone) }, ensurePolicy: async () => fail() };
  },
  "the user, opening": (fail) => ({ simulator: { ...user, reply: async () => fail() } }),
  "the user, answering": (fail) => ({
    simulator: { ...user, reply: async (...args) => (args[1].exchanges.length === 1 ? fail() : user.reply(...args)) },
  }),
  "the environment, acting": (fail) => ({ environment: { ...counter, step: () => fail() } }),
  "the environment, hashing": (fail) => ({ environment: { ...counter, stateHash: () => fail() } }),
  "the environment, grading": (fail) => ({ environment: { ...counter, grade: () => fail() } }),
  "the journal": (fail) => ({ journal: () => ({ ...memoryJournal(), append: async () => fail() }) }),
};

/** What a group fails with, and how often it met the failure; null when it ends well. */
async function failureOf(place: (fail: Fail) => Partial<GroupInput<number>>, error: Error): Promise<{ failure: unknown; met: number }> {
  let met = 0;
  const journals = new Map<string, JournalEntry[]>();
  const input: GroupInput<number> = {
    task: TASK,
    groupSize: GROUP_SIZE,
    environment: counter,
    policy: scriptedPolicy(SCRIPT),
    simulator: user,
    seed: "g",
    journal: (trial, attempt) => {
      const key = `${trial}/${attempt}`;
      journals.set(key, journals.get(key) ?? []);
      return memoryJournal(journals.get(key));
    },
    limits: { maxTurns: 30, maxAttempts: MAX_ATTEMPTS, maxWaitSeconds: 60 },
    ensurePolicy: async () => {},
    clock: testClock(),
    signal: new AbortController().signal,
    ...place(() => {
      met += 1;
      throw error;
    }),
  };
  const failure = await runGroup(input).then(
    () => null,
    (reason: unknown) => reason,
  );
  return { failure, met };
}

/** Facts about one conversation; another one may not meet them. */
const OF_THE_CONVERSATION: readonly ErrorCode[] = ["provider.context-overflow", "environment.failed", "simulator.failed"];

describe.each(Object.entries(PLACES))("a failure of %s", (_name, place) => {
  test.each(ERROR_CODES)("%s stays as curable as it is", async (code) => {
    const error = new CampaignError(code, "it failed");
    const { failure, met } = await failureOf(place, error);
    if (failure === null) return expect(code).toBe("provider.context-overflow"); // a full context ends the policy's rollout as data
    const told = toApplicationFailure(failure, 1) as { nonRetryable: boolean };
    expect(told.nonRetryable).toBe(!error.retryable);
    if (error.retryable) return;
    expect(met).toBeLessThanOrEqual(OF_THE_CONVERSATION.includes(code) ? GROUP_SIZE * MAX_ATTEMPTS : GROUP_SIZE);
  });

  test("that nobody expected is not met for ever", async () => {
    const { failure, met } = await failureOf(place, new TypeError("x is not a function"));
    expect(met).toBeLessThanOrEqual(GROUP_SIZE * MAX_ATTEMPTS);
    expect(toApplicationFailure(failure, 3)).toMatchObject({ nonRetryable: true });
  });
});

test("a chain of causes is curable only if every link is", () => {
  const link = fc.constantFrom(...ERROR_CODES);
  fc.assert(
    fc.property(fc.array(link, { minLength: 1, maxLength: 6 }), fc.boolean(), (codes, hasPlainLinks) => {
      const chain = codes.reduceRight<Error | undefined>(
        (cause, code) => new CampaignError(code, "x", { cause: hasPlainLinks ? new Error("between", { cause }) : cause }),
        undefined,
      );
      return (chain as CampaignError).retryable === codes.every((code) => new CampaignError(code, "x").retryable);
    }),
  );
});
