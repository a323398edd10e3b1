// The world of code reasoning with the real sandbox.
import { afterAll, describe, expect, test } from "vitest";
import { pyodideRuntime } from "#adapters/code-sandbox/pyodide/pyodide-runtime.ts";
import type { CodeTask } from "#contracts/code-task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import type { AgentTurn, UserSimulator } from "#core/ports.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { CodeReasoningConfig } from "#environments/code-reasoning/config.ts";
import { codeLabeller } from "#environments/code-reasoning/labels/code-labeller.ts";
import { generateTasks } from "#environments/code-reasoning/tasks/generate-tasks.ts";
import { taskOf } from "#environments/code-reasoning/tasks/task-of.ts";
import { codeWorld } from "#environments/code-reasoning/world/code-world.ts";
import { ENDLESS, episodeLaws } from "../../laws/episodes.ts";
import { memoryJournal, say, scriptedPolicy } from "../../unit/core/rollout/parties.ts";

const runtime = pyodideRuntime({ threads: 1, memoryMib: 128 });
afterAll(() => runtime.close());

const configWith = (overrides: object = {}): CodeReasoningConfig =>
  CodeReasoningConfig.parse({
    type: "code-reasoning",
    tasks: { source: "generated", seed: 1, train: 1, selection: 0, test: 0 },
    ...overrides,
  });
const question = (fields: Partial<CodeTask>): CodeTask => ({
  schemaVersion: 1,
  id: "legs",
  family: null,
  question: "How many legs have 3 spiders and 2 cats?",
  answer: "32",
  tests: null,
  difficulty: null,
  solution: null,
  ...fields,
});
const nobody: UserSimulator = { id: "none", hash: "none", reply: () => Promise.reject(new Error("asked")) };

const calls = (name: string, argumentsJson: string): Partial<AgentTurn> => ({
  toolCalls: [{ id: "c", name, argumentsJson }],
  finishReason: "tool_calls",
});
const run = (code: string) => calls("python", JSON.stringify({ code }));
const worldOf = (asked: CodeTask, overrides: object = {}) => codeWorld(configWith(overrides), new Map([[asked.id, asked]]), runtime);

episodeLaws("code reasoning", () => ({
  world: worldOf(question({})),
  task: taskOf(question({})),
  script: [run("legs = 8 * 3\nlegs"), run("print(legs + 4 * 2)"), say("There are \\boxed{32} legs.")],
  simulator: nobody,
}));

async function play(asked: CodeTask, script: readonly Partial<AgentTurn>[], overrides: object = {}): Promise<Trajectory> {
  const { trajectory, error } = await runTrajectory({
    task: taskOf(asked),
    trial: 0,
    environment: worldOf(asked, overrides),
    policy: scriptedPolicy(script),
    simulator: nobody,
    journal: memoryJournal(),
    clock: ENDLESS,
    seed: "s",
    limits: { maxTurns: 10 },
    signal: new AbortController().signal,
  });
  expect(error).toBeNull();
  return trajectory;
}
const results = ({ turns }: Trajectory) => turns.flatMap(({ toolCalls }) => toolCalls.map(({ result, isError }) => [isError, result]));
const tiers = (asked: CodeTask, trajectory: Trajectory) =>
  codeLabeller(new Map([[asked.id, asked]]))
    .label(trajectory, taskOf(asked), "code/1" as never)
    .map(({ tier }) => tier);

describe("what the model is shown", () => {
  test("output, the value of the last expression, and of an error its kind and traceback; names stay", async () => {
    const trajectory = await play(question({}), [
      run("x = 8\nprint('eight')\nx"),
      run("x * 4"),
      run("print('before')\n1 / 0"),
      run("y = 1"),
      say("\\boxed{32}"),
    ]);
    const [first, second, third, fourth] = results(trajectory);
    expect([first, second, fourth]).toEqual([
      [false, "eight\n8"],
      [false, "32"],
      [false, "(no output)"],
    ]);
    expect(third).toEqual([true, expect.stringMatching(/^\[exception\]\nbefore\nTraceback [\s\S]*ZeroDivisionError: division by zero$/)]);
    expect(trajectory.outcome).toMatchObject({ type: "ok", reward: 1, passed: true, parts: { answer: 1 }, stopReason: "agent-stop" });
    expect(tiers(question({}), trajectory)).toEqual(["run", "gold_run", "error", "run", "answer"]);
  });

  test("a cell that hangs is ended, shows nothing of what it wrote, and the next one begins with no names", async () => {
    const trajectory = await play(
      question({}),
      [run("x = 32"), run("while True: print('again', end='')"), run("while True: pass"), run("x"), say("\\boxed{32}")],
      { cell: { seconds: 1, outputBytes: 65_536 } },
    );
    const kinds = results(trajectory).map(([, result]) => String(result).split("\n")[0]);
    expect(kinds[0]).toBe("(no output)");
    expect(["[timeout]", "[output]"]).toContain(kinds[1]);
    expect(results(trajectory)[2]).toEqual([true, "[timeout]\nstopped after 1 s; names of earlier cells are gone"]);
    expect(results(trajectory)[3]).toEqual([true, expect.stringContaining("NameError: name 'x' is not defined")]);
    expect(tiers(question({}), trajectory)).toEqual(["run", "limit", "limit", "error", "answer"]);
  });

  test("much output is cut in its middle, and an error keeps its last line", async () => {
    const trajectory = await play(question({}), [run("print('a' * 9_000)"), run("raise ValueError('b' * 9_000 + 'end')"), say("?")], {
      cell: { seconds: 5, outputBytes: 512 },
    });
    for (const [, result] of results(trajectory)) expect(String(result).length).toBeLessThanOrEqual(512 + "[exception]\n".length);
    const [flood, raised] = results(trajectory).map(([, result]) => String(result));
    expect(flood).toMatch(/^\[output\]\na+ … [\s\S]*more than 512 bytes of output; the rest is not kept$/);
    expect(raised).toMatch(/^\[exception\]\nTraceback [\s\S]* … b+end$/);
  });

  test("calls that cannot be read break the format, and cells beyond the last are not run", async () => {
    const trajectory = await play(
      question({}),
      [
        calls("calculator", "{}"),
        calls("python", '{"code": 5}'),
        calls("python", '{"code": "  "}'),
        calls("answer", '{"answer": "32"}'),
        run("1"),
        run("2"),
        say("\\boxed{32}"),
      ],
      { maxCells: 1 },
    );
    expect(results(trajectory).map(([isError, result]) => [isError, String(result).split("\n")[0]])).toEqual([
      [true, "[format]"],
      [true, "[format]"],
      [true, "[format]"],
      [true, "[format]"],
      [false, "1"],
      [true, "[cells]"],
    ]);
    expect(tiers(question({}), trajectory)).toEqual(["format", "format", "format", "format", "run", "limit", "answer"]);
  });
});

describe("what an episode earns", () => {
  test.each([
    ["no box", say("It is 32."), { passed: false, detail: "the last message has no answer" }],
    ["a wrong answer", say("\\boxed{33}"), { passed: false, detail: "the answer is 33, not that of the task" }],
    ["an equivalent answer", say("\\boxed{\\frac{64}{2}}"), { passed: false }],
    ["a box in its thoughts alone", say("<think>\\boxed{32}</think> done"), { passed: false }],
    ["the answer", say("\\boxed{32.0}"), { passed: true, detail: null }],
  ])("with %s", async (_, last, outcome) => {
    const asked = question(outcome.passed === false && _ === "an equivalent answer" ? { answer: "31" } : {});
    expect((await play(asked, [run("1"), last])).outcome).toMatchObject(outcome);
  });

  test("by the final tool, which ends the conversation", async () => {
    const given = await play(question({}), [run("8 * 3 + 4 * 2"), calls("answer", '{"answer": "32"}')], { answer: "tool" });
    expect(given.outcome).toMatchObject({ passed: true, stopReason: "agent-stop" });
    expect(tiers(question({}), given)).toEqual(["gold_run", "answer"]);
    const wrong = await play(question({}), [calls("answer", '{"answer": "31"}')], { answer: "tool" });
    expect(wrong.outcome).toMatchObject({ passed: false, stopReason: "agent-stop" });
  });

  const TESTS = ["assert f(4) == 10", "assert f(0) == 0", "assert f(3) == 6"];
  const triangular = question({ id: "triangular", question: "Write f(n).", answer: null, tests: TESTS });
  test.each<[string, readonly string[], number, RegExp | null]>([
    ["all tests pass", ["def f(n):\n    return n * (n + 1) // 2"], 1, null],
    ["the program of several cells", ["def g(n):\n    return n + 1", "1 / 0", "def f(n):\n    return n * g(n) // 2"], 1, null],
    ["one test fails", ["def f(n):\n    return 10 if n == 4 else 0"], 2 / 3, /test 3 of 3 failed: AssertionError/],
    ["no such function", ["x = 1"], 0, /test 1 of 3 failed: NameError/],
    [
      "a test that hangs ends them",
      ["def f(n):\n    while n == 0: pass\n    return n * (n + 1) // 2"],
      1 / 3,
      /test 2 of 3 failed: stopped/,
    ],
    [
      "what was defined before an interpreter was killed is gone",
      ["def f(n): return n * (n + 1) // 2", "while True: pass"],
      0,
      /no program/,
    ],
    [
      "a program that lets no test fail",
      ["import sys\nsys.modules['turnwise_cell']._execute = lambda code, name: None"],
      0,
      /changed what a failed test is/,
    ],
  ])("tests: %s", async (_, cells, share, detail) => {
    const { outcome } = await play(triangular, [...cells.map(run), say("done")], { cell: { seconds: 2 } });
    expect(outcome.passed).toBe(share === 1);
    expect(outcome.parts["tests"]).toBeCloseTo(share, 12);
    if (detail !== null) expect(outcome.detail).toMatch(detail);
  });

  test("what one episode does to its interpreter does not help the next, nor its own tests", async () => {
    const bend = "import builtins\nbuiltins.AssertionError = None\nf = lambda n: 1";
    const { outcome } = await play(triangular, [run(bend), say("done")]);
    expect(outcome).toMatchObject({ passed: false });
    expect((await play(question({}), [run("len([1]) * 32"), say("\\boxed{32}")])).outcome.passed).toBe(true);
  });

  test("a task with an answer and tests wants both", async () => {
    const both = question({ tests: ["assert legs == 32"] });
    const parts = async (script: readonly Partial<AgentTurn>[]) => (await play(both, script)).outcome;
    expect(await parts([run("legs = 32"), say("\\boxed{32}")])).toMatchObject({ passed: true, parts: { answer: 1, tests: 1 } });
    expect(await parts([run("legs = 32"), say("\\boxed{31}")])).toMatchObject({ passed: false, parts: { answer: 0, tests: 1 } });
    expect(await parts([run("legs = 31"), say("\\boxed{32}")])).toMatchObject({ passed: false, parts: { answer: 1, tests: 0 } });
  });
});

test("every generated task is solved by its own solution, played as an episode", { timeout: 120_000 }, async () => {
  const { train } = generateTasks({ seed: 3, families: [...FAMILIES], difficulties: [1, 3, 5], train: 30, selection: 0, test: 0 });
  for (const asked of train) {
    const solution = asked.solution ?? "";
    const first = await play(asked, [run(solution), say("…")]);
    const printed = String(results(first)[0]?.[1]);
    const { outcome } = await play(asked, [run(solution), say(asked.tests === null ? `\\boxed{${printed}}` : "done")]);
    expect([asked.id, outcome.detail, outcome.passed]).toEqual([asked.id, null, true]);
  }
});
const FAMILIES = ["arithmetic", "dates", "counting", "tables", "programs"] as const;
