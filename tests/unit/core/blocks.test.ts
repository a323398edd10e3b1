import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { takeBlocks } from "#core/blocks.ts";

const OPENING = /<a>|\[B\]/g;
const closingOf = (opening: string) => (opening === "<a>" ? /<\/a>/g : /\[\/B\]/g);
const PATTERN = /<a>([\s\S]*?)<\/a>|\[B\]([\s\S]*?)\[\/B\]/g;

describe("blocks between marks", () => {
  test("are those that a regular expression finds", () => {
    const text = fc
      .array(fc.constantFrom("<a>", "</a>", "[B]", "[/B]", "x", "\n", "<", "]"), { maxLength: 14 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (whole) => {
        expect(takeBlocks(whole, OPENING, closingOf)).toEqual({
          blocks: [...whole.matchAll(PATTERN)].map(([, a, b]) => a ?? b),
          rest: whole.replaceAll(PATTERN, ""),
        });
      }),
      { numRuns: 2000 },
    );
  });

  test("a million openings that nothing closes are text", () => {
    const text = "<a>[B]".repeat(500_000);
    expect(takeBlocks(text, OPENING, closingOf)).toEqual({ blocks: [], rest: text });
  });
});
