import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TurnTokens } from "#contracts/trajectory.ts";
import { buildTokenRows } from "#core/rollout/token-rows.ts";

const turn = (promptTokenIds: number[], tokenIds: number[]): TurnTokens => ({
  promptTokenIds,
  tokenIds,
  logprobs: tokenIds.map((id) => -id / 10),
});

describe("token rows", () => {
  test("turns whose prompts extend the history make one row", () => {
    const rows = buildTokenRows([turn([1, 2], [3, 4]), turn([1, 2, 3, 4, 5], [6])]);
    expect(rows).toEqual([
      {
        branch: 0,
        tokenIds: [1, 2, 3, 4, 5, 6],
        spans: [
          { turn: 0, start: 2, end: 4 },
          { turn: 1, start: 5, end: 6 },
        ],
        logprobs: [-0.3, -0.4, -0.6],
      },
    ]);
  });

  test("a prompt that rewrites history opens a branch", () => {
    const rows = buildTokenRows([turn([1, 2], [3, 4]), turn([1, 2, 4], [5]), turn([1, 2, 4, 5], [6])]);
    expect(rows.map((row) => [row.branch, row.tokenIds])).toEqual([
      [0, [1, 2, 3, 4]],
      [1, [1, 2, 4, 5, 6]],
    ]);
    expect(rows[1]?.spans).toEqual([
      { turn: 1, start: 3, end: 4 },
      { turn: 2, start: 4, end: 5 },
    ]);
  });

  test("a shorter prompt opens a branch", () => {
    expect(buildTokenRows([turn([1, 2], [3]), turn([1, 2], [3])])).toHaveLength(2);
  });

  test("a trajectory with a turn without tokens has no rows", () => {
    expect(buildTokenRows([turn([1], [2]), null])).toEqual([]);
  });

  test("every sampled token is trained exactly once, under its own prompt", () => {
    const ids = fc.array(fc.nat(3), { maxLength: 4 });
    const steps = fc.array(fc.record({ keeps: fc.boolean(), context: ids, sampled: ids }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(steps, (steps) => {
        const turns: TurnTokens[] = [];
        for (const { keeps, context, sampled } of steps) {
          const last = turns.at(-1);
          turns.push(turn(keeps && last ? [...last.promptTokenIds, ...last.tokenIds, ...context] : context, sampled));
        }
        const rows = buildTokenRows(turns);
        const seen = rows.flatMap((row) => row.spans.map((span) => ({ row, ...span })));
        expect(seen.map(({ turn }) => turn)).toEqual(turns.flatMap((tokens, index) => (tokens.tokenIds.length > 0 ? [index] : [])));
        for (const { row, turn: index, start, end } of seen) {
          const tokens = turns[index] as TurnTokens;
          expect(row.tokenIds.slice(0, start)).toEqual(tokens.promptTokenIds);
          expect(row.tokenIds.slice(start, end)).toEqual(tokens.tokenIds);
        }
        expect(rows.flatMap((row) => row.logprobs)).toEqual(turns.flatMap((tokens) => tokens.logprobs));
      }),
    );
  });
});
