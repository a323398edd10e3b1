import { describe, expect, test } from "vitest";
import { type DatabaseReader, type Decision, theLeast, theMost, theOnly, Undecidable } from "#synthesis/decision.ts";
import { type Alternatives, type Decide, ground, isExactEvidence } from "#synthesis/evidence.ts";
import { call, type Json, keyOf, type Read, type World } from "#synthesis/world.ts";
import { world as airline } from "./synthetic-input.ts";

const read = (id: string): Read => call("read", { id });
const ANSWERS: ReadonlyMap<string, Json> = new Map(Object.entries({ a: 1, b: 5, c: 3 }).map(([id, value]) => [keyOf(read(id)), value]));
const world: World = { ...airline, answer: (one) => ANSWERS.get(keyOf(one)) ?? null };
const anyNumber: Alternatives = () => [0, 2, 9];
const write = (record: string): Decision => ({ type: "write", record, call: call("take", { record }) });

/** The evidence of a policy, and whether it is exact. */
function judge(decide: Decide): { ids: string[]; isExact: boolean } | null {
  const grounded = ground(world, decide);
  if (grounded === null) return null;
  const ids = grounded.evidence.map(({ argumentsJson }) => (JSON.parse(argumentsJson) as { id: string }).id);
  return { ids, isExact: isExactEvidence(world, decide, grounded, anyNumber) };
}

const value = (reader: DatabaseReader, id: string): number => Number(reader.read(read(id)));

describe("evidence", () => {
  test("is all of what the largest is chosen from", () => {
    expect(judge((reader) => write(theMost(["a", "b", "c"], (id) => value(reader, id), "x")))).toEqual({
      ids: ["a", "b", "c"],
      isExact: true,
    });
  });

  test("is not exact when a read could be left out", () => {
    const decide: Decide = (reader) => {
      value(reader, "c");
      return write(value(reader, "a") > 1 ? "yes" : "no");
    };
    expect(judge(decide)).toEqual({ ids: ["c", "a"], isExact: false });
  });

  test("is not exact when the decision rests on what was only peeked at", () => {
    expect(judge((reader) => write(value(reader, "a") + Number(reader.peek(read("b"))) > 3 ? "yes" : "no"))).toEqual({
      ids: ["a"],
      isExact: false,
    });
  });

  test("counts a read once, however often it is made", () => {
    expect(judge((reader) => write(String(value(reader, "a") + value(reader, "a"))))).toEqual({ ids: ["a"], isExact: true });
  });

  test("is empty for what holds in any database", () => {
    expect(judge(() => ({ type: "withhold", record: "a", rule: "never", forbidden: () => call("take", {}) }))).toEqual({
      ids: [],
      isExact: true,
    });
  });

  test("of a refusal is what the reason rests on, not what the forbidden write would need", () => {
    const decide: Decide = (reader) =>
      value(reader, "a") === 1
        ? { type: "withhold", record: "a", rule: "one", forbidden: () => call("take", { amount: value(reader, "b") }) }
        : write("a");
    expect(judge(decide)).toEqual({ ids: ["a"], isExact: true });
  });

  test("is none where there is no right decision", () => {
    expect(
      judge((reader) =>
        write(
          theOnly(
            ["a", "b"].filter((id) => value(reader, id) > 0),
            "one",
          ),
        ),
      ),
    ).toBeNull();
    expect(judge((reader) => write(String(value(reader, "nowhere"))))).toBeNull();
  });
});

test("largest and smallest are decided only where there is no tie", () => {
  expect(theMost([1, 3, 2], (item) => item, "x")).toBe(3);
  expect(theLeast(["b", "a"], (item) => item, "x")).toBe("a");
  for (const pick of [theMost<number>, theLeast<number>]) {
    expect(() => pick([2, 2], (item) => item, "x")).toThrow(Undecidable);
    expect(() => pick([], (item) => item, "x")).toThrow(Undecidable);
  }
});
