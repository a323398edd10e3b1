// What the three worker programs share: connect, register, run until told to stop or orphaned.
import { Client } from "@temporalio/client";
import { NativeConnection, Runtime, Worker, type WorkerOptions } from "@temporalio/worker";
import pino from "pino";
import { announceReady } from "#adapters/services/announce-ready.ts";
import { logStream } from "#adapters/services/log-stream.ts";
import { readSettings } from "#adapters/settings.ts";
import { findQueueWorkers } from "#adapters/temporal/queue-workers.ts";
import { GRACE } from "#contracts/grace-periods.ts";
import { CampaignError } from "#core/errors.ts";
import { createActivities } from "../activities/index.ts";
import { createDependencies, type WorkerDependencies } from "./dependencies.ts";

type RoleOptions = Pick<WorkerOptions, "workflowBundle" | "maxConcurrentActivityTaskExecutions">;

export interface WorkerRole {
  readonly name: string;
  readonly taskQueue: string;
  readonly options: (log: pino.Logger) => RoleOptions | Promise<RoleOptions>;
  /** Until activities that do not heed their cancellation are given up on; GRACE.worker unless given. */
  readonly forceSeconds?: number;
  /** Work beside the queue, e.g. the tracking loop; ends with the signal. */
  readonly beside?: (deps: WorkerDependencies, signal: AbortSignal, log: pino.Logger) => void;
}

const CONNECT_ATTEMPTS = 60;
const ANSWER_MILLISECONDS = 10_000;

/** Runs a worker until SIGTERM or SIGINT; running activities get their cancellation and a grace period. */
export async function runWorker(role: WorkerRole): Promise<void> {
  const log = pino({ name: role.name, level: readSettings().logLevel, serializers: { error: pino.stdSerializers.err } }, logStream());
  Runtime.install({ shutdownSignals: ["SIGTERM", "SIGINT"], logger: temporalLogger(log) });
  const deps = await createDependencies(log);
  const connection = await connect(deps.settings.temporalAddress, log);
  const client = new Client({ connection, namespace: deps.settings.namespace });
  const ask = <Answer>(call: () => Promise<Answer>) => client.withDeadline(Date.now() + ANSWER_MILLISECONDS, call);
  const stopping = new AbortController();
  role.beside?.(deps, stopping.signal, log);
  const worker = await Worker.create({
    connection,
    namespace: deps.settings.namespace,
    taskQueue: role.taskQueue,
    activities: createActivities({ ...deps, findQueueWorkers: (queue) => ask(() => findQueueWorkers(client, queue)) }),
    shutdownGraceTime: GRACE.finish * 1000,
    shutdownForceTime: (role.forceSeconds ?? GRACE.worker) * 1000,
    maxHeartbeatThrottleInterval: "1 second",
    ...(await role.options(log)),
  });
  log.info({ taskQueue: role.taskQueue }, "worker ready");
  announceReady();
  try {
    await worker.run();
  } finally {
    stopping.abort();
    await connection.close();
  }
}

/** The server may still be starting, or restarting. */
async function connect(address: string, log: pino.Logger): Promise<NativeConnection> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await NativeConnection.connect({ address });
    } catch (cause) {
      if (attempt === CONNECT_ATTEMPTS)
        throw new CampaignError("service.not-running", `no Temporal server answers at ${address}`, { cause, next: "turnwise up" });
      log.info({ address, attempt }, "waiting for the Temporal server");
      await new Promise((done) => setTimeout(done, 1_000));
    }
  }
}

function temporalLogger(log: pino.Logger) {
  const write = (level: "trace" | "debug" | "info" | "warn" | "error") => (message: string, meta?: object) =>
    log[level](meta ?? {}, message);
  const methods = { trace: write("trace"), debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  return {
    ...methods,
    log: (level: string, message: string, meta?: object) => methods[level.toLowerCase() as keyof typeof methods](message, meta),
  };
}
