// A small batch of real trajectories of one task, for jobs of the real trainer.

import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import type { TrainingBatch } from "#core/training/build-batch.ts";
import { buildBatch } from "#core/training/build-batch.ts";
import { add, counter, memoryJournal, say, scriptedPolicy, TASK, user } from "../unit/core/rollout/parties.ts";

/** Four trajectories of three turns, of any tokenizer with more than ten tokens. */
export async function trainingBatch(policyHash: string): Promise<TrainingBatch> {
  const parties = { task: TASK, environment: counter, simulator: user, limits: { maxTurns: 9 }, signal: new AbortController().signal };
  const script = [add(1), say("half"), say("done")].map((turn, index) => ({
    ...turn,
    tokens: { promptTokenIds: Array(index * 3 + 2).fill(5), tokenIds: [5, 5, 5].slice(0, 3), logprobs: [-5, -6, -7] },
  }));
  const trajectories = await Promise.all(
    [0, 1, 2, 3].map(
      async (trial) =>
        (await runTrajectory({ ...parties, trial, policy: scriptedPolicy(script), journal: memoryJournal(), seed: `${trial}` })).trajectory,
    ),
  );
  const advantages = trajectories.map(({ turns }, member) => turns.map(({ index }) => (member - 1.5) * (index + 1)));
  return buildBatch({
    groups: [{ trajectories, advantages }],
    policyHash,
    rewardTableSha256: "a".repeat(64),
    estimator: "grpo/1",
    seed: 1,
  });
}
