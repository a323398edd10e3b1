// The plan of a campaign before it runs: how many rollouts, model calls and optimizer steps, and what they may cost.
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { Task } from "#contracts/task.ts";
import { placeTraining, type TrainingPlace } from "#core/campaign/place-training.ts";
import { doNothingFloor } from "#core/environment/do-nothing-floor.ts";
import type { TaskSet } from "#core/environment/environment.ts";

/** Means of tau-bench's public gpt-4o airline run (200 trajectories), tokens counted as characters / 4; the simulator's prompt includes about 350 tokens of instructions. */
const TURNS_PER_ROLLOUT = 12.3;
const SIMULATOR_REPLIES_PER_ROLLOUT = 7.45;
const TOKENS_PER_SIMULATOR_PROMPT = 760;
const TOKENS_PER_SIMULATOR_REPLY = 25;
/** At least: a reply that the verifier rejects costs more. */
const CALLS_PER_REPLY = { llm: 1, react: 1, verify: 2, reflection: 2 } as const;

export interface CampaignPlan {
  readonly iterations: number;
  readonly trainRolloutsPerIteration: number;
  readonly selectionRolloutsPerPolicy: number;
  readonly testRolloutsPerPolicy: number;
  readonly rollouts: number;
  readonly policyCalls: number;
  readonly optimizerSteps: number;
  /** Where training runs, and why it could not run on this machine. */
  readonly training: TrainingPlace;
  readonly simulatorCalls: number;
  readonly estimatedUsd: number;
  readonly assumptions: string;
}

interface SplitPlan {
  readonly tasks: number;
  readonly doNothingFloor: number;
}

/** The tasks that a campaign can draw from, and what an agent gets in each split by doing nothing. */
export type TaskPlan = Readonly<Record<"train" | "selection" | "test", SplitPlan>>;

export function describeTasks({ environment, splits }: TaskSet): TaskPlan {
  const describe = (tasks: readonly Task[]) => ({ tasks: tasks.length, doNothingFloor: doNothingFloor(environment, tasks) });
  return { train: describe(splits.train), selection: describe(splits.selection), test: describe(splits.test) };
}

/** An upper estimate: all iterations, nothing stopped early. Costs are those of the user model alone; the policy runs on your own hardware. */
export function planCampaign(config: CampaignConfig, numGpus: number): CampaignPlan {
  const { rollout, selection, test, stop, training, simulator } = config;
  const trainRolloutsPerIteration = rollout.tasksPerIteration * rollout.groupSize;
  const selectionRolloutsPerPolicy = selection === null ? 0 : selection.tasks * selection.trials;
  const testRolloutsPerPolicy = test === null ? 0 : test.tasks * test.trials;
  const rollouts =
    stop.maxIterations * trainRolloutsPerIteration + (stop.maxIterations + 1) * selectionRolloutsPerPolicy + 2 * testRolloutsPerPolicy;
  const isPaid = simulator.type === "llm";
  const simulatorCalls = isPaid ? Math.round(rollouts * SIMULATOR_REPLIES_PER_ROLLOUT * CALLS_PER_REPLY[simulator.strategy]) : 0;
  const price = isPaid ? simulator.priceUsdPerMillionTokens : { input: 0, output: 0 };
  return {
    iterations: stop.maxIterations,
    trainRolloutsPerIteration,
    selectionRolloutsPerPolicy,
    testRolloutsPerPolicy,
    rollouts,
    policyCalls: Math.round(rollouts * TURNS_PER_ROLLOUT),
    optimizerSteps: stop.maxIterations * training.hyperparameters.numMinibatches * training.hyperparameters.epochs,
    training: placeTraining(training, numGpus),
    simulatorCalls,
    estimatedUsd: (simulatorCalls * (TOKENS_PER_SIMULATOR_PROMPT * price.input + TOKENS_PER_SIMULATOR_REPLY * price.output)) / 1e6,
    assumptions: `${TURNS_PER_ROLLOUT} turns and ${SIMULATOR_REPLIES_PER_ROLLOUT} user replies a rollout (the means of a public airline run), ${TOKENS_PER_SIMULATOR_PROMPT} + ${TOKENS_PER_SIMULATOR_REPLY} tokens a reply`,
  };
}
