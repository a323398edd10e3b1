import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GoldenTask } from "#contracts/task.ts";
import { hear } from "#core/rollout/hear.ts";
import { createSyntheticAirline } from "#environments/synthetic-airline/airline.ts";
import { scriptedReply, scriptedSimulator } from "#simulators/scripted.ts";

const { splits } = createSyntheticAirline(1);
const STOP = "###STOP###";

function taskWhere(isWanted: (task: GoldenTask) => boolean): GoldenTask {
  const found = splits.train.find(isWanted);
  if (found === undefined) throw new Error("the train split has no such task");
  return found;
}

const cancel = taskWhere(({ kind, difficulty }) => kind === "cancel" && difficulty.numWrites === 1);

/** The user's replies to these messages, one after the other. */
function replies(task: GoldenTask, messages: readonly string[], seed = "s"): string[] {
  const firstUserMessage = scriptedReply(task, { firstUserMessage: null, exchanges: [] }, seed);
  const exchanges: { agent: string; user: string | null }[] = [];
  for (const agent of messages) {
    const user = scriptedReply(task, { firstUserMessage, exchanges: [...exchanges, { agent, user: null }] }, seed);
    exchanges.push({ agent, user });
  }
  return [firstUserMessage, ...exchanges.map(({ user }) => user ?? "")];
}

test("the same task, conversation and seed give the same reply", async () => {
  const view = { firstUserMessage: "Hi.", exchanges: [{ agent: "what is the reason?", user: null }] };
  const options = { seed: "x", signal: new AbortController().signal };
  expect(await scriptedSimulator.reply(cancel, view, options)).toEqual(await scriptedSimulator.reply(cancel, view, options));
});

test("seeds change the words", () => {
  const openings = new Set(Array.from({ length: 20 }, (_, seed) => replies(cancel, [], String(seed))[0]));
  expect(openings.size).toBeGreaterThan(2);
});

test("the user gives the user id when it is asked for", () => {
  expect(replies(cancel, ["May I have your user ID?"])[1]).toContain(cancel.userId);
});

test("the user agrees to a proposal and says goodbye when it is done", () => {
  const [, agreement, goodbye] = replies(cancel, [
    "I will cancel it. Shall I proceed?",
    "Your reservation has been cancelled. Anything else?",
  ]);
  expect(agreement).toMatch(/^Yes/);
  expect(goodbye).toContain(STOP);
});

test("several questions get several answers", () => {
  const answer = replies(cancel, ["Please provide your user id. What is the reason for the cancellation?"])[1];
  expect(answer).toContain(cancel.userId);
  expect(answer).toMatch(/plan|sick|health|unwell|weather|need it/i);
});

test("a refused user insists at most once, and only one whose agenda says so", () => {
  for (const task of splits.train.slice(0, 60).filter(({ kind }) => kind !== "two-wishes")) {
    const insists = (task.agenda as { wishes: { insists: boolean }[] }).wishes[0]?.insists;
    const stops = replies(task, ["sorry, that is not allowed.", "sorry, that is not allowed."]).map((reply) => reply.includes(STOP));
    expect(stops).toEqual([false, !insists, true]);
  }
});

test("a user with two wishes asks for the second one after the first", () => {
  const task = taskWhere(({ kind }) => kind === "two-wishes");
  const [, second, goodbye] = replies(task, ["done. anything else?", "done. anything else?"]);
  expect(second).not.toContain(STOP);
  expect(goodbye).toContain(STOP);
});

test("every conversation ends: a user who is not understood, or asked the same again and again, hangs up", () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(599), (message, index) => {
      const task = splits.train[index] as GoldenTask;
      expect(
        replies(
          task,
          Array.from({ length: 24 }, () => message),
        ).some((reply) => reply.includes(STOP)),
      ).toBe(true);
    }),
    { numRuns: 100 },
  );
  expect(
    replies(
      cancel,
      Array.from({ length: 8 }, () => "What is the reason?"),
    ).at(-1),
  ).toContain(STOP);
});

test("arguments of golden calls never appear as JSON in what the user says", () => {
  for (const task of splits.train.slice(0, 100)) {
    for (const reply of replies(task, ["user id?", "which reservation is it?", "which payment method?", "shall i do it?"]))
      expect(reply).not.toMatch(/[{}"]/);
  }
});

describe("what a user hears", () => {
  test.each([
    ["Could you please tell me your user ID?", { asks: ["user-id"] }],
    ["What is the reason for the cancellation?", { asks: ["reason"] }],
    ["Which payment method would you like to use?", { asks: ["payment"] }],
    ["I'm sorry, this reservation cannot be cancelled.", { isRefusal: true, isDone: false }],
    ["Do you want me to proceed? (yes/no)", { wantsConfirmation: true, isDone: false }],
    ["I have cancelled your reservation. Is there anything else I can help with?", { isDone: true, wantsConfirmation: false }],
    ["Your booking has been updated.", { isDone: true }],
  ])("%s", (message, expected) => expect(hear(message)).toMatchObject(expected));
});
