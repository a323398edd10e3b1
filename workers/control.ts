// Workflows, calibration, redesign, the record; and the tracking loop that projects the record to MLflow.
import { startTrackingLoop } from "#adapters/tracking/tracking-loop.ts";
import { CONTROL_QUEUE } from "#contracts/workflow-ids.ts";
import { runWorker } from "./worker.ts";
import { workflowBundle } from "./workflow-bundle.ts";

await runWorker({
  name: "control",
  taskQueue: CONTROL_QUEUE,
  options: async (log) => ({ workflowBundle: await workflowBundle(log), maxConcurrentActivityTaskExecutions: 4 }),
  beside: ({ record, settings }, signal, log) => {
    void startTrackingLoop({ record, baseUrl: settings.mlflowUrl, intervalSeconds: 10, signal, log, home: settings.home });
  },
});
