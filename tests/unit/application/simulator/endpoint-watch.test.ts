import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createEndpointWatch, type EndpointWatch } from "#application/simulator/endpoint-watch.ts";
import { CampaignError, type ErrorCode } from "#core/errors.ts";
import type { SimulatorReply, UserSimulator } from "#core/ports.ts";
import { TASK } from "../../core/rollout/parties.ts";

const REPLY: SimulatorReply = { content: "Hi", usage: { promptTokens: 0, completionTokens: 0, calls: 1 } };
const VIEW = { firstUserMessage: null, exchanges: [] };

let answer: (reply: SimulatorReply) => void;
const simulator: UserSimulator = {
  id: "u",
  hash: "u",
  reply: () =>
    new Promise((resolve) => {
      answer = resolve;
    }),
};
let lines: string[];
let watch: EndpointWatch;
const ask = () => watch.simulator.reply(TASK, VIEW, { seed: "0", signal: watch.signal });
const trouble = (code: ErrorCode) => watch.onTrouble(new CampaignError(code, `the server says ${code}`));
/** Seconds until it is given up, while the same trouble comes again and again; null beyond 20 minutes. */
function secondsUntilGivenUp(code: ErrorCode): number | null {
  for (let second = 0; second < 1200; second += 1) {
    if (second % 4 === 0) trouble(code);
    vi.advanceTimersByTime(1000);
    if (watch.signal.aborted) return second + 1;
  }
  return null;
}

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  watch = createEndpointWatch(simulator, (line) => lines.push(line));
});
afterEach(() => {
  watch.close();
  vi.useRealTimers();
});

describe("the user's endpoint of an audit", () => {
  test.each<[ErrorCode, number | null]>([
    ["provider.unavailable", 10],
    ["provider.timeout", 10],
    ["provider.rate-limited", 90],
    ["simulator.role-confusion", null],
  ])("that never answers for %s is given up after its timeout", (code, timeout) => {
    void ask();
    expect(secondsUntilGivenUp(code)).toBe(timeout);
    if (timeout === null) return;
    expect(watch.signal.reason).toMatchObject({ code, message: expect.stringMatching(/^nothing was measured.*the server says/) });
  });

  test("that did answer is waited for longer, and what was measured is not called nothing", async () => {
    const asked = ask();
    answer(REPLY);
    await asked;
    void ask();
    expect(secondsUntilGivenUp("provider.unavailable")).toBe(600);
    expect((watch.signal.reason as Error).message).toMatch(/^the user's endpoint answered 1 times/);
  });

  test("says what is wrong at once, and never more than half a minute nothing while it does not answer", () => {
    void ask();
    trouble("provider.rate-limited");
    expect(lines).toEqual(["the server says provider.rate-limited"]);
    for (let half = 0; half < 3; half += 1) {
      const before = lines.length;
      vi.advanceTimersByTime(25_000);
      expect(lines.length).toBeGreaterThan(before);
      expect(lines.at(-1)).toMatch(/has not answered for \d+ s, and is waited for up to 90 s; the last: the server says/);
    }
  });

  test("that only takes its time is said to do so, and never given up by the watch", () => {
    void ask();
    vi.advanceTimersByTime(300_000);
    expect(lines.at(-1)).toMatch(/has not answered for \d+ s$/);
    expect(watch.signal.aborted).toBe(false);
  });

  test("is not spoken of while nobody is asked", async () => {
    const asked = ask();
    answer(REPLY);
    await asked;
    vi.advanceTimersByTime(300_000);
    expect(lines).toEqual([]);
  });
});
