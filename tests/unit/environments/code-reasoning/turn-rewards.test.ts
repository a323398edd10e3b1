import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codeTurnRewards } from "#environments/code-reasoning/turn-rewards.ts";

const turn = fc.record({ numCalls: fc.nat(3), isMalformed: fc.boolean(), hasExecutionError: fc.boolean() });
const turns = fc.array(turn, { minLength: 1, maxLength: 6 });
const clean = { numCalls: 1, isMalformed: false, hasExecutionError: false };

describe("turn rewards of code reasoning", () => {
  test.each([
    ["nothing wrong", [clean, { ...clean, numCalls: 0 }], [0, 0]],
    ["a first turn without a call", [{ ...clean, numCalls: 0 }, clean], [-0.1, 0]],
    ["which is malformed too: once", [{ ...clean, numCalls: 0, isMalformed: true }], [-0.1]],
    ["an error", [clean, { ...clean, hasExecutionError: true }], [0, -0.1]],
    ["an error beside a malformed call", [{ ...clean, isMalformed: true, hasExecutionError: true }], [-0.2]],
  ])("%s", (_, turns_T, rewards_T) => {
    expect(codeTurnRewards(turns_T)).toEqual(rewards_T);
  });

  test("no turn earns anything by itself, and what a turn costs depends on no other turn", () => {
    fc.assert(
      fc.property(turns, turn, (turns_T, more) => {
        const rewards_T = codeTurnRewards(turns_T);
        expect(rewards_T.every((reward) => reward <= 0)).toBe(true);
        expect(codeTurnRewards([...turns_T, more]).slice(0, turns_T.length)).toEqual(rewards_T);
        expect(codeTurnRewards([clean, ...turns_T]).slice(2)).toEqual(rewards_T.slice(1));
        expect(codeTurnRewards(turns_T, { format: 0, executionError: 0 }).every((reward) => reward === 0)).toBe(true);
      }),
    );
  });
});
