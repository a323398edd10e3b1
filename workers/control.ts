// Workflows, calibration, redesign, the record; and the tracking loop that projects the record to MLflow.
import { fileURLToPath } from "node:url";
import { startTrackingLoop } from "#adapters/tracking/tracking-loop.ts";
import { CONTROL_QUEUE } from "#contracts/workflow-ids.ts";
import { runWorker } from "./worker.ts";

await runWorker({
  name: "control",
  taskQueue: CONTROL_QUEUE,
  options: { workflowsPath: fileURLToPath(new URL("../workflows/index.ts", import.meta.url)), maxConcurrentActivityTaskExecutions: 4 },
  beside: ({ record, settings }, signal, log) => {
    void startTrackingLoop({ record, baseUrl: settings.mlflowUrl, intervalSeconds: 10, signal, log, home: settings.home });
  },
});
