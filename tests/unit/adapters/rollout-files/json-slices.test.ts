import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonSlicer, JsonSyntaxError } from "#adapters/rollout-files/json-slices.ts";
import { LineSlicer } from "#adapters/rollout-files/line-slices.ts";

const OPTIONS = { opened: new Set(["simulations"]), maxPiece: 10_000 };

interface Pieces {
  readonly members: [string, unknown][];
  readonly entries: unknown[];
  readonly lines: number[];
  readonly isWhole: boolean;
}

/** The pieces of a text whose bytes come `size` at a time. */
function slice(text: string, size: number, maxPiece = OPTIONS.maxPiece): Pieces {
  const pieces: Omit<Pieces, "isWhole"> = { members: [], entries: [], lines: [] };
  const slicer = new JsonSlicer(
    {
      member: (key, { text: piece }) => pieces.members.push([key, JSON.parse(piece)]),
      entry: ({ text: piece, line }) => {
        pieces.entries.push(JSON.parse(piece));
        pieces.lines.push(line);
      },
    },
    { ...OPTIONS, maxPiece },
  );
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += size) slicer.push(bytes.subarray(at, at + size));
  return { ...pieces, isWhole: slicer.isWhole };
}

const json = fc.json({ maxDepth: 3, stringUnit: "grapheme" }).map((text) => JSON.parse(text) as unknown);
const size = fc.integer({ min: 1, max: 40 });
const indent = fc.constantFrom(undefined, 1, 2);

describe("a document in pieces", () => {
  test("a list is its entries, however its bytes come", () => {
    fc.assert(
      fc.property(fc.array(json, { maxLength: 5 }), size, indent, (list, chunk, spaces) => {
        const { entries, isWhole } = slice(JSON.stringify(list, null, spaces), chunk);
        expect([entries, isWhole]).toEqual([list, true]);
      }),
    );
  });

  test("an object is its members, and the list that is opened its entries", () => {
    fc.assert(
      fc.property(json, fc.array(json, { maxLength: 4 }), json, size, indent, (first, simulations, last, chunk, spaces) => {
        const found = slice(JSON.stringify({ first, simulations, last }, null, spaces), chunk);
        expect(found.members).toEqual([
          ["first", first],
          ["simulations", []],
          ["last", last],
        ]);
        expect([found.entries, found.isWhole]).toEqual([simulations, true]);
      }),
    );
  });

  test("what is cut off is said to be, and what was whole before is read", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ a: json }), { minLength: 1, maxLength: 4 }), fc.nat(), size, (list, cut, chunk) => {
        const text = JSON.stringify(list);
        const length = cut % text.length;
        const { entries, isWhole } = slice(text.slice(0, length), chunk);
        expect(isWhole).toBe(false);
        const ends = list.map((_, index) => JSON.stringify(list.slice(0, index + 1)).length - 1);
        if (!/[\ud800-\udbff]$/.test(text.slice(0, length)))
          expect(entries).toEqual(list.slice(0, ends.filter((end) => end <= length).length));
      }),
    );
  });

  test("each entry knows its line", () => {
    expect(slice('[\n{"a":\n1},\n\n{"b": 2}, 3\n]', 3).lines).toEqual([2, 5, 5]);
  });

  test("a document may be longer than the longest piece; a piece may not, and its line is named", () => {
    const list = Array.from({ length: 50 }, (_, index) => ({ index }));
    expect(slice(JSON.stringify(list), 7, 20).entries).toEqual(list);
    expect(() => slice(JSON.stringify([1, "x".repeat(30)], null, 1), 7, 20)).toThrowError(
      expect.objectContaining({ name: "JsonSyntaxError", line: 3 }),
    );
  });

  test.each(["[1 2]", "{} {}", "[]]", '{"a" 1}', "{1: 2}", "7"])("%s is no document", (text) => {
    expect(() => slice(text, 2)).toThrow(JsonSyntaxError);
  });
});

describe("a file in lines", () => {
  test("gives each with its number, whatever ends them and however the bytes come", () => {
    const word = fc.string({ unit: "grapheme-ascii", minLength: 1 }).filter((text) => text.trim() === text && text !== "");
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.constant(""))), fc.constantFrom("\n", "\r\n", "\r"), size, (lines, end, chunk) => {
        const found: [string, number][] = [];
        const slicer = new LineSlicer(({ text, line }) => found.push([text, line]), 1000);
        const bytes = new TextEncoder().encode(lines.join(end));
        for (let at = 0; at < bytes.length; at += chunk) slicer.push(bytes.subarray(at, at + chunk));
        slicer.end();
        expect(found).toEqual(lines.flatMap((text, index) => (text === "" ? [] : [[text, index + 1]])));
      }),
    );
  });
});
