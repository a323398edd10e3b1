import { describe, expect, it } from "vitest";
import { dumps } from "#environments/tau/python/format.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import type { PyDict } from "#environments/tau/python/values.ts";
import { construct, float, integer, listOf, literal, type Model, nested, text } from "#environments/tau/tau2-airline/pydantic.ts";

const PART: Model = { name: "Part", fields: { number: integer } };
const THING: Model = {
  name: "Thing",
  fields: { name: text, kind: literal("a", "b", "c"), count: integer, size: [float, null], parts: [listOf(nested(PART)), []] },
};

const make = (json: string) => dumps(construct(THING, parseJson(json) as PyDict));
const thing = (fields: object) => JSON.stringify({ name: "x", kind: "a", count: 1, ...fields });

describe("a validated model", () => {
  it("has its fields in the model's order, defaults filled in, other keys dropped", () => {
    expect(make('{"extra": 1, "count": 2, "kind": "b", "name": "x"}')).toBe(
      '{"name": "x", "kind": "b", "count": 2, "size": null, "parts": []}',
    );
  });

  // What pydantic 2.13 makes of these in lax mode.
  it.each([
    ["2.0", "2"],
    ["true", "1"],
    ['" 1_000 "', "1000"],
    ['"+5.00"', "5"],
    ['"007"', "7"],
    ["-0.0", "0"],
  ])("takes %s for the int %s", (given, taken) => {
    expect(make(`{"name": "x", "kind": "a", "count": ${given}}`)).toContain(`"count": ${taken},`);
  });

  it.each([
    ["2", "2.0"],
    ["true", "1.0"],
    ['"1e3"', "1000.0"],
    ['" .5 "', "0.5"],
    ['"5."', "5.0"],
    ['"1_0.5"', "10.5"],
  ])("takes %s for the float %s", (given, taken) => {
    expect(make(`{"name": "x", "kind": "a", "count": 1, "size": ${given}}`)).toContain(`"size": ${taken},`);
  });

  it("takes half a surrogate pair in a text, and nowhere where a text is parsed", () => {
    expect(make('{"name": "\\ud800", "kind": "a", "count": 1}')).toContain('"name": "\\ud800"');
    expect(() => make('{"name": "x", "kind": "\\ud800", "count": "\\udc00", "size": "\\ud800"}')).toThrow(
      /^3 validation errors for Thing(\n.*\n.*unable to parse raw data as a unicode string \[type=string_unicode.*\n.*){3}$/,
    );
  });

  it("reports every problem with its place, kind and input", () => {
    const wrong = '{"kind": "d", "count": 1.5, "size": "big", "parts": [{"number": "7"}, {"number": null}, 5]}';
    expect(() => make(wrong)).toThrow(
      [
        "6 validation errors for Thing",
        "name",
        "  Field required [type=missing, input_value={'kind': 'd', 'count': 1....}, {'number': None}, 5]}, input_type=dict]",
        "    For further information visit https://errors.pydantic.dev/2.13/v/missing",
        "kind",
        "  Input should be 'a', 'b' or 'c' [type=literal_error, input_value='d', input_type=str]",
        "    For further information visit https://errors.pydantic.dev/2.13/v/literal_error",
        "count",
        "  Input should be a valid integer, got a number with a fractional part [type=int_from_float, input_value=1.5, input_type=float]",
        "    For further information visit https://errors.pydantic.dev/2.13/v/int_from_float",
        "size",
        "  Input should be a valid number, unable to parse string as a number [type=float_parsing, input_value='big', input_type=str]",
        "    For further information visit https://errors.pydantic.dev/2.13/v/float_parsing",
        "parts.1.number",
        "  Input should be a valid integer [type=int_type, input_value=None, input_type=NoneType]",
        "    For further information visit https://errors.pydantic.dev/2.13/v/int_type",
        "parts.2",
        "  Input should be a valid dictionary or instance of Part [type=model_type, input_value=5, input_type=int]",
        "    For further information visit https://errors.pydantic.dev/2.13/v/model_type",
      ].join("\n"),
    );
  });

  it.each([
    [{ count: "5." }, "int_parsing"],
    [{ count: "1__0" }, "int_parsing"],
    [{ count: "9".repeat(4301) }, "int_parsing_size"],
    [{ count: [1] }, "int_type"],
    [{ name: 1 }, "string_type"],
    [{ parts: {} }, "list_type"],
    [{ parts: "ab" }, "list_type"],
  ])("refuses %j as %s", (fields, type) => {
    expect(() => make(thing(fields))).toThrow(`[type=${type},`);
  });

  it("shows at most 50 bytes of an input, whole characters only", () => {
    expect(() => make(thing({ kind: "日本".repeat(20) }))).toThrow("input_value='日本日本日本日本...本日本日本日本', input_type=str");
  });
});
