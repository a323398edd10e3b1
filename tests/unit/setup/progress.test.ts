// Progress of set-up in a log: what begins, what is still at work every half minute, what it came to.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Progress } from "../../../infra/setup/step.mjs";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function progressInto(isTTY: boolean) {
  let written = "";
  const write = (text: string | Uint8Array) => {
    written += String(text);
    return true;
  };
  return { progress: new Progress({ isTTY, columns: 80, write: write as NodeJS.WriteStream["write"] }), lines: () => written.split("\n") };
}

test("in a log, a step begins with a line of its own, tells what it does every 30 s, and ends", () => {
  const { progress, lines } = progressInto(false);
  progress.begin("temporal", "there is no Temporal CLI");
  expect(lines()).toEqual(["  temporal  there is no Temporal CLI …", ""]);
  progress.say("asking for the release");
  progress.say("building from source");
  vi.advanceTimersByTime(29_999);
  expect(lines()).toHaveLength(2);
  vi.advanceTimersByTime(31_000);
  progress.end("made");
  vi.advanceTimersByTime(600_000);
  expect(lines()).toEqual([
    "  temporal  there is no Temporal CLI …",
    "  temporal  building from source, 30.0 s so far",
    "  temporal  building from source, 60.0 s so far",
    "  temporal  made  61.0 s",
    "",
  ]);
});

test("on a terminal the line is rewritten, and only ended once", () => {
  const { progress, lines } = progressInto(true);
  progress.begin("python", "it is gone");
  progress.say("fetching");
  vi.advanceTimersByTime(65_000);
  progress.end("there");
  expect(lines()).toHaveLength(2);
  expect(lines()[0]).toContain("fetching 60.0 s");
});
