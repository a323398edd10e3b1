import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ToldTask } from "#contracts/task.ts";
import type { ToolCall } from "#contracts/trajectory.ts";
import type { Environment } from "#core/environment/environment.ts";
import { bestFit, describeMisses, describeShare, type FitFacts, fitFacts, fittingShare, judgeFit } from "#environments/task-set-fit.ts";
import { TASK } from "../core/rollout/parties.ts";

/** Adds what it is asked to, and answers with the sum so far and the name of the shop. */
function shop(name: string, tools: readonly string[]): Environment<number> {
  const parameters = { type: "object", properties: { by: { type: "integer" } }, required: ["by"] };
  return {
    id: name,
    tools: tools.map((tool) => ({ type: "function", function: { name: tool, description: "", parameters } })),
    systemPrompt: "",
    dataSha256: "0".repeat(64),
    reset: () => 0,
    step: (state, call) => {
      if (!tools.includes(call.name)) return { state, observation: `Unknown action ${call.name}`, isError: true };
      let by: unknown;
      try {
        by = (JSON.parse(call.argumentsJson) as { by?: unknown }).by;
      } catch {
        return { state, observation: "Error: no JSON", isError: true };
      }
      if (typeof by !== "number") return { state, observation: "Error: by what?", isError: true };
      return { state: state + by, observation: JSON.stringify({ shop: name, sum: state + by }), isError: false };
    },
    stateHash: String,
    isTerminal: () => false,
    isWrite: () => true,
    grade: () => ({ reward: 0, isDatabaseMatch: false, missingOutputs: [] }),
  };
}

const HERE = shop("here", ["buy", "sell"]);
const THERE = shop("there", ["buy", "sell"]);
const OTHER = shop("other", ["fly", "land"]);

type Call = Pick<ToolCall, "name" | "argumentsJson">;

/** What an agent that makes these calls reads in the shop. */
function played({ step, reset }: Environment<number>, calls: readonly Call[], task: ToldTask = TASK) {
  let state = reset();
  const toolCalls = calls.map((call, index): ToolCall => {
    const result = step(state, call);
    state = result.state;
    return { id: String(index), ...call, result: result.observation, isError: result.isError, isExecuted: true };
  });
  return {
    task,
    trajectory: { turns: [{ index: 0, content: null, toolCalls, userReply: null, finishReason: "tool_calls" as const, stateHash: null }] },
  };
}

const facts = (environment: Environment<number>, ...rollouts: readonly ReturnType<typeof played>[]): FitFacts =>
  fitFacts(rollouts, { environment: environment as Environment, tasks: [TASK] });

const callOf = (names: readonly string[]): fc.Arbitrary<Call> =>
  fc.record({ name: fc.constantFrom(...names), argumentsJson: fc.integer({ min: 1, max: 99 }).map((by) => JSON.stringify({ by })) });
const calls = (names: readonly string[]) => fc.array(callOf(names), { minLength: 1, maxLength: 12 });

describe("rollouts against a task set", () => {
  test("fit where they were made, every call, and nowhere else, though the tools have the same names", () => {
    fc.assert(
      fc.property(calls(["buy", "sell"]), (made) => {
        const rollout = played(HERE, made);
        expect(facts(HERE, rollout)).toMatchObject({ calls: made.length, same: made.length });
        expect(judgeFit(facts(HERE, rollout))).toBe("clear");
        expect(facts(THERE, rollout)).toMatchObject({ same: 0, misses: { "other-result": made.length } });
        expect([judgeFit(facts(THERE, rollout)), judgeFit(facts(OTHER, rollout))]).toEqual(["misfit", "misfit"]);
        const found = bestFit([THERE, HERE, OTHER].map((environment) => ({ name: environment.id, facts: facts(environment, rollout) })));
        expect(found?.name).toBe("here");
      }),
    );
  });

  test("fit in spite of tools that the model made up: those fail in both places", () => {
    fc.assert(
      fc.property(calls(["buy", "sell"]), calls(["refund", "think_hard"]), (real, madeUp) => {
        const rollout = played(HERE, [...real, ...madeUp]);
        const [turn] = rollout.trajectory.turns;
        for (const call of turn?.toolCalls ?? []) if (call.isError) call.result = "Error: no such tool";
        expect(facts(HERE, rollout)).toMatchObject({ calls: real.length, same: real.length, missingTools: [] });
        expect(judgeFit(facts(HERE, rollout))).toBe("clear");
      }),
    );
  });

  test("of two files mixed in any share fit by that share, and the better set is found for each", () => {
    fc.assert(
      fc.property(calls(["buy"]), calls(["fly"]), (ours, theirs) => {
        const mixed = facts(HERE, played(HERE, ours), played(OTHER, theirs));
        expect(mixed).toMatchObject({ calls: ours.length + theirs.length, same: ours.length, missingTools: ["fly"] });
        expect(fittingShare(mixed)).toBe(ours.length / (ours.length + theirs.length));
      }),
    );
  });

  test("arguments that nobody can read, or that no tool takes, are named as such", () => {
    const rollout = played(
      HERE,
      Array.from({ length: 4 }, () => ({ name: "buy", argumentsJson: '{"by": 1}' })),
    );
    const [turn] = rollout.trajectory.turns;
    for (const [index, text] of ["{'by': 1}", "by=1", '{"of": 1}', '{"by": 1, "of": 2}'].entries()) {
      const call = turn?.toolCalls[index];
      if (call !== undefined) call.argumentsJson = text;
    }
    const found = facts(HERE, rollout);
    expect(found).toMatchObject({ same: 0, misses: { "unreadable-arguments": 2, "other-arguments": 2 } });
    expect(describeMisses(found)).toContain("2 have arguments that are no JSON object");
  });

  test("the same JSON in other spacing is the same result, other words are not", () => {
    const rollout = played(HERE, [{ name: "buy", argumentsJson: '{"by": 1}' }]);
    const [call] = rollout.trajectory.turns[0]?.toolCalls ?? [];
    if (call === undefined) throw new Error("no call");
    call.result = '{ "sum": 1.0, "shop": "here" }';
    expect(facts(HERE, rollout).same).toBe(1);
    call.result = "1";
    expect(facts(HERE, rollout).same).toBe(0);
  });
});

const golden = (names: readonly string[]): ToldTask => ({
  ...TASK,
  id: names.join("-"),
  instruction: "",
  goldenActions: names.map((name) => ({ name, argumentsJson: '{"by": 1}' })),
});

describe("rollouts that call little", () => {
  test("and fit two sets alike are of the one that has their tasks", () => {
    const made = { ...golden(["buy", "sell"]), instruction: "sell it again" };
    const rollout = played(HERE, [{ name: "buy", argumentsJson: '{"by": 1}' }], made);
    const of = (tasks: readonly ToldTask[]) => fitFacts([rollout], { environment: HERE as Environment, tasks });
    const [own, other] = [of([made]), of([{ ...made, userId: "u2", instruction: "keep it" }])];
    expect([judgeFit(own), judgeFit(other)]).toEqual(["partly", "partly"]);
    expect(
      bestFit([
        { name: "other", facts: other },
        { name: "own", facts: own },
      ])?.name,
    ).toBe("own");
  });

  test("are judged by their golden actions, and never clear without a call", () => {
    const silent = played(HERE, [], golden(["buy", "sell"]));
    expect(describeShare(facts(HERE, silent))).toBe("2 of 2 golden actions and 0 of 1 tasks");
    expect(judgeFit(facts(HERE, silent))).toBe("partly");
    expect(judgeFit(facts(OTHER, silent))).toBe("misfit");
  });

  test("that show nothing do not fit: no call, no golden action, no task of the set", () => {
    const unknown: ToldTask = { ...TASK, instruction: "", userId: "", goldenActions: null };
    expect(judgeFit(facts(HERE, played(HERE, [], unknown)))).toBe("misfit");
    expect(judgeFit(facts(HERE, played(HERE, [], TASK)))).toBe("partly");
  });

  test("do not fit where the golden tools are missing, whatever the calls say", () => {
    const both = shop("here", ["buy"]);
    expect(judgeFit(facts(both, played(HERE, [{ name: "buy", argumentsJson: '{"by": 1}' }], golden(["fly", "land"]))))).toBe("misfit");
  });
});

test("more calls with the stored result never make a fit worse", () => {
  const count = fc.nat(50);
  const order = ["misfit", "partly", "clear"];
  fc.assert(
    fc.property(count, count, count, (same, others, goldenWork) => {
      const base = { misses: {} as FitFacts["misses"], missingTools: [], tasks: 1, knownTasks: 0 };
      const of = (right: number): FitFacts => ({
        ...base,
        calls: right + others,
        same: right,
        golden: 10,
        goldenKnown: 10,
        goldenWork: goldenWork % 11,
      });
      if (same + others > 0) expect(order.indexOf(judgeFit(of(same + 1)))).toBeGreaterThanOrEqual(order.indexOf(judgeFit(of(same))));
    }),
  );
});
