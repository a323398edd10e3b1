// Who takes the work of a task queue: what an activity and the CLI find out about it, and what follows.
import { z } from "zod";

export const FindWorkersInput = z.strictObject({ queue: z.string() });
export type FindWorkersInput = z.infer<typeof FindWorkersInput>;

export const QueueWorkers = z.strictObject({
  queue: z.string(),
  isPolled: z.boolean().describe("whether a worker has asked for work lately; one whose slots are all taken does not ask"),
  busyWith: z.array(z.string()).describe("ids of the workflows whose activities its workers run now, sorted"),
});
export type QueueWorkers = z.infer<typeof QueueWorkers>;

/** Whether anybody is there who takes this work, now or when he is done with other work. */
export const isServed = ({ isPolled, busyWith }: QueueWorkers): boolean => isPolled || busyWith.length > 0;
