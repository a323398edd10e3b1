// The expert of code reasoning in the real sandbox.
import { afterAll, expect, test } from "vitest";
import { pyodideRuntime } from "#adapters/code-sandbox/pyodide/pyodide-runtime.ts";
import { CODE_FAMILIES, type CodeTask } from "#contracts/code-task.ts";
import { codeDemonstration, playCode } from "#environments/code-reasoning/demonstrations.ts";
import { attemptsAt, type Script } from "#environments/code-reasoning/expert/expert.ts";
import { hashOfQuestion, splitOfQuestion, trainingTask } from "#environments/code-reasoning/tasks/generate-tasks.ts";

const runtime = pyodideRuntime({ threads: 1, memoryMib: 128 });
afterAll(() => runtime.close());
const signal = new AbortController().signal;
const tasks = { seed: 1, families: [...CODE_FAMILIES], difficulties: [1, 2, 3, 4, 5] };
const source = { tasks, runtime, signal };
const NUM_CELLS = tasks.families.length * tasks.difficulties.length;
const indices = Array.from({ length: 4 * NUM_CELLS }, (_, index) => index);

/** Runs a program and answers what it says. */
function* answering(task: CodeTask, code: string): Script {
  const output = yield { type: "run", code };
  yield { type: "answer", content: task.tests === null ? `\\boxed{${output}}` : "done" };
}

test("without slips the expert passes every family and difficulty", { timeout: 120_000 }, async () => {
  for (const index of indices) {
    const { row, isPassed } = await codeDemonstration(source, index, 0);
    expect(isPassed, row.segments.map(({ text }) => text).join("")).toBe(true);
  }
});

test("with slips it passes some, and the same index is the same conversation", { timeout: 120_000 }, async () => {
  const slipping = [];
  for (const index of indices) slipping.push(await codeDemonstration(source, index, 1));
  const numPassed = slipping.filter(({ isPassed }) => isPassed).length;
  expect(numPassed).toBeGreaterThan(0);
  expect(numPassed).toBeLessThan(indices.length / 2);
  for (const index of [0, 7, 13]) expect(await codeDemonstration(source, index, 1)).toEqual(slipping[index]);
});

test("a broken program raises, and most wrong ones are graded as wrong", { timeout: 300_000 }, async () => {
  let [numWrong, numFailed] = [0, 0];
  for (const index of indices.slice(0, 2 * NUM_CELLS)) {
    const task = trainingTask(tasks, index);
    const { wrong, broken } = attemptsAt(task);
    for (const program of broken) {
      const { conversation } = await playCode(task, answering(task, program), source);
      expect(conversation.turns[0]?.turn.toolCalls[0]?.isError, program).toBe(true);
    }
    for (const program of wrong) numFailed += (await playCode(task, answering(task, program), source)).isPassed ? 0 : 1;
    numWrong += wrong.length;
  }
  expect(numFailed / numWrong).toBeGreaterThan(0.75);
});

test("only questions of the training split are demonstrated, and each index is drawn anew", () => {
  const series = Array.from({ length: 200 }, (_, index) => trainingTask(tasks, index));
  expect(series.every(({ question }) => splitOfQuestion(question) === "train")).toBe(true);
  expect(new Set(series.slice(0, NUM_CELLS).map(({ family, difficulty }) => `${family} ${difficulty}`)).size).toBe(NUM_CELLS);
  expect(new Set(series.map(({ question }) => hashOfQuestion(question))).size).toBeGreaterThan(180);
});
