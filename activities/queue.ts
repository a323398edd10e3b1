// Whether anybody takes the work of a queue, for a workflow whose work nobody took in time.
import { type FindWorkersInput, isServed, type QueueWorkers } from "#contracts/queue-workers.ts";
import type { Clock } from "#core/ports.ts";
import { withHeartbeat } from "./heartbeat.ts";

export interface QueueDependencies {
  readonly clock: Clock;
  findQueueWorkers(queue: string): Promise<QueueWorkers>;
}

/** A worker may be starting, as everything is after a machine's restart. */
const DEADLINE_MILLISECONDS = 60_000;
const INTERVAL_MILLISECONDS = 2_000;

export function createQueueActivities({ findQueueWorkers, clock }: QueueDependencies) {
  return {
    /** Answers as soon as somebody works for the queue, and after a minute that nobody does. */
    async findWorkers({ queue }: FindWorkersInput): Promise<QueueWorkers> {
      return withHeartbeat(async (signal) => {
        const deadline = clock.now() + DEADLINE_MILLISECONDS;
        for (;;) {
          const found = await findQueueWorkers(queue);
          if (isServed(found) || clock.now() >= deadline) return found;
          await clock.sleep(INTERVAL_MILLISECONDS, signal);
        }
      });
    },
  };
}
