import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBatch } from "#adapters/trainer-process/safetensors.ts";
import { BatchHeader } from "#contracts/training.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { buildTokenRows } from "#core/rollout/token-rows.ts";
import { NO_USAGE } from "#core/rollout/usage.ts";
import { buildBatch, type ScoredGroup } from "#core/training/build-batch.ts";

const rest = { policyHash: "p".repeat(8), rewardTableSha256: "a".repeat(64), estimator: "grpo/1", seed: 3 };

/** A trajectory whose turn t samples `sizes[t]` tokens; a turn in `forks` rewrites history. */
function trajectory(taskId: string, trial: number, sizes: readonly number[], forks: readonly number[] = []): Trajectory {
  let history: number[] = [1, 2];
  const tokens = sizes.map((size, turn) => {
    const promptTokenIds = forks.includes(turn) ? [8, ...history] : [...history];
    const tokenIds = Array.from({ length: size }, (_, position) => 10 + position);
    history = [...promptTokenIds, ...tokenIds, 3];
    return { promptTokenIds, tokenIds, logprobs: tokenIds.map((_, position) => -(turn + 1) / (position + 1)) };
  });
  return {
    schemaVersion: 2,
    taskId,
    trial,
    environment: "airline",
    policy: { name: "p", hash: "p", format: "f" },
    simulator: { id: "s", hash: "s" },
    seed: "s",
    firstUserMessage: "hi",
    turns: sizes.map((_, index) => ({ index, content: "x", toolCalls: [], userReply: null, finishReason: "stop", stateHash: null })),
    rows: buildTokenRows(tokens),
    outcome: { type: "ok", reward: 1, passed: true, parts: {}, stopReason: "user-stop", isDatabaseMatch: true, detail: null },
    usage: NO_USAGE,
  };
}

const arbitraryGroups = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 4 }).chain((taskIds) =>
  fc.tuple(
    ...taskIds.map((taskId) =>
      fc
        .array(
          fc.array(
            fc.record({
              size: fc.integer({ min: 1, max: 4 }),
              advantage: fc.double({ min: -3, max: 3, noNaN: true }),
              forks: fc.boolean(),
            }),
            { minLength: 1, maxLength: 4 },
          ),
          { minLength: 1, maxLength: 3 },
        )
        .map(
          (members): ScoredGroup => ({
            trajectories: members.map((turns, trial) =>
              trajectory(
                taskId,
                trial,
                turns.map(({ size }) => size),
                turns.flatMap(({ forks }, turn) => (forks && turn > 0 ? [turn] : [])),
              ),
            ),
            advantages: members.map((turns) => turns.map(({ advantage }) => advantage)),
          }),
        ),
    ),
  ),
);

const reversed = ({ trajectories, advantages }: ScoredGroup): ScoredGroup => ({
  trajectories: [...trajectories].reverse(),
  advantages: [...advantages].reverse(),
});

describe("a training batch", () => {
  test("of two rollouts, by hand", () => {
    const groups = [
      { trajectories: [trajectory("b", 0, [2, 1])], advantages: [[0.5, -1]] },
      { trajectories: [trajectory("a", 1, [1]), trajectory("a", 0, [1])], advantages: [[2], [3]] },
    ];
    const batch = buildBatch({ groups, ...rest });
    expect(batch.header.rows).toEqual([
      { taskId: "a", trial: 0, branch: 0 },
      { taskId: "a", trial: 1, branch: 0 },
      { taskId: "b", trial: 0, branch: 0 },
    ]);
    expect([...batch.rowOffsets_R]).toEqual([0n, 3n, 6n, 12n]);
    expect([...batch.tokenIds_N]).toEqual([1, 2, 10, 1, 2, 10, 1, 2, 10, 11, 3, 10]);
    expect([...batch.lossMask_N]).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1]);
    expect([...batch.advantages_N]).toEqual([0, 0, 3, 0, 0, 2, 0, 0, 0.5, 0.5, 0, -1]);
    expect([...batch.samplingLogprobs_N]).toEqual([0, 0, -1, 0, 0, -1, 0, 0, -1, -0.5, 0, -2]);
    expect([...batch.turnIds_N]).toEqual([-1, -1, 0, -1, -1, 0, -1, -1, 0, 0, -1, 1]);
    expect(BatchHeader.parse(batch.header)).toMatchObject({ numTokens: 12, numActionTokens: 5, numRows: 3 });
  });

  test("has the same bytes whatever the order of groups and members", () => {
    fc.assert(
      fc.property(arbitraryGroups, (groups) => {
        const one = encodeBatch(buildBatch({ groups, ...rest }));
        const other = encodeBatch(buildBatch({ groups: [...groups].reverse().map(reversed), ...rest }));
        expect(Buffer.from(other).equals(Buffer.from(one))).toBe(true);
      }),
    );
  });

  test("is 0 off the mask and the turn's advantage on it, and trains every sampled token once", () => {
    fc.assert(
      fc.property(arbitraryGroups, (groups) => {
        const batch = buildBatch({ groups, ...rest });
        const byTask = new Map(
          groups.flatMap(({ trajectories, advantages }) =>
            trajectories.map((t, member) => [`${t.taskId}/${t.trial}`, { t, advantages_T: advantages[member] }] as const),
          ),
        );
        for (const [row, key] of batch.header.rows.entries()) {
          const advantages_T = byTask.get(`${key.taskId}/${key.trial}`)?.advantages_T as number[];
          for (let n = Number(batch.rowOffsets_R[row]); n < Number(batch.rowOffsets_R[row + 1]); n++) {
            const turn = batch.turnIds_N[n] as number;
            const expected = batch.lossMask_N[n] === 1 ? Math.fround(advantages_T[turn] as number) : 0;
            expect(batch.advantages_N[n]).toBe(expected);
            if (batch.lossMask_N[n] === 0) expect([turn, batch.samplingLogprobs_N[n]]).toEqual([-1, 0]);
          }
        }
        const numSampled = [...byTask.values()].flatMap(({ t }) => t.rows.flatMap((row) => row.logprobs)).length;
        expect(batch.lossMask_N.reduce((sum, bit) => sum + bit, 0)).toBe(numSampled);
        expect(batch.header.numActionTokens).toBe(numSampled);
      }),
    );
  });

  test("leaves out rollouts that never had a turn", () => {
    expect(buildBatch({ groups: [{ trajectories: [trajectory("a", 0, [])], advantages: [[]] }], ...rest }).header.numRows).toBe(0);
  });

  test.each([
    ["an advantage that is not finite", [trajectory("a", 0, [1])], [[Number.NaN]], "reward.non-finite"],
    ["too few advantages", [trajectory("a", 0, [1, 1])], [[1]], "contract.invalid"],
    ["a missing member", [trajectory("a", 0, [1])], [], "contract.invalid"],
    ["a rollout that occurs twice", [trajectory("a", 0, [1]), trajectory("a", 0, [1])], [[1], [1]], "contract.invalid"],
    ["a rollout without tokens", [{ ...trajectory("a", 0, [1]), rows: [] }], [[1]], "contract.invalid"],
  ])("refuses %s", (_name, trajectories, advantages, code) => {
    expect(() => buildBatch({ groups: [{ trajectories, advantages }], ...rest })).toThrow(expect.objectContaining({ code }));
  });
});
