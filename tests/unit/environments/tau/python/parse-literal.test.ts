import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dumps, repr } from "#environments/tau/python/format.ts";
import { parseEither, parseLiteral } from "#environments/tau/python/parse-literal.ts";
import { PyDict, PyFloat, type PyValue } from "#environments/tau/python/values.ts";

const text = fc.string({ unit: "binary", maxLength: 12 });
const value: fc.Arbitrary<PyValue> = fc.letrec<{ value: PyValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    text,
    fc.integer(),
    fc.bigInt(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => new PyFloat(number)),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(text, tie("value"), { maxKeys: 3 }).map((entries) => PyDict.from(Object.entries(entries))),
  ),
})).value;

describe("a Python literal", () => {
  test("that repr wrote is the value that it was written from", () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(dumps(parseLiteral(repr(one)))).toBe(dumps(one));
      }),
    );
  });

  test.each([
    ["(1, 'a')", '[1, "a"]'],
    ["(1,)", "[1]"],
    ["(1)", "1"],
    ["{'a': True, \"b\": None, 'c': false,}", '{"a": true, "b": null, "c": false}'],
    ["{'a': 1, 'a': 2}", '{"a": 2}'],
    ["[1_000, .5, 1., 1e3, -0]", "[1000, 0.5, 1.0, 1000.0, 0]"],
    ["'\\x41\\u00e9\\'\\q'", '"A\\u00e9\'\\\\q"'],
  ])("%s has the value %s", (literal, json) => expect(dumps(parseLiteral(literal))).toBe(json));

  test.each([
    "{1: 2}",
    "{1, 2}",
    "b'x'",
    "nan",
    "float('inf')",
    "1e999",
    "00123",
    "{'a': x}",
    "'a",
    "{'a': 1} b",
    "",
    "[1",
    "1j",
    "x.y()",
    "[[".repeat(300),
  ])("%s is refused: JSON has no value for it", (literal) => {
    expect(() => parseLiteral(literal)).toThrowError(/no literal/);
    expect(parseEither(literal)).toBeNull();
  });
});
