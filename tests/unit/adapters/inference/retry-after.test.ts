import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { retryAfter } from "#adapters/inference/retry-after.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const ask = (words: string, headers: Record<string, string> = {}) => retryAfter(new Headers(headers), words, NOW);

describe("how long a server asks to be left alone", () => {
  test.each<[Record<string, string>, number]>([
    [{ "retry-after": "7" }, 7],
    [{ "retry-after": " 1.5 " }, 1.5],
    [{ "retry-after": "Mon, 30 Nov 2026 12:00:20 GMT" }, 20],
    [{ "retry-after": "Mon, 30 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after-ms": "250", "retry-after": "1" }, 0.25],
  ])("is said by the headers %j, whatever the words are", (headers, seconds) => {
    expect(ask("try again in 60 seconds", headers)).toBe(seconds);
  });

  test.each<[string, number | null]>([
    ["No deployments available for selected model, Try again in 60 seconds. Passed model=m", 60],
    ["Rate limit reached. Limit 3, Used 3, Requested 1. Please try again in 20s. Visit https://example.org", 20],
    ["Please try again in 1m30.5s.", 90.5],
    ["please retry after 1500 ms", 1.5],
    ["You must wait 2 minutes and 5 seconds", 125],
    ["Please wait and try again later.", null],
    ["Too many requests: 60 per minute", null],
    ["retry after 5 requests", null],
    ["Please try again in 24 hours.", null],
    ["", null],
  ])("is in the words %j: %s s", (words, seconds) => {
    expect(ask(words)).toBe(seconds);
    expect(ask(words, { "retry-after": "" })).toBe(seconds);
  });

  test("is never negative, never more than ten minutes by words alone, whatever the words are", () => {
    const word = fc.constantFrom("try again in", "wait", "retry", "5", "1.5", "s", "ms", "m", "hours", "and", ",", " ", ".", "x");
    fc.assert(
      fc.property(fc.array(word, { maxLength: 80 }), (parts) => {
        const seconds = ask(parts.join(" "));
        expect(seconds === null || (seconds > 0 && seconds <= 600)).toBe(true);
      }),
    );
  });
});
