import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalArguments, deepEqual, equalArguments } from "#core/reward/canonical-arguments.ts";

const SCHEMA = {
  type: "object",
  properties: {
    zip: { type: "string" },
    amount: { type: "number" },
    tags: { type: "array", items: { type: "string" }, uniqueItems: true },
    path: { type: "array", items: { type: "string" } },
    people: { type: "array", items: { type: "object", properties: { id: { type: "string" }, age: { type: "integer" } } } },
  },
};
const equal = (a: unknown, b: unknown) =>
  equalArguments(canonicalArguments(JSON.stringify(a), SCHEMA), canonicalArguments(JSON.stringify(b), SCHEMA));

describe("arguments that say the same", () => {
  test("is reflexive and symmetric on any JSON objects", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>, { maxKeys: 4 });
    fc.assert(
      fc.property(object, object, (a, b) => {
        expect(equal(a, a)).toBe(true);
        expect(equal(a, b)).toBe(equal(b, a));
      }),
    );
  });

  test('1 equals "1" equals 1.0 and not true', () => {
    expect(deepEqual(1, "1")).toBe(true);
    expect(equalArguments(canonicalArguments('{"amount": 1.0}'), canonicalArguments('{"amount": "1"}'))).toBe(true);
    expect(deepEqual(1, true)).toBe(false);
    expect(deepEqual("true", true)).toBe(false);
  });

  test("strings that the schema calls strings stay strings", () => {
    expect(equal({ zip: "0012" }, { zip: "12" })).toBe(false);
    expect(deepEqual({ zip: "0012" }, { zip: "12" })).toBe(true);
    expect(equal({ amount: "0012" }, { amount: 12 })).toBe(true);
    expect(equal({ people: [{ id: "01" }] }, { people: [{ id: "1" }] })).toBe(false);
  });

  test("a date is not a number", () => {
    expect(deepEqual("2024-05-01", "2024-05-1")).toBe(false);
  });

  test("empty values say nothing, unknown keys do", () => {
    expect(equal({ amount: 1, zip: "", tags: [], people: [{ id: "a", age: null }] }, { amount: 1, people: [{ id: "a" }] })).toBe(true);
    expect(equal({ amount: 1, other: 1 }, { amount: 1 })).toBe(false);
  });

  test("the order of objects and of sets does not matter, that of other lists does", () => {
    expect(equal({ people: [{ id: "a" }, { id: "b" }] }, { people: [{ id: "b" }, { id: "a" }] })).toBe(true);
    expect(equal({ tags: ["a", "b"] }, { tags: ["b", "a"] })).toBe(true);
    expect(equal({ path: ["a", "b"] }, { path: ["b", "a"] })).toBe(false);
  });

  test("numbers that do not fit a double stay text", () => {
    expect(deepEqual("1e999", "1e998")).toBe(false);
  });

  test("half a surrogate pair, which a model can write, is compared and never thrown", () => {
    expect(canonicalArguments('{"a": "\\ud800", "\\ud800": {"\\ud800": 1}}')?.size).toBe(2);
  });

  test("unparsable arguments equal nothing, not even themselves", () => {
    expect(canonicalArguments("[1]")).toBeNull();
    expect(equalArguments(canonicalArguments("{"), canonicalArguments("{"))).toBe(false);
  });
});
