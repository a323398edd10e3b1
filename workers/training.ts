// Training: one slot per GPU (or per laptop); starts the Python trainer and watches it.
import { GRACE } from "#contracts/grace-periods.ts";
import { TRAINING_QUEUE } from "#contracts/workflow-ids.ts";
import { runWorker } from "./worker.ts";

await runWorker({
  name: "training",
  taskQueue: TRAINING_QUEUE,
  options: () => ({ maxConcurrentActivityTaskExecutions: 1 }),
  forceSeconds: GRACE.trainingWorker,
});
