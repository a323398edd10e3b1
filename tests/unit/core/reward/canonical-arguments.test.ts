import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalArguments, equalArguments, type Reading } from "#core/reward/canonical-arguments.ts";

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
const equalTexts = (a: string, b: string, schema?: object, reading?: Reading) =>
  equalArguments(canonicalArguments(a, schema as never, reading), canonicalArguments(b, schema as never, reading));
const equal = (a: unknown, b: unknown, schema: object | undefined = SCHEMA) => equalTexts(JSON.stringify(a), JSON.stringify(b), schema);
/** Of one argument whose value is this JSON text. */
const same = (a: string, b: string, schema?: object) =>
  equalTexts(`{"x": ${a}}`, `{"x": ${b}}`, schema === undefined ? undefined : { properties: { x: schema } });

describe("arguments that say the same", () => {
  test("strings that the schema calls strings stay strings, those that it calls numbers are numbers", () => {
    expect(equal({ zip: "0012" }, { zip: "12" })).toBe(false);
    expect(equal({ zip: "12" }, { zip: 12 })).toBe(false);
    expect(equal({ amount: "0012" }, { amount: 12 })).toBe(true);
    expect(equal({ people: [{ id: "01" }] }, { people: [{ id: "1" }] })).toBe(false);
    expect(equal({ people: [{ id: "a", age: "7" }] }, { people: [{ id: "a", age: 7 }] })).toBe(true);
  });

  test.each([
    [{ type: ["integer", "null"] }],
    [{ anyOf: [{ type: "integer" }, { type: "null" }] }],
    [{ oneOf: [{ type: "number" }, { type: "integer" }] }],
    [{ allOf: [{ description: "how many" }, { type: "integer" }] }],
    [{ enum: [1, 2, 3] }],
    [{ const: 1 }],
  ])("a number by another word of the schema is a number: %j", (schema) => {
    expect(same('"1"', "1", schema)).toBe(true);
    expect(same('"1"', '"2"', schema)).toBe(false);
  });

  test("a reference into the schema is followed, a circle in it ends", () => {
    const schema = {
      properties: { payment: { anyOf: [{ $ref: "#/$defs/Payment" }, { type: "object", additionalProperties: true }] } },
      $defs: {
        Payment: { properties: { amount: { type: "integer" }, next: { $ref: "#/$defs/Payment" }, self: { $ref: "#/$defs/self" } } },
        self: { $ref: "#/$defs/self" },
      },
    };
    expect(equal({ payment: { amount: "5", next: { amount: 6 } } }, { payment: { amount: 5, next: { amount: "6" } } }, schema)).toBe(true);
    expect(equal({ payment: { id: "5" } }, { payment: { id: 5 } }, schema)).toBe(false);
    expect(equal({ payment: { self: "5" } }, { payment: { self: 5 } }, schema)).toBe(false);
  });

  test("a schema that allows both a string and a number tells them apart", () => {
    expect(same('"1"', "1", { anyOf: [{ type: "string" }, { type: "integer" }] })).toBe(false);
  });

  test("empty values say nothing, unknown keys do", () => {
    expect(equal({ amount: 1, zip: "", tags: [], people: [{ id: "a", age: null }] }, { amount: 1, people: [{ id: "a" }] })).toBe(true);
    expect(equal({ amount: 1, other: 1 }, { amount: 1 })).toBe(false);
  });

  test.each(["", " \n", "null", " null ", "{}", "{ }", '{"x": null}'])("%j is a call without arguments", (text) => {
    expect(equalTexts(text, "{}")).toBe(true);
    expect(equalTexts("{}", text, SCHEMA)).toBe(true);
  });

  test("the order of objects and of sets does not matter, that of other lists does", () => {
    expect(equal({ people: [{ id: "a" }, { id: "b" }] }, { people: [{ id: "b" }, { id: "a" }] })).toBe(true);
    expect(equal({ tags: ["a", "b"] }, { tags: ["b", "a"] })).toBe(true);
    expect(equal({ path: ["a", "b"] }, { path: ["b", "a"] })).toBe(false);
  });

  test("half a surrogate pair, which a model can write, is compared, and differs from another half", () => {
    expect(canonicalArguments('{"a": "\\ud800", "\\ud800": {"\\ud800": 1}}')?.size).toBe(2);
    expect(same('"\\ud800"', '"\\ud801"')).toBe(false);
  });

  test("a key that every object has is a key like any other", () => {
    expect(equalTexts('{"__proto__": {"a": 1}}', '{"__proto__": {"a": 2}}')).toBe(false);
    expect(equalTexts('{"constructor": "1"}', '{"constructor": 1}', { properties: {} })).toBe(false);
  });

  test("unparsable arguments equal nothing, not even themselves", () => {
    expect(canonicalArguments("[1]")).toBeNull();
    expect(equalTexts("{", "{")).toBe(false);
  });
});

describe("digits", () => {
  test.each([
    ["1", "1.0"],
    ["100", "1e2"],
    ["0.1", "1.0E-1"],
    ["0", "-0"],
    ["0.0", "-0e5"],
    ["1e400", "10e399"],
    ["2512292042121000001", "2512292042121000001.0"],
    ["-1.50", "-15e-1"],
  ])("%s and %s are one number", (a, b) => expect(same(a, b)).toBe(true));

  test.each([
    ["2512292042121000000", "2512292042121000001"],
    ["0.12345678901234567890", "0.12345678901234567891"],
    ["1e400", "1e401"],
    ["1e-400", "0"],
    ["1", "true"],
    ["1", "-1"],
    ["1", "10"],
    ["0.1", "0.01"],
  ])("%s and %s are two", (a, b) => expect(same(a, b)).toBe(false));

  test.each([
    ["00123", "123"],
    ["1e3", "1000"],
    ["+15551234", "15551234"],
    ["1.10", "1.1"],
    [".5", "0.5"],
    ["5.", "5"],
    ["-0", "0"],
    ["2512292042121000000", "2512292042121000001"],
    ["2024-05-01", "2024-05-1"],
    ["1 ", "1"],
    ["true", "True"],
  ])("text %j and text %j are two without the schema's word", (a, b) => {
    expect(same(JSON.stringify(a), JSON.stringify(b))).toBe(false);
    expect(same(JSON.stringify(a), JSON.stringify(b), { type: "string" })).toBe(false);
  });

  test('"1" and 1 are one where the schema says number, and two where it says nothing', () => {
    expect(same('"1"', "1", { type: "number" })).toBe(true);
    expect(same('"1"', "1")).toBe(false);
    expect(same('"1"', "true", { type: "number" })).toBe(false);
  });
});

/** Objects as a model may write them: digits as strings and as numbers, empties, lists and objects within. */
const scalar = fc.oneof(
  fc.constantFrom(null, "", true, false, "1", "01", "1.0", "1e0", "+1", "a"),
  fc.integer({ min: -3, max: 3 }),
  fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String),
  fc.string({ maxLength: 3 }),
);
const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "1", "amount"), tie("value")),
  ),
})).value;
const argumentsObject = fc.dictionary(fc.constantFrom("zip", "amount", "tags", "path", "people", "other", "10", "2"), value, {
  maxKeys: 4,
});
const schema = fc.constantFrom(undefined, SCHEMA);
const reading = fc.constantFrom<Reading>("exact", "lenient");

/** The same value written otherwise: keys turned around, white space, escapes, exponents. */
function rewritten(written: unknown): string {
  if (typeof written === "string")
    return `"${[...written].map((c) => [...Array(c.length).keys()].map((i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")).join("")}"`;
  if (typeof written === "number") return `${written}.0E0`;
  if (Array.isArray(written)) return `[ ${written.map(rewritten).join(" ,\n")} ]`;
  if (typeof written !== "object" || written === null) return ` ${JSON.stringify(written)}\t`;
  const entries = Object.entries(written).reverse();
  return `{ ${entries.map(([key, inner]) => `${rewritten(key)} : ${rewritten(inner)}`).join(" , ")} }`;
}

describe("laws of equality", () => {
  test("reflexive, symmetric and transitive, in both readings; what is exactly equal is leniently equal", () => {
    fc.assert(
      fc.property(argumentsObject, argumentsObject, argumentsObject, schema, reading, (a, b, c, known, how) => {
        const holds = (left: unknown, right: unknown, by = how) => equalTexts(JSON.stringify(left), JSON.stringify(right), known, by);
        expect(holds(a, a)).toBe(true);
        expect(holds(a, b)).toBe(holds(b, a));
        if (holds(a, b) && holds(b, c)) expect(holds(a, c)).toBe(true);
        if (holds(a, b, "exact")) expect(holds(a, b, "lenient")).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test("transitive where many values are near each other", () => {
    const near = ["1", "1.0", "10e-1", '"1"', '"01"', '"1.0"', "true", "[1]", '["1"]', "null", '""', "[]"];
    for (const known of [undefined, "number", "string"].map((type) => (type === undefined ? undefined : { type })))
      for (const [a, b, c] of near.flatMap((x) => near.flatMap((y) => near.map((z) => [x, y, z] as const))))
        if (same(a, b, known) && same(b, c, known)) expect(same(a, c, known)).toBe(true);
  });

  test("how it is written does not matter: order of keys, white space, escapes, exponents", () => {
    fc.assert(
      fc.property(argumentsObject, schema, reading, (a, known, how) => {
        expect(canonicalArguments(rewritten(a), known, how)).toEqual(canonicalArguments(JSON.stringify(a), known, how));
      }),
    );
  });

  test("the canonical form of a canonical form is itself", () => {
    const textOf = (form: ReadonlyMap<string, string> | null) =>
      `{${[...(form ?? [])].map(([key, text]) => `${JSON.stringify(key)}:${text}`).join(",")}}`;
    fc.assert(
      fc.property(argumentsObject, schema, reading, (a, known, how) => {
        const form = canonicalArguments(JSON.stringify(a), known, how);
        expect(canonicalArguments(textOf(form), known, how)).toEqual(form);
      }),
    );
  });

  test("one other digit anywhere, in a number or a string of any length, is another value", () => {
    const digits = fc.stringMatching(/^[1-9][0-9]{0,60}$/);
    fc.assert(
      fc.property(digits, fc.nat(), fc.integer({ min: 1, max: 9 }), fc.constantFrom("", ".5", "e7", "e-9"), (text, at, step, rest) => {
        const place = at % text.length;
        const digit = (Number(text[place]) + step) % 10;
        const other = `${text.slice(0, place)}${place === 0 && digit === 0 ? 11 : digit}${text.slice(place + 1)}`;
        expect(same(text + rest, other + rest)).toBe(false);
        expect(same(`"${text}"`, `"${other}"`)).toBe(false);
        expect(same(`"${text}${rest}"`, other + rest, { type: "number" })).toBe(false);
        expect(same(`"${text}${rest}"`, text + rest, { type: "number" })).toBe(true);
      }),
    );
  });

  test("numbers are equal exactly when their values are", () => {
    const number = fc.record({
      digits: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      exponent: fc.integer({ min: -20, max: 20 }),
      zeros: fc.nat(5),
    });
    const written = ({ digits, exponent, zeros }: { digits: bigint; exponent: number; zeros: number }) =>
      `${digits}.${"0".repeat(zeros + 1)}e${exponent}`;
    const scaled = ({ digits, exponent }: { digits: bigint; exponent: number }) => digits * 10n ** BigInt(exponent + 20);
    const near = fc.oneof(
      number.map((one) => [one, { ...one, digits: one.digits * 10n, exponent: one.exponent - 1 }] as const),
      fc.tuple(number, number),
    );
    fc.assert(
      fc.property(near, ([a, b]) => {
        if (b.exponent < -20) return;
        expect(same(written(a), written(b))).toBe(scaled(a) === scaled(b));
      }),
    );
  });
});
