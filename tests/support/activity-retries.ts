// What Temporal does with an activity that fails, without Temporal: tries it again as workflows/activity-options.ts says, until it is told
// that trying is over. Waits are counted, not slept.
import { ApplicationFailure } from "@temporalio/common";
import { toApplicationFailure } from "../../activities/to-application-failure.ts";

const RETRY = { firstWaitSeconds: 1, coefficient: 2, longestWaitSeconds: 30, maximumAttempts: 30 } as const;

export interface Told {
  readonly failure: unknown;
  readonly numAttempts: number;
  /** Between attempts. */
  readonly waitedSeconds: number;
}

/** Resolves with the failure that the workflow is told, once it is; rejects when an attempt succeeds. */
export async function retryUntilTold(attempt: () => Promise<unknown>): Promise<Told> {
  let waitedSeconds = 0;
  for (let number = 1; ; number += 1) {
    const failure = await attempt().then(
      () => {
        throw new Error(`attempt ${number} succeeded`);
      },
      (error: unknown) => toApplicationFailure(error, number),
    );
    const isOver = number === RETRY.maximumAttempts || (failure instanceof ApplicationFailure && failure.nonRetryable === true);
    if (isOver) return { failure, numAttempts: number, waitedSeconds };
    waitedSeconds += Math.min(RETRY.firstWaitSeconds * RETRY.coefficient ** (number - 1), RETRY.longestWaitSeconds);
  }
}
