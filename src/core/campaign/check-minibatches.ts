// What a campaign asks of every optimizer epoch must be there to be dealt: no minibatch is without a rollout.
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "../errors.ts";

/** Throws config.invalid for more minibatches than an iteration has rollouts: the trainer would make fewer steps than the file says. */
export function checkMinibatches({ rollout, training }: Pick<CampaignConfig, "rollout" | "training">): void {
  const { tasksPerIteration, groupSize } = rollout;
  const { numMinibatches } = training.hyperparameters;
  const rollouts = tasksPerIteration * groupSize;
  if (numMinibatches <= rollouts) return;
  throw new CampaignError(
    "config.invalid",
    `training.hyperparameters.numMinibatches is ${numMinibatches}, but an iteration has ${rollouts} rollouts: ${tasksPerIteration} tasks of ${groupSize}`,
    { next: `set training.hyperparameters.numMinibatches to at most ${rollouts}, or draw more tasks with rollout.tasksPerIteration` },
  );
}
