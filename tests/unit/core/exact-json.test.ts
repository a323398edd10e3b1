import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalNumber, isNoArguments, parseArguments, parseExact, spokenArguments } from "#core/exact-json.ts";

/** A number as JSON may write it, of any length. */
const number = fc.stringMatching(/^-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?$/);

describe("reading and writing again", () => {
  test("keeps every digit of every number, wherever it stands", () => {
    const value = fc.letrec<{ text: string }>((tie) => ({
      text: fc.oneof(
        { maxDepth: 3 },
        number,
        fc.string({ unit: "binary" }).map((text) => JSON.stringify(text)),
        fc.constantFrom("null", "true", "false"),
        fc.array(tie("text"), { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
        fc.dictionary(fc.stringMatching(/^[a-z_]{1,9}$/), tie("text"), { maxKeys: 3 }).map(
          (entries) =>
            `{${Object.entries(entries)
              .map(([key, text]) => `"${key}":${text}`)
              .join(",")}}`,
        ),
      ),
    })).text;
    fc.assert(
      fc.property(value, (text) => {
        expect(JSON.stringify(parseExact(text))).toBe(text);
      }),
    );
  });

  test("is undefined for what is no JSON", () => {
    for (const text of ["", "{", "NaN", "01", "1.", "{'a': 1}", "[".repeat(100_000)]) expect(parseExact(text)).toBeUndefined();
  });
});

describe("arguments", () => {
  test.each(["", " \t\n", "null", " null\n", "{}"])("%j are none", (text) => {
    expect(parseArguments(text)).toEqual({});
    expect(spokenArguments(text)).toEqual({});
  });

  test.each(["nul", "nullnull", '""', "0", "[]"])("%j are no arguments in any form", (text) => {
    expect(isNoArguments(text)).toBe(false);
    expect(parseArguments(text)).toBeNull();
    expect(spokenArguments(text)).toEqual({});
  });

  test("in words, a number is its plain digits", () => {
    expect(spokenArguments('{"a": 2.0, "b": 2512292042121000001, "c": "007", "d": [1e2]}')).toEqual({
      a: "2",
      b: "2512292042121000001",
      c: "007",
      d: ["100"],
    });
  });
});

describe("the one text of a number", () => {
  test("is its value to a double where a double has it, and itself again", () => {
    fc.assert(
      fc.property(number, (text) => {
        const canonical = canonicalNumber(text);
        expect(Number(canonical)).toBe(Number(text) === 0 && !/[1-9]/.test(text.replace(/e.*/i, "")) ? 0 : Number(text));
        expect(canonicalNumber(canonical)).toBe(canonical);
      }),
    );
  });

  test.each([
    ["+007.500", "7.5"],
    [".5", "0.5"],
    ["5.", "5"],
    ["-0.000", "0"],
    ["12e-3", "0.012"],
    ["120e400", "12e401"],
    ["-1e-300", "-1e-300"],
    ["1e99999999999999999999", "1e99999999999999999999"],
  ])("%s is %s", (text, canonical) => expect(canonicalNumber(text)).toBe(canonical));

  test("of a million zeros is found at once", () => {
    expect(canonicalNumber(`1${"0".repeat(1_000_000)}1`)).toHaveLength(1_000_002);
  });
});
