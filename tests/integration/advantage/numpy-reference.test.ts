// Every estimator against an independent implementation in numpy (trainer/tests/advantage_reference.py), on random ragged groups.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { REPOSITORY } from "#adapters/settings.ts";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { type AdvantageGroup, computeAdvantages } from "#core/advantage/compute-advantages.ts";
import { ESTIMATORS } from "#core/advantage/estimators.ts";
import { createIndexGenerator } from "#core/random.ts";
import { deriveSeed } from "#core/rng.ts";
import { hasPython, runPython } from "../../support/python.ts";

const NUM_GROUPS = 1000;
const BATCH_SIZE = 8;
const SCRIPT = `
import json, sys
sys.path.insert(0, ${JSON.stringify(join(REPOSITORY, "trainer", "tests"))})
from advantage_reference import compute
request = json.load(sys.stdin)
print(json.dumps([compute(batch, request["config"]) for batch in request["batches"]]))
`;
const WORDS = ["flight", "cancel", "refund", "ok", "yes", "error", "seat", "x"];

/** Batches of ragged groups; rewards repeat, so that sets without variance occur. */
function randomBatches(): AdvantageGroup[][] {
  const { nextIndex } = createIndexGenerator(deriveSeed("advantage-reference"));
  const list = <Item>(size: number, item: (index: number) => Item) => Array.from({ length: size }, (_, index) => item(index));
  const group = (task: number): AdvantageGroup => ({
    taskId: `task-${task}`,
    members: list(1 + nextIndex(6), (trial) => {
      const numTurns = 1 + nextIndex(7);
      return {
        trial,
        outcome: nextIndex(2) === 1 ? (1 as const) : (0 as const),
        isTruncated: false,
        turnRewards_T: list(numTurns, () => [-0.2, -0.1, 0, 0, 0.3, 1, nextIndex(1000) / 1000][nextIndex(7)] ?? 0),
        actions_T: list(numTurns, () => ["get", "put", "message"][nextIndex(3)] ?? ""),
        observations_T: list(numTurns, () => list(1 + nextIndex(4), () => WORDS[nextIndex(WORDS.length)] ?? "").join(" ")),
      };
    }),
  });
  return list(NUM_GROUPS / BATCH_SIZE, (batch) => list(BATCH_SIZE, (index) => group(batch * BATCH_SIZE + index)));
}

const BATCHES = randomBatches();
const FOR_PYTHON = BATCHES.map((batch) =>
  batch.map((group) =>
    group.members.map((one) => ({
      rewards: one.turnRewards_T,
      outcome: one.outcome,
      actions: one.actions_T,
      observations: one.observations_T,
    })),
  ),
);

const TRIED = [
  { type: "grpo/1" },
  { type: "grpo/1", ddof: 0 },
  { type: "grpo/1", normalizeByStd: false },
  { type: "mt-grpo/1" },
  { type: "mt-grpo/1", alpha: 0.7, lambda: 0.5 },
  { type: "mt-grpo/1", alpha: 0.9, lastTurnRewarded: false },
  { type: "mt-grpo/2" },
  { type: "mt-grpo/2", alpha: 0.6, lambda: 0.3 },
  { type: "mt-grpo/2", alpha: 0.6, ddof: 0, normalizeByStd: true },
  { type: "mt-grpo/2", normalizeByStd: true },
  { type: "gtpo/1" },
  { type: "gtpo/1", terminal: "last", gamma: 0.5 },
  { type: "gtpo/1", scope: "group" },
  { type: "gtpo/1", scope: "batch", ddof: 0 },
  { type: "gtpo-hybrid/1" },
  { type: "gtpo-hybrid/1", gamma: 1, lambda: 1 },
  { type: "gdpo/1" },
  { type: "gdpo/1", whiten: false, processWeight: 0.5 },
  { type: "proxmo/1" },
  { type: "proxmo/1", polarBeta: 0.866, polarAlpha: 5, temperature: 0.5 },
  { type: "a3/1" },
  { type: "a3/1", treeWeight: 1.5, supportPrior: 1 },
];

test("every estimator is tried", () => {
  expect(new Set(TRIED.map(({ type }) => type))).toEqual(new Set(Object.keys(ESTIMATORS)));
});

describe.skipIf(!hasPython)(`estimators agree with numpy on ${NUM_GROUPS} groups to 1e-9`, () => {
  test.each(TRIED)("%o", (config) => {
    const expected = runPython(SCRIPT, { batches: FOR_PYTHON, config }) as number[][][][];
    const parsed = AdvantageConfig.parse({ degenerateGroups: "keep", ...config });
    let largest = 0;
    for (const [b, batch] of BATCHES.entries()) {
      const { advantages } = computeAdvantages(batch, parsed);
      const flat = expected[b]?.flat(2) ?? [];
      expect(advantages.flat(2)).toHaveLength(flat.length);
      for (const [i, value] of advantages.flat(2).entries()) largest = Math.max(largest, Math.abs(value - (flat[i] ?? Number.NaN)));
    }
    expect(largest).toBeLessThan(1e-9);
  });
});
