// A workflow that trains once, on whatever worker takes the training queue.
import { proxyActivities } from "@temporalio/workflow";
import type { TrainInput } from "#contracts/activities.ts";
import { TRAINING_QUEUE } from "#contracts/workflow-ids.ts";
import type { Activities } from "../../activities/index.ts";

const { train } = proxyActivities<Pick<Activities, "train">>({
  taskQueue: TRAINING_QUEUE,
  startToCloseTimeout: "10 minutes",
  heartbeatTimeout: "20 seconds",
});

export async function trainsOnce(input: TrainInput): Promise<void> {
  await train(input);
}
