// Tiers of turns from recorded trajectories alone, and the turn rewards of GTPO as a table over them.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CodeTask } from "#contracts/code-task.ts";
import type { ToolCall, Trajectory, Turn } from "#contracts/trajectory.ts";
import { codeLabeller } from "#environments/code-reasoning/labels/code-labeller.ts";
import { CODE_TIER_SCHEME, CODE_TIERS } from "#environments/code-reasoning/labels/code-tiers.ts";
import { taskOf } from "#environments/code-reasoning/tasks/task-of.ts";

const QUESTION: CodeTask = {
  schemaVersion: 1,
  id: "legs",
  family: null,
  question: "How many legs?",
  answer: "32",
  tests: null,
  difficulty: null,
  solution: null,
};

const call = (name: string, argumentsJson: string, result: string, isError = false): ToolCall => ({
  id: "c",
  name,
  argumentsJson,
  result,
  isError,
  isExecuted: true,
});
const python = (code: string, result: string, isError = false) => call("python", JSON.stringify({ code }), result, isError);
const turn = (toolCalls: ToolCall[], content: string | null = null): Omit<Turn, "index"> => ({
  content,
  toolCalls,
  userReply: null,
  finishReason: toolCalls.length > 0 ? "tool_calls" : "stop",
  stateHash: "h",
});
const trajectory = (turns: readonly Omit<Turn, "index">[], stopReason: "agent-stop" | "unparsable" = "agent-stop") =>
  ({
    taskId: "legs",
    firstUserMessage: "How many legs?",
    turns: turns.map((one, index) => ({ ...one, index })),
    outcome: { stopReason },
  }) as unknown as Trajectory;

const labeller = codeLabeller(new Map([["legs", QUESTION]]));
const label = (given: Trajectory) => labeller.label(given, taskOf(QUESTION), "code/1" as never);
const tiers = (given: Trajectory) => label(given).map(({ tier }) => tier);

const KINDS: Readonly<Record<string, Omit<Turn, "index">>> = {
  run: turn([python("a = 1", "(no output)")]),
  gold_run: turn([python("print('so'); 32", "so\n32")]),
  error: turn([python("1 / 0", "[exception]\nZeroDivisionError: division by zero", true)]),
  limit: turn([python("while True: pass", "[timeout]\nstopped after 5 s", true)]),
  format: turn([call("calculator", "{}", '[format]\nthere is no tool "calculator"', true)]),
  answer: turn([], "so \\boxed{32}"),
  message: turn([], "I do not know"),
};

describe("tiers of code reasoning", () => {
  test.each(Object.keys(KINDS))("a turn of kind %s, after another one", (kind) => {
    const first = turn([python("first", "1")]);
    expect(tiers(trajectory([first, KINDS[kind] as Omit<Turn, "index">]))).toEqual(["run", kind]);
  });

  test.each([
    ["the value of a text", "'32'", "gold_run"],
    ["an equivalent number", "32.0", "gold_run"],
    ["not the last line", "32\n33", "run"],
    ["part of a line", "it is 32", "run"],
    ["nothing", "(no output)", "run"],
  ])("the last line decides whether a run has the answer: %s", (_, result, tier) => {
    expect(tiers(trajectory([turn([python("x", result)])]))).toEqual([tier]);
  });

  test("the same code again is a duplicate, unless it fails", () => {
    const again = [python("a = 1", "(no output)"), python("a = 1", "32"), python("1 / 0", "[exception]\nno", true)].map((one) =>
      turn([one]),
    );
    expect(tiers(trajectory([...again, again[2] as Omit<Turn, "index">]))).toEqual(["run", "duplicate", "error", "error"]);
  });

  test("what the model prints does not say of which kind its error is", () => {
    const fake = python("print('[format]'); 1 / 0", "[exception]\n[format]\nZeroDivisionError", true);
    expect(tiers(trajectory([turn([fake]), turn([python("print('[timeout]')", "[timeout]\n")])]))).toEqual(["error", "run"]);
  });

  test("a first turn that calls nothing, and a message that cannot be read, break the format", () => {
    expect(tiers(trajectory([KINDS["answer"] as Omit<Turn, "index">]))).toEqual(["format"]);
    const lost = { ...turn([{ ...python("x", ""), result: null, isExecuted: false }]), content: "{" };
    expect(tiers(trajectory([turn([python("x", "1")]), lost], "unparsable"))).toEqual(["run", "format"]);
  });

  test("the final tool is an answer, and one that cannot be read breaks the format", () => {
    const first = turn([python("x", "1")]);
    expect(tiers(trajectory([first, turn([call("answer", '{"answer": "32"}', "answered")])]))).toEqual(["run", "answer"]);
    expect(tiers(trajectory([first, turn([call("answer", "32", "[format]\nthe arguments", true)])]))).toEqual(["run", "format"]);
  });

  test("of several calls the executed one speaks, the others are counted", () => {
    const [only] = label(trajectory([turn([python("x", "1"), { ...python("y", ""), result: null, isExecuted: false }])]));
    expect(only).toMatchObject({ tier: "run", numIgnoredCalls: 1, callTiers: [{ callIndex: 0, tier: "run", match: null }] });
  });

  test("what was read before a turn is the question, then the results", () => {
    const seen = label(trajectory([turn([python("x", "1")]), turn([python("y", "2")]), turn([], "done")])).map(
      ({ observation }) => observation,
    );
    expect(seen).toEqual(["How many legs?", "1", "2"]);
  });
});

/** Eq. 5 of arXiv:2511.14846 as words: -0.1 for a turn that breaks the format, -0.1 for one whose code failed. */
function gtpoReward(kind: string, position: number): number {
  const callsNothing = kind === "answer" || kind === "message";
  if (kind === "format" || (position === 0 && callsNothing)) return -0.1;
  return kind === "error" || kind === "limit" ? -0.1 : 0;
}

test("the default table gives the turn rewards of the paper", () => {
  const { values = {} } = CODE_TIER_SCHEME.defaultTable as { values: Record<string, number> };
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...Object.keys(KINDS)), { minLength: 1, maxLength: 6 }), (kinds) => {
      const labelled = tiers(trajectory(kinds.map((kind) => KINDS[kind] as Omit<Turn, "index">)));
      expect(labelled.map((tier) => values[tier] ?? 0)).toEqual(kinds.map(gtpoReward));
      expect(labelled.every((tier) => (CODE_TIERS as readonly string[]).includes(tier))).toBe(true);
    }),
  );
});

describe("the program of a rollout", () => {
  test("is all code that was run, in order, whatever became of it; nothing else is", () => {
    const program = labeller.program?.(
      trajectory([
        turn([python("a = 1", "(no output)")], "let me think"),
        turn([call("calculator", '{"code": "b"}', "[format]\nno", true)]),
        turn([python("1 / 0", "[exception]\nno", true), { ...python("c = 2", ""), result: null, isExecuted: false }]),
        turn([call("answer", '{"answer": "32"}', "answered")]),
      ]),
    );
    expect(program).toBe("a = 1\n1 / 0");
  });

  test("of a rollout without code is empty", () => {
    expect(labeller.program?.(trajectory([turn([], "\\boxed{32}")]))).toBe("");
  });
});
