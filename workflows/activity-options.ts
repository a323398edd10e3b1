// One table: queue, deadlines, retries and heartbeat per kind of activity. Every wait has a deadline.
import { ActivityCancellationType, type ActivityOptions, proxyActivities } from "@temporalio/workflow";
import { CONTROL_QUEUE, ROLLOUT_QUEUE, TRAINING_QUEUE } from "#contracts/workflow-ids.ts";
import type { Activities } from "../activities/index.ts";
import { takenActivities } from "./until-taken.ts";

// Long enough to sit out a restart of any service; after that the campaign pauses with the failure's code and waits for a person.
const retry = { initialInterval: "1 second", backoffCoefficient: 2, maximumInterval: "30 seconds", maximumAttempts: 30 } as const;

type QueueOptions = ActivityOptions & { readonly taskQueue: string };
const control: QueueOptions = { taskQueue: CONTROL_QUEUE, startToCloseTimeout: "30 minutes", heartbeatTimeout: "30 seconds", retry };
// Their workers beat every second and compute little themselves: one that is silent for ten is dead, and another attempt goes on.
const silent = "10 seconds";
const rollout: QueueOptions = { taskQueue: ROLLOUT_QUEUE, startToCloseTimeout: "2 hours", heartbeatTimeout: silent, retry };
// It waits for its turn where campaigns share a server: as long as the others' stages last.
const opening: QueueOptions = { ...rollout, startToCloseTimeout: "48 hours" };
// It is over when the trainer has saved and is gone: no other one may begin in its job folder before.
const training: QueueOptions = {
  taskQueue: TRAINING_QUEUE,
  startToCloseTimeout: "48 hours",
  heartbeatTimeout: silent,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
};

export const controlActivities =
  proxyActivities<
    Pick<
      Activities,
      | "findWorkers"
      | "planTasks"
      | "recordWord"
      | "freeSpace"
      | "commitRollout"
      | "calibrate"
      | "redesign"
      | "buildBatch"
      | "select"
      | "test"
      | "commitIteration"
      | "commitEnd"
      | "applyRetention"
    >
  >(control);
const { findWorkers } = controlActivities;
export const rolloutActivities = {
  ...takenActivities<Pick<Activities, "rolloutGroup">>(rollout, ["rolloutGroup"], findWorkers),
  ...takenActivities<Pick<Activities, "openPolicy">>(opening, ["openPolicy"], findWorkers),
};
export const trainingActivities = takenActivities<Pick<Activities, "train">>(training, ["train"], findWorkers);
