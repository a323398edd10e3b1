// Names, words and messages of files and servers are printed, and must not steer the terminal.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeReading } from "#core/reading/describe-reading.ts";
import { plainLines, plainText } from "#core/text.ts";

const isControl = (character: string, but: string) => !but.includes(character) && /\p{Cc}|[\u2028\u2029]/u.test(character);
const hostile = fc.string({
  unit: fc.constantFrom(
    "a",
    "é",
    "\n",
    "\t",
    "\r",
    "\u0000",
    "\u0007",
    "\u0008",
    "\u001b",
    "[",
    "]",
    "0;x",
    "31m",
    "2J",
    "\u007f",
    "\u009b",
    "\u2028",
  ),
});

describe("text of others on a terminal", () => {
  test("one line stays one line, without a control character", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect([...plainText(text)].filter((one) => isControl(one, ""))).toEqual([]);
      }),
    );
  });

  test("in several lines only line ends, tabs and colours are left", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const colours = /\p{Cc}\[\d{1,2}m/gu;
        expect([...plainLines(text).replaceAll(colours, "")].filter((one) => isControl(one, "\n\t"))).toEqual([]);
      }),
    );
  });

  test("JSON is the same JSON", () => {
    fc.assert(
      fc.property(fc.json(), hostile, (json, text) => {
        const value = [JSON.parse(json) as unknown, { [text]: text }];
        expect(JSON.parse(plainLines(JSON.stringify(value, null, 2)))).toEqual(value);
      }),
    );
  });

  test("the account of a reading is made of what files say", () => {
    fc.assert(
      fc.property(hostile, (name) => {
        const counts = { [name]: 2, other: 1 };
        const reading = {
          files: 2,
          rollouts: 3,
          repeats: 0,
          excluded: counts,
          firstExcluded: { [name]: name },
          unread: { [name]: name },
          readers: { "tool-calls": 3 },
          notes: counts,
          policies: counts,
          taskSets: counts,
        };
        const text = describeReading(reading).flat().join("");
        expect([...text].filter((one) => isControl(one, ""))).toEqual([]);
      }),
    );
  });
});
