// Temporal's workers log every change of state; tests want to read their own lines. Import this before a worker is made.
import { DefaultLogger, Runtime } from "@temporalio/worker";

Runtime.install({
  logger: new DefaultLogger("ERROR"),
  telemetryOptions: { logging: { filter: { core: "ERROR", other: "ERROR" }, forward: {} } },
});
