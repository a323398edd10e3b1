// The laws of every environment, on its own data: calls are golden actions of real tasks, repeated, mixed, spoilt and made up, so that
// many of them write, and many fail. Each test counts what it saw: a law that was never put to the test fails.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TASK_SET_SOURCES, type WholeTaskSet } from "#adapters/task-data/task-sets.ts";
import type { Environment, EnvironmentCall } from "#core/environment/environment.ts";
import type { DatabaseState } from "#environments/tau/database.ts";
import { repr } from "#environments/tau/python/format.ts";
import { PyDict, type PyValue } from "#environments/tau/python/values.ts";
import { because, MISSING, TAU_BENCH } from "./tau-bench-data.ts";

const sources = TASK_SET_SOURCES.filter(({ needsData }) => !needsData || MISSING === null);
const sets = (await Promise.all(sources.map(({ load }) => load(MISSING === null ? TAU_BENCH : null)))).flat();
/** One task set per environment: the first that its source has. */
const environments = sources.map(({ name }) => sets.find((set) => set.name.startsWith(name)) as WholeTaskSet);

const garbage = fc.oneof(
  fc.json(),
  fc.string(),
  fc.constantFrom('{"a":', '{"a": NaN}', "[1]", '{"__proto__": {"x": 1}}', '{"user_id": "\\ud800"}', `{"amount": ${"9".repeat(400)}}`),
);

/** A golden action as it is, with one argument replaced by anything, without one, or with text that is no call at all. */
function spoilt(call: EnvironmentCall): fc.Arbitrary<EnvironmentCall> {
  const args = Object.entries(JSON.parse(call.argumentsJson) as Record<string, unknown>);
  const replaced = fc
    .tuple(
      fc.nat(Math.max(0, args.length - 1)),
      fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(1, -1, 2.5, "gift_card_1", [], [{}])),
    )
    .map(([place, value]) => JSON.stringify(Object.fromEntries(args.map(([key, old], index) => [key, index === place ? value : old]))));
  const shortened = fc
    .nat(Math.max(0, args.length - 1))
    .map((place) => JSON.stringify(Object.fromEntries(args.filter((_, index) => index !== place))));
  return fc.oneof(replaced, shortened, garbage).map((argumentsJson) => ({ name: call.name, argumentsJson }));
}

function callsOf({ tasks }: WholeTaskSet) {
  const acting = tasks.filter(({ difficulty }) => difficulty.numWrites > 0);
  const golden = fc.constantFrom(...acting).map(({ goldenActions }): readonly EnvironmentCall[] => goldenActions);
  const one = fc.constantFrom(...acting.flatMap(({ goldenActions }) => goldenActions));
  const unknown = fc.record({ name: fc.constantFrom("nope", "toString", "__proto__", ""), argumentsJson: garbage });
  const part = fc.oneof(
    { weight: 4, arbitrary: golden },
    { weight: 2, arbitrary: one.map((call) => [call, call]) },
    { weight: 3, arbitrary: one.chain(spoilt).map((call) => [call]) },
    { weight: 1, arbitrary: unknown.map((call) => [call]) },
  );
  return { acting, sequence: fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.flat()) };
}

/** Calls that read: those of the golden actions, spoilt ones, and tools that do not exist. */
function readsOf({ environment, tasks }: WholeTaskSet) {
  const reads = tasks.flatMap(({ goldenActions }) => goldenActions).filter(({ name }) => !environment.isWrite(name));
  const call = fc.oneof(
    fc.constantFrom(...reads),
    fc.constantFrom(...reads).chain(spoilt),
    fc.constant({ name: "nope", argumentsJson: "{}" }),
  );
  return fc.array(call, { minLength: 1, maxLength: 4 });
}

const play = (environment: Environment, calls: readonly EnvironmentCall[], from: unknown = environment.reset()) =>
  calls.reduce((state, call) => environment.step(state, call).state, from);

/** What a state holds, printed anew: nothing that is remembered is looked at. */
function snapshot(state: unknown): string {
  const { changes } = state as DatabaseState;
  return changes.map(({ collection, id, record }) => `${collection} ${id} ${repr(record.fields)}`).join("\n");
}

const refuse = () => {
  throw new TypeError("a dict of a state is written in place");
};

/** Makes a write in place throw, anywhere in the value. */
function freeze(value: PyValue): void {
  if (value instanceof PyDict) {
    Object.assign(value.entries, { set: refuse, delete: refuse, clear: refuse });
    value.entries.forEach(freeze);
  } else if (Array.isArray(value)) {
    Object.freeze(value);
    value.forEach(freeze);
  }
}

function freezeState(state: unknown): void {
  const { changes } = state as DatabaseState;
  Object.freeze(changes);
  for (const { record } of changes) freeze(record.fields);
}

for (const { environment } of environments) {
  const { database } = environment.reset() as DatabaseState;
  for (const collection of database.collections.values()) for (const record of collection.values()) freeze(record.fields);
}

describe.each(environments.map((set) => [set.name, set] as const))(`%s${because}`, (_, set) => {
  const { environment } = set;
  const { acting, sequence } = callsOf(set);

  it("a step never changes an earlier state", () => {
    let numWrites = 0;
    let numErrors = 0;
    fc.assert(
      fc.property(sequence, (calls) => {
        const states = [environment.reset()];
        const kept = [snapshot(states[0])];
        for (const call of calls) {
          const step = environment.step(states.at(-1), call);
          freezeState(step.state);
          if (step.isError) numErrors += 1;
          if (step.state !== states.at(-1)) numWrites += 1;
          states.push(step.state);
          kept.push(snapshot(step.state));
        }
        expect(states.map(snapshot)).toEqual(kept);
      }),
    );
    expect(numWrites).toBeGreaterThan(50);
    expect(numErrors).toBeGreaterThan(50);
  });

  it("replaying a journal gives the live state, its hash and every observation", () => {
    const hashes = new Set<string>();
    fc.assert(
      fc.property(sequence, fc.nat(), (calls, cut) => {
        const journal: string[] = [];
        let live = environment.reset();
        for (const call of calls) {
          const { state, observation } = environment.step(live, call);
          live = state;
          journal.push(JSON.stringify({ call, observation, stateHash: environment.stateHash(state) }));
        }
        let again = environment.reset();
        for (const line of journal.slice(0, cut % (journal.length + 1))) again = environment.step(again, JSON.parse(line).call).state;
        for (const line of journal.slice(cut % (journal.length + 1))) {
          const { call, observation, stateHash } = JSON.parse(line);
          const step = environment.step(again, call);
          expect({ observation: step.observation, stateHash: environment.stateHash(step.state) }).toEqual({ observation, stateHash });
          again = step.state;
        }
        expect(snapshot(again)).toBe(snapshot(live));
        hashes.add(environment.stateHash(again));
      }),
    );
    expect(hashes.size).toBeGreaterThan(30);
  });

  it("a grade does not see extra reads, wherever they come", () => {
    const rewards = [0, 0];
    fc.assert(
      fc.property(fc.constantFrom(...acting), fc.option(sequence), readsOf(set), fc.nat(), (task, others, reads, place) => {
        const calls = others ?? task.goldenActions;
        const at = place % (calls.length + 1);
        const without = environment.grade(play(environment, calls), task, task.outputs);
        const withReads = environment.grade(play(environment, [...calls.slice(0, at), ...reads, ...calls.slice(at)]), task, task.outputs);
        expect(withReads).toEqual(without);
        rewards[without.reward] = (rewards[without.reward] ?? 0) + 1;
      }),
      { numRuns: 200 },
    );
    expect(Math.min(...rewards)).toBeGreaterThan(10);
  });

  it("a call that fails before it writes changes nothing, and every call is answered with text", () => {
    let numAnswered = 0;
    fc.assert(
      fc.property(sequence, garbage, (calls, argumentsJson) => {
        const state = play(environment, calls);
        for (const name of ["nope", ...environment.tools.map((tool) => tool.function.name)]) {
          const step = environment.step(state, { name, argumentsJson });
          expect(typeof step.observation).toBe("string");
          if (!environment.isWrite(name)) expect(step.state).toBe(state);
          numAnswered += 1;
        }
      }),
      { numRuns: 30 },
    );
    expect(numAnswered).toBeGreaterThan(100);
  });

  it.each([
    ["no text", undefined],
    ["a number", 5],
    ["an object that holds itself", cyclic()],
    ["a symbol", Symbol("arguments")],
  ])("arguments that are %s are answered with an error", (_, value) => {
    const call = { name: "calculate", argumentsJson: value } as unknown as EnvironmentCall;
    expect(environment.step(environment.reset(), call)).toMatchObject({
      observation: "Error: a call is the name of a tool and its arguments as JSON text",
      isError: true,
    });
    const nameless = { name: value, argumentsJson: "{}" } as unknown as EnvironmentCall;
    expect(environment.step(environment.reset(), nameless).isError).toBe(true);
  });

  it.each([
    ["nested too deep", `{"expression": ${"[".repeat(100_000)}`, "nested deeper than 200 levels"],
    ["too long", JSON.stringify({ expression: "x".repeat(1_000_001) }), "longer than 1000000 characters"],
    ["not finite", '{"expression": Infinity}', "number out of range: Infinity"],
    ["beyond a double", '{"expression": 1e999}', "number out of range: 1e999"],
    ["an int of 5,000 digits", `{"expression": ${"9".repeat(5000)}}`, "Exceeds the limit (4300 digits)"],
    ["cut off", '{"expression": "1', "Unterminated string"],
    ["a sum of half a million terms", JSON.stringify({ expression: "1+".repeat(450_000) }), "Error: "],
    ["a tower of powers", '{"expression": "9**9**9**9**9"}', "Error: int too large to convert to float"],
  ])("arguments that are %s are answered with an error, at once", (_, argumentsJson, text) => {
    const { observation, isError } = environment.step(environment.reset(), { name: "calculate", argumentsJson });
    expect(observation).toContain(text);
    expect(observation.length).toBeLessThan(300);
    expect(isError).toBe(true);
  });
});

function cyclic(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}
