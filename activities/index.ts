// All activities, for the workers to register and for the workflows to type their calls.
import { asyncLocalStorage } from "@temporalio/activity";
import { z } from "zod";
import * as inputs from "#contracts/activities.ts";
import { FindWorkersInput } from "#contracts/queue-workers.ts";
import { SteeringWord } from "#contracts/steering.ts";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";
import { createCalibrationActivities } from "./calibration.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { createEvaluationActivities } from "./evaluation.ts";
import { createQueueActivities, type QueueDependencies } from "./queue.ts";
import { createRetentionActivities } from "./retention.ts";
import { createRolloutActivities } from "./rollout.ts";
import { createSteeringActivities } from "./steering.ts";
import { toApplicationFailure } from "./to-application-failure.ts";
import { createTrainingActivities } from "./training.ts";

/** What each activity takes; parsed on entry, since a history or an older worker may hold something else. */
const INPUTS = {
  findWorkers: FindWorkersInput,
  planTasks: inputs.TaskPageInput,
  recordWord: SteeringWord,
  freeSpace: z.undefined(),
  openPolicy: inputs.OpenPolicyInput,
  rolloutGroup: inputs.RolloutGroupInput,
  commitRollout: inputs.CommitRolloutInput,
  calibrate: inputs.CalibrateInput,
  redesign: inputs.RedesignInput,
  buildBatch: inputs.BuildBatchInput,
  train: inputs.TrainInput,
  select: inputs.SelectInput,
  test: inputs.TestInput,
  commitIteration: inputs.IterationDraft,
  commitEnd: inputs.EndDraft,
  applyRetention: inputs.ApplyRetentionInput,
} satisfies Record<string, z.ZodType>;

export function createActivities(deps: ActivityDependencies & QueueDependencies) {
  return guard({
    ...createQueueActivities(deps),
    ...createRolloutActivities(deps),
    ...createCalibrationActivities(deps),
    ...createTrainingActivities(deps),
    ...createEvaluationActivities(deps),
    ...createRetentionActivities(deps),
    ...createSteeringActivities(deps),
  });
}
export type Activities = ReturnType<typeof createActivities>;

/** Wraps every activity: input parsed on entry, expected failures leave with their code as the failure's type. */
function guard<Table extends { [Name in keyof typeof INPUTS]: (input: z.infer<(typeof INPUTS)[Name]>) => Promise<unknown> }>(
  table: Table,
): Table {
  const wrapped = (Object.keys(INPUTS) as (keyof typeof INPUTS)[]).map((name) => {
    const activity = table[name] as (input: unknown) => Promise<unknown>;
    const guarded = async (input: unknown): Promise<unknown> => {
      try {
        return await activity(parseInput(name, input));
      } catch (error) {
        throw toApplicationFailure(error, asyncLocalStorage.getStore()?.info.attempt ?? 1);
      }
    };
    return [name, guarded] as const;
  });
  return Object.fromEntries(wrapped) as Table;
}

function parseInput(name: keyof typeof INPUTS, input: unknown): unknown {
  const parsed = INPUTS[name].safeParse(input);
  if (parsed.success) return parsed.data;
  throw new CampaignError("contract.invalid", `input of activity ${name}: ${describeProblems(parsed.error, input, INPUTS[name])}`);
}
