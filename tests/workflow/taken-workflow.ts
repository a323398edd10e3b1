// A workflow with one activity on a queue that may have no worker, impatient enough for a test.
import { proxyActivities } from "@temporalio/workflow";
import type { FindWorkersInput, QueueWorkers } from "#contracts/queue-workers.ts";
import { takenActivities } from "../../workflows/until-taken.ts";

const { findWorkers } = proxyActivities<{ findWorkers(input: FindWorkersInput): Promise<QueueWorkers> }>({
  startToCloseTimeout: "1 minute",
});

export async function takesWork(queue: string, name: string, initialSeconds = 1): Promise<string> {
  const options = { taskQueue: queue, startToCloseTimeout: "1 minute", heartbeatTimeout: "20 seconds" } as const;
  const { work } = takenActivities<{ work(name: string): Promise<string> }>(options, ["work"], findWorkers, {
    initialSeconds,
    maximumSeconds: 2,
  });
  return work(name);
}
