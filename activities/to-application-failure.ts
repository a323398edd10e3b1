// The only place that builds an ApplicationFailure.
import { ApplicationFailure } from "@temporalio/activity";
import { CampaignError } from "#core/errors.ts";

/** What an activity throws. Cancellations and bugs pass through unchanged: Temporal already knows what to do with them. */
export function toApplicationFailure(error: unknown): unknown {
  if (!(error instanceof CampaignError)) return error;
  return ApplicationFailure.create({
    type: error.code,
    message: error.next === null ? error.message : `${error.message}. Next: ${error.next}`,
    nonRetryable: !error.retryable,
    ...(error.retryAfterSeconds === null ? {} : { nextRetryDelay: error.retryAfterSeconds * 1000 }),
    cause: error,
  });
}
