import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeBatch, encodeSafetensors } from "#adapters/trainer-process/safetensors.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { buildBatch } from "#core/training/build-batch.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { hasPython, runPython } from "../../support/python.ts";
import { add, counter, memoryJournal, say, scriptedPolicy, TASK, user } from "../../unit/core/rollout/parties.ts";

const READ = `
import json, sys
from safetensors import safe_open
with safe_open(json.load(sys.stdin), framework="np") as file:
    print(json.dumps({"metadata": file.metadata(), "tensors": {k: [str(file.get_tensor(k).dtype), file.get_tensor(k).tolist()] for k in file.keys()}}))
`;
const CHECK = `
import json, sys
from pathlib import Path
from trainer.batch import read_batch
path, sha256 = json.load(sys.stdin)
batch = read_batch(Path(path), sha256)
print(json.dumps([[row.num_actions, row.sampling_logprobs.tolist(), row.advantages.tolist()] for row in batch.rows]))
`;

test.skipIf(!hasPython)("tensors and metadata come back as they were in Python's safetensors, odd lengths and unicode included", () => {
  const path = join(temporaryFolder(), "x.safetensors");
  const tensors = {
    b: Uint8Array.of(1, 2, 3),
    a: Float32Array.of(0.5, -1),
    c: BigInt64Array.of(-5n),
    d: Int32Array.of(-7, 8, 9),
    empty: new Float32Array(0),
  };
  writeFileSync(path, encodeSafetensors(tensors, { header: 'é"' }));
  expect(runPython(READ, path)).toEqual({
    metadata: { header: 'é"' },
    tensors: { a: ["float32", [0.5, -1]], b: ["uint8", [1, 2, 3]], c: ["int64", [-5]], d: ["int32", [-7, 8, 9]], empty: ["float32", []] },
  });
});

test.skipIf(!hasPython)(
  "a batch of real rollouts passes the trainer's own checks",
  async () => {
    const script = [add(1), say("half"), { content: "x", parseError: "odd" }];
    const signal = new AbortController().signal;
    const parties = { task: TASK, environment: counter, simulator: user, limits: { maxTurns: 9 }, signal };
    const rollout = async (trial: number) =>
      (await runTrajectory({ ...parties, trial, policy: scriptedPolicy(script), journal: memoryJournal(), seed: `s${trial}` })).trajectory;
    const trajectories = [await rollout(0), await rollout(1)];
    const advantages = [
      [0.25, 0, -2],
      [-1, 1, 3],
    ];
    const batch = buildBatch({
      groups: [{ trajectories, advantages }],
      policyHash: "p",
      rewardTableSha256: "a".repeat(64),
      estimator: "gtpo-hybrid/1",
      seed: 1,
    });
    const bytes = encodeBatch(batch);
    const path = join(temporaryFolder(), "batch.safetensors");
    writeFileSync(path, bytes);
    const rows = runPython(CHECK, [path, createHash("sha256").update(bytes).digest("hex")]);
    const expected = trajectories.map(({ rows }, member) => [
      rows[0]?.logprobs.length,
      rows[0]?.logprobs.map(Math.fround),
      rows[0]?.spans.flatMap(({ turn, start, end }) => Array(end - start).fill(advantages[member]?.[turn])),
    ]);
    expect(rows).toEqual(expected);
  },
  300_000,
);
