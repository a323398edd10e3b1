// Rollouts: environments and simulators, in conversation with the policy server and, where there is one, the user model.
import { ROLLOUT_QUEUE } from "#contracts/workflow-ids.ts";
import { runWorker } from "./worker.ts";

await runWorker({ name: "rollout", taskQueue: ROLLOUT_QUEUE, options: () => ({ maxConcurrentActivityTaskExecutions: 64 }) });
