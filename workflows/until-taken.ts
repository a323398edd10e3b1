// Work that nobody takes is told. An activity that has waited in its queue for too long is taken back: where nobody works for the queue
// the workflow is told so, and where the workers are busy with others it goes into the queue again.
import { ActivityFailure, ApplicationFailure, TimeoutFailure, TimeoutType } from "@temporalio/common";
import { type ActivityInterfaceFor, type ActivityOptions, proxyActivities } from "@temporalio/workflow";
import { type FindWorkersInput, isServed, type QueueWorkers } from "#contracts/queue-workers.ts";
import { startWorker } from "#contracts/workflow-ids.ts";

interface ScheduleToStart {
  /** In the queue before anybody asks who works for it. Doubled every time, so that days behind another's training are few events. */
  readonly initialSeconds: number;
  readonly maximumSeconds: number;
}

const SCHEDULE_TO_START: ScheduleToStart = { initialSeconds: 300, maximumSeconds: 3600 };

type FindWorkers = (input: FindWorkersInput) => Promise<QueueWorkers>;

/**
 * Activities like those of `proxyActivities`, on a queue that may have no worker.
 * They throw service.no-worker, which is not tried again, when nobody works for the queue.
 */
export function takenActivities<Table>(
  options: ActivityOptions & { readonly taskQueue: string },
  names: readonly (keyof Table & string)[],
  findWorkers: FindWorkers,
  scheduleToStart = SCHEDULE_TO_START,
): ActivityInterfaceFor<Table> {
  const call = async (name: string, args: unknown[]): Promise<unknown> => {
    for (let seconds = scheduleToStart.initialSeconds; ; seconds = Math.min(2 * seconds, scheduleToStart.maximumSeconds)) {
      const table = proxyActivities<Record<string, (...args: unknown[]) => Promise<unknown>>>({
        ...options,
        scheduleToStartTimeout: seconds * 1000,
      });
      try {
        return await table[name]?.(...args);
      } catch (error) {
        if (!wasNotTaken(error)) throw error;
        const found = await findWorkers({ queue: options.taskQueue });
        if (!isServed(found)) throw noWorker(options.taskQueue);
      }
    }
  };
  const calls = names.map((name) => [name, (...args: unknown[]) => call(name, args)] as const);
  return Object.fromEntries(calls) as ActivityInterfaceFor<Table>;
}

function wasNotTaken(error: unknown): boolean {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof TimeoutFailure)) return false;
  return error.cause.timeoutType === TimeoutType.SCHEDULE_TO_START;
}

function noWorker(queue: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `nobody takes the work of ${queue}: no worker runs for it. Start one: ${startWorker(queue)}`,
    "service.no-worker",
  );
}
