import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dumps } from "#environments/tau/python/format.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import { dict, isDict, type PyDict, type PyValue } from "#environments/tau/python/values.ts";

/** The value as plain data: what JSON.parse gives for texts without ints and floats to tell apart. */
function plain(value: PyValue): unknown {
  if (isDict(value)) return Object.fromEntries(Array.from(value, ([key, item]) => [key, plain(item)]));
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "object" && value !== null && "value" in value ? value.value : value;
}

/** Objects of few field names in any order. */
const key = fc.oneof(fc.constantFrom("a", "b", "name", "address1", "10", "17", "__proto__", "é", 'q"', "n\n"), fc.string({ maxLength: 3 }));
const objects = fc.array(fc.uniqueArray(fc.tuple(key, fc.oneof(fc.integer(), fc.string())), { selector: ([name]) => name, maxLength: 6 }), {
  maxLength: 8,
});

describe("JSON text", () => {
  it("is read as JSON.parse reads it, with keys in the order of the text", () => {
    fc.assert(
      fc.property(objects, fc.boolean(), (list, isSpaced) => {
        const text = `[${list.map((pairs) => `{${pairs.map((pair) => pair.map((part) => JSON.stringify(part)).join(isSpaced ? " : " : ":")).join(",")}}`).join(",")}]`;
        const value = parseJson(text) as readonly PyDict[];
        expect(plain(value)).toEqual(JSON.parse(text));
        expect(value.map((one) => one.keys())).toEqual(list.map((pairs) => pairs.map(([name]) => name)));
      }),
    );
  });

  it("keeps the last value of a repeated key in the place of the first", () => {
    expect(dumps(parseJson('{"a": 1, "b": 2, "a": 3}'))).toBe('{"a": 3, "b": 2}');
    const many = Array.from({ length: 40 }, (_, index) => `"k${index % 36}": ${index}`);
    expect((parseJson(`{${many.join(",")}}`) as PyDict).size).toBe(36);
    const giant = Array.from({ length: 60_000 }, (_, index) => `"key${index % 50_000}": ${index}`);
    const value = parseJson(`{${giant.join(",")}}`) as PyDict;
    expect([value.size, value.get("key3"), value.get("key49999")]).toEqual([50_000, 50_003, 49_999]);
  });

  it("that was right before a key is wrong after it all the same", () => {
    for (const text of ['{"name": 1, "zip": 2}', '{"n\\u000a": 1}']) parseJson(text);
    const problem = (text: string) => {
      try {
        return dumps(parseJson(text));
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(problem('{"name')).toBe("Unterminated string starting at: line 1 column 2 (char 1)");
    expect(problem('{"name"')).toBe("Expecting ':' delimiter: line 1 column 8 (char 7)");
    expect(problem('{"name":')).toBe("Expecting value: line 1 column 9 (char 8)");
    expect(problem('{"name": 1,}')).toBe("Expecting property name enclosed in double quotes: line 1 column 12 (char 11)");
    expect(problem('{"n\n": 1}')).toBe("Invalid control character at: line 1 column 4 (char 3)");
    expect(problem('{"na\\u006de": 1, "name": 2}')).toBe('{"name": 2}');
    expect(problem('{"names": 1}')).toBe('{"names": 1}');
  });
});

describe("a dict", () => {
  it("finds every key that it has, and prints them in order, however it came to be", () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 40 }), fc.array(key), (names, others) => {
        const value = dict(...names.map((name, place): [string, PyValue] => [name, place]));
        const grown = names.reduce((before, name, place) => before.with(name, place), dict());
        for (const one of [value, grown]) {
          expect(dumps(one)).toBe(`{${names.map((name, place) => `${dumps(name)}: ${place}`).join(", ")}}`);
          for (const other of [...names, ...others]) expect(one.get(other)).toBe(names.includes(other) ? names.indexOf(other) : undefined);
          for (const name of names) expect(one.without(name).keys()).toEqual(names.filter((other) => other !== name));
        }
      }),
    );
  });
});
