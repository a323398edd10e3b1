// A cut never parts the halves of a character, and never takes more than it must.
import fc from "fast-check";
import { expect, test } from "vitest";
import { endOf, shorten, shortenMiddle, startOf } from "#core/text.ts";

const text = fc.string({ unit: fc.constantFrom("a", "é", "🙂", "👩‍🚀", "𝒳", "\n") });

test("a start or an end of well-formed text is well-formed, within its limit and as long as it can be", () => {
  fc.assert(
    fc.property(text, fc.nat(60), (whole, limit) => {
      const [start, end] = [startOf(whole, limit), endOf(whole, limit)];
      expect(whole.startsWith(start)).toBe(true);
      expect(whole.endsWith(end)).toBe(true);
      for (const part of [start, end]) {
        expect(part.isWellFormed()).toBe(true);
        expect(part.length).toBeLessThanOrEqual(limit);
        expect(part.length).toBeGreaterThanOrEqual(Math.min(whole.length, limit - 1));
      }
    }),
  );
});

test("shortened text keeps its limit, ellipsis included, and short text is left as it is", () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 8, max: 60 }), (whole, limit) => {
      for (const cut of [shorten(whole, limit), shortenMiddle(whole, limit)]) {
        expect(cut.isWellFormed()).toBe(true);
        expect(cut.length).toBeLessThanOrEqual(limit);
        expect(cut === whole).toBe(whole.length <= limit);
        if (whole.length > limit) expect(cut).toContain("…");
      }
    }),
  );
});
