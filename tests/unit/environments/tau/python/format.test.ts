import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dumps, floatRepr, repr, str, stringRepr } from "#environments/tau/python/format.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import { PyFloat } from "#environments/tau/python/values.ts";

describe("a number", () => {
  // What CPython 3.11 prints.
  it.each([
    [0, "0.0"],
    [-0, "-0.0"],
    [247, "247.0"],
    [0.1, "0.1"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1234567.125, "1234567.125"],
    [1e15, "1000000000000000.0"],
    [1e16, "1e+16"],
    [1.5e300, "1.5e+300"],
    [12.340000000000003, "12.340000000000003"],
    [5e-324, "5e-324"],
  ])("float %d prints as %s", (value, text) => {
    expect(floatRepr(value)).toBe(text);
  });

  it("keeps int and float apart from JSON to JSON", () => {
    const text = '{"a": 1, "b": 1.0, "c": 12345678901234567890, "d": -0.0, "e": 1e3, "f": -0}';
    expect(dumps(parseJson(text))).toBe('{"a": 1, "b": 1.0, "c": 12345678901234567890, "d": -0.0, "e": 1000.0, "f": 0}');
  });

  it("survives its own text, as a float", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parseJson(dumps(new PyFloat(value)))).toEqual(new PyFloat(value));
      }),
    );
  });
});

describe("text", () => {
  it.each([
    ["plain", "'plain'"],
    ["it's", '"it\'s"'],
    [`it's "both"`, `'it\\'s "both"'`],
    ["back\\slash\n\t\r", "'back\\\\slash\\n\\t\\r'"],
    ["Zoë\u0000\u007f\u00ad\u200b\u{10ffff}\ud800", "'Zoë\\x00\\x7f\\xad\\u200b\\U0010ffff\\ud800'"],
    ["日本 😀", "'日本 😀'"],
  ])("%j has the repr %s", (text, wanted) => {
    expect(stringRepr(text)).toBe(wanted);
  });

  it("is escaped beyond ASCII in JSON, DEL included", () => {
    expect(dumps('Zoë 😀\u007f\u001f"')).toBe('"Zo\\u00eb \\ud83d\\ude00\\u007f\\u001f\\""');
  });

  it("survives its own JSON", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 12 }), (text) => {
        expect(parseJson(dumps(text))).toBe(text);
      }),
    );
  });
});

describe("containers", () => {
  it("print as in Python", () => {
    const value = parseJson('{"a": [1, 2.0, null, true, "x"], "b": {}, "c": []}');
    expect(repr(value)).toBe("{'a': [1, 2.0, None, True, 'x'], 'b': {}, 'c': []}");
    expect(dumps(value)).toBe('{"a": [1, 2.0, null, true, "x"], "b": {}, "c": []}');
    expect(str("bare")).toBe("bare");
  });

  it("keep the order of keys, also of keys that look like array indices", () => {
    expect(dumps(parseJson('{"b": 1, "9": 2, "1": 3, "__proto__": 4, "b": 5}'))).toBe('{"b": 5, "9": 2, "1": 3, "__proto__": 4}');
  });
});

describe("text that is no JSON", () => {
  // What json.loads of CPython 3.11 says.
  it.each([
    ["", "Expecting value: line 1 column 1 (char 0)"],
    ["{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"],
    ['{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"],
    ['{"a": 1 "b"}', "Expecting ',' delimiter: line 1 column 9 (char 8)"],
    ['{"a": 1,\n}', "Expecting property name enclosed in double quotes: line 2 column 1 (char 9)"],
    ["[1, ]", "Expecting value: line 1 column 5 (char 4)"],
    ['"abc', "Unterminated string starting at: line 1 column 1 (char 0)"],
    ['"a\nb"', "Invalid control character at: line 1 column 3 (char 2)"],
    ['"\\x"', "Invalid \\escape: line 1 column 2 (char 1)"],
    ['"\\u12g4"', "Invalid \\uXXXX escape: line 1 column 3 (char 2)"],
    ["1 2", "Extra data: line 1 column 3 (char 2)"],
    ["01", "Extra data: line 1 column 2 (char 1)"],
    ["nul", "Expecting value: line 1 column 1 (char 0)"],
  ])("%j is refused in Python's words", (text, message) => {
    expect(() => parseJson(text)).toThrow(message);
  });

  it("is refused with a Python error whatever it is, and all JSON is read", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(dumps(parseJson(text)))).toEqual(JSON.parse(text));
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseJson(text);
        } catch (error) {
          expect((error as Error).name).toBe("PyError");
        }
      }),
    );
  });
});
