// The only place that builds an ApplicationFailure, and so the one that decides what Temporal tries again.
import { ApplicationFailure, asyncLocalStorage } from "@temporalio/activity";
import { TemporalFailure } from "@temporalio/common";
import { CampaignError, FEW_TRIES } from "#core/errors.ts";

/**
 * What an activity throws in place of `error`. Cancellations and failures that are Temporal's own pass unchanged. What nobody expected is most
 * likely a bug and is tried a few times; but a failure of the operating system (no file handle left, a network drive that hangs) as long as
 * any other that may heal (workflows/activity-options.ts).
 */
export function toApplicationFailure(error: unknown, attempt: number): unknown {
  if (error instanceof CampaignError) return ofCode(error, attempt);
  if (isTemporals(error) || isOfTheSystem(error) || attempt < FEW_TRIES) return error;
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  return ApplicationFailure.create({
    type: name,
    message: `${message}. This is a bug in Turnwise`,
    nonRetryable: true,
    ...(error instanceof Error ? { cause: error } : {}),
  });
}

function ofCode(error: CampaignError, attempt: number): ApplicationFailure {
  const isTriedEnough = error.maxTries !== null && attempt >= error.maxTries;
  return ApplicationFailure.create({
    type: error.code,
    message: error.next === null ? error.message : `${error.message}. Next: ${error.next}`,
    nonRetryable: !error.retryable || isTriedEnough,
    ...(error.retryAfterSeconds === null ? {} : { nextRetryDelay: error.retryAfterSeconds * 1000 }),
    cause: error,
  });
}

function isTemporals(error: unknown): boolean {
  const context = asyncLocalStorage.getStore();
  return error instanceof TemporalFailure || context?.cancellationSignal.aborted === true;
}

function isOfTheSystem(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
