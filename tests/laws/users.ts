// What every simulated user must do, whoever speaks for it. A user's own test calls `userLaws` with a way to open it.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Task } from "#contracts/task.ts";
import type { SimulatorReply, SimulatorView, UserSimulator } from "#core/ports.ts";
import { STOP_TOKEN } from "#core/rollout/ending.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { present } from "../fixtures/present.ts";
import { counter, memoryJournal, say, scriptedPolicy, testClock } from "../unit/core/rollout/parties.ts";

export interface UserUnderTest {
  /** A new one, set as before. Of a model's user: behind an endpoint that answers the same prompt and seed the same. */
  open(): UserSimulator;
  /** The same kind of user, set otherwise: another one. */
  readonly others: readonly (() => UserSimulator)[];
  /** What it may be asked to want. */
  readonly tasks: readonly Task[];
  /** Calls of a model that its endpoint has seen; left out where none is called. */
  numCalls?(): number;
  /** One whose endpoint is out of order; left out for a user that cannot fail. */
  openFailing?(): UserSimulator;
}

const NEVER = new AbortController().signal;
const OPENING: SimulatorView = { firstUserMessage: null, exchanges: [] };
const NUM_RUNS = 25;

/** What agents say: words that users listen for among others. */
const agentMessage = fc.oneof(
  fc.constantFrom("May I have your user ID?", "Shall I proceed?", "I'm sorry, that is not allowed.", "It is done. Anything else?", ""),
  fc.string(),
  fc.string({ unit: "grapheme", maxLength: 200 }),
);
const seeds = fc.nat(0xffffffff).map((value) => value.toString(16).padStart(64, "0"));

/** Runs the laws as tests, under the user's name. */
export function userLaws(name: string, user: UserUnderTest): void {
  describe(`a user (${name})`, () => {
    identityLaws(user);
    replyLaws(user);
    rolloutLaws(user);
    if (user.openFailing !== undefined) failureLaws(present(user.tasks[0]), user.openFailing);
  });
}

/** Groups carry id and hash: rollouts of users that differ in anything are told apart by them. */
function identityLaws({ open, others }: UserUnderTest): void {
  test("its id has a version; id and hash are the same at every opening, and of another one another hash", () => {
    const { id, hash } = open();
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*\/[1-9][0-9]*(:.+)?$/);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(open()).toMatchObject({ id, hash });
    const hashes = [hash, ...others.map((other) => other().hash)];
    expect(new Set(hashes).size).toBe(hashes.length);
  });
}

function replyLaws(user: UserUnderTest): void {
  const { open, tasks, numCalls = () => 0 } = user;

  test("it opens with words of its own and does not stop before it has asked for anything", async () => {
    for (const task of tasks) {
      const { content } = await open().reply(task, OPENING, { seed: "a".repeat(64), signal: NEVER });
      expect(content.trim()).not.toBe("");
      expect(content).not.toContain(STOP_TOKEN);
    }
  });

  test("whatever it hears, its reply has words and says what it cost", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...tasks), fc.array(agentMessage, { maxLength: 6 }), seeds, async (task, messages, seed) => {
        const before = numCalls();
        const replies = await talk(open(), task, messages, seed);
        for (const { content, usage } of replies) {
          expect(content.trim()).not.toBe("");
          for (const count of [usage.promptTokens, usage.completionTokens, usage.calls])
            expect(Number.isInteger(count) && count >= 0).toBe(true);
        }
        expect(replies.reduce((sum, { usage }) => sum + usage.calls, 0)).toBe(numCalls() - before);
      }),
      { numRuns: NUM_RUNS },
    );
  });

  test("a reply follows from task, conversation and seed, whatever the user was asked before", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...tasks),
        fc.array(agentMessage, { minLength: 1, maxLength: 5 }),
        fc.array(agentMessage, { maxLength: 3 }),
        seeds,
        async (task, messages, others, seed) => {
          const used = open();
          await talk(used, task, others, `${seed.slice(1)}f`);
          const again = contents(await talk(used, task, messages, seed));
          expect(again).toEqual(contents(await talk(open(), task, messages, seed)));
        },
      ),
      { numRuns: NUM_RUNS },
    );
  });

  test("a word that is not waited for any more is not said late: it comes at once, or the caller's reason does", async () => {
    const reason = new Error("nobody waits");
    const reply = open().reply(present(tasks[0]), OPENING, { seed: "a".repeat(64), signal: AbortSignal.abort(reason) });
    const answer = await reply.catch((error: unknown) => error);
    if (answer instanceof Error) expect(answer).toBe(reason);
    else expect((answer as SimulatorReply).usage.calls).toBe(0);
  });
}

function rolloutLaws({ open, tasks }: UserUnderTest): void {
  const run = (task: Task, entries: Parameters<typeof memoryJournal>[0] = [], diesAfter?: number) =>
    runTrajectory({
      task: { ...task, goldenActions: [], outputs: [] },
      environment: counter,
      simulator: open(),
      policy: scriptedPolicy(Array.from({ length: 8 }, (_, turn) => say(`message ${turn}`))),
      journal: memoryJournal(entries, diesAfter),
      limits: { maxTurns: 8 },
      trial: 0,
      seed: "s",
      signal: NEVER,
    });

  test("a rollout with it comes to its end, and is the same again, also where it was killed on the way", async () => {
    const task = present(tasks[0]);
    const { trajectory } = await run(task);
    expect(["user-stop", "turn-cap"]).toContain(trajectory.outcome.stopReason);
    expect((await run(task)).trajectory).toEqual(trajectory);
    const entries: Parameters<typeof memoryJournal>[0] = [];
    await expect(run(task, entries, 2)).rejects.toThrow("killed");
    expect((await run(task, entries)).trajectory).toEqual(trajectory);
  });
}

function failureLaws(task: Task, openFailing: () => UserSimulator): void {
  const options = { seed: "a".repeat(64), signal: NEVER };

  test("a user that gives up says so by a code, with what it has cost", async () => {
    const failure = await openFailing()
      .reply(task, OPENING, options)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: expect.stringMatching(/^simulator\./), usage: { calls: expect.any(Number) } });
    expect((failure as { usage: { calls: number } }).usage.calls).toBeGreaterThan(0);
  });

  test("and its rollout is a sim_error: no reward, and what it has cost", async () => {
    const { trajectory } = await runTrajectory({
      ...{ task, environment: counter, simulator: openFailing(), policy: scriptedPolicy([say("hello")]), journal: memoryJournal() },
      ...{ limits: { maxTurns: 8 }, trial: 0, seed: "s", signal: NEVER, clock: testClock() },
    });
    expect(trajectory.outcome).toMatchObject({ type: "sim_error", reward: null, detail: expect.stringMatching(/simulator\./) });
  });
}

/** The user's replies to these messages, the opening first; after a stop nobody asks further. Views are frozen: nobody may write into them. */
async function talk(user: UserSimulator, task: Task, messages: readonly string[], seed: string): Promise<SimulatorReply[]> {
  const replies = [await user.reply(task, OPENING, { seed, signal: NEVER })];
  const exchanges: SimulatorView["exchanges"][number][] = [];
  for (const [index, agent] of messages.entries()) {
    if (present(replies.at(-1)).content.includes(STOP_TOKEN)) break;
    const view = {
      firstUserMessage: present(replies[0]).content,
      exchanges: Object.freeze([...exchanges, Object.freeze({ agent, user: null })]),
    };
    const reply = await user.reply(task, Object.freeze(view), { seed: `${index}${seed.slice(1)}`, signal: NEVER });
    replies.push(reply);
    exchanges.push(Object.freeze({ agent, user: reply.content }));
  }
  return replies;
}

const contents = (replies: readonly SimulatorReply[]): string[] => replies.map(({ content }) => content);
