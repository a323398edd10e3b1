// Heartbeats on a timer, so that a long await never looks like a dead worker; cancellation reaches the work through the signal.
import { cancellationSignal, heartbeat } from "@temporalio/activity";

const INTERVAL_MILLISECONDS = 1_000;

/** Runs `work` while heartbeating; `report` replaces what the heartbeats carry. */
export async function withHeartbeat<Result>(
  work: (signal: AbortSignal, report: (details: unknown) => void) => Promise<Result>,
): Promise<Result> {
  let details: unknown = null;
  heartbeat(details);
  const timer = setInterval(() => heartbeat(details), INTERVAL_MILLISECONDS);
  try {
    return await work(cancellationSignal(), (next) => {
      details = next;
    });
  } finally {
    clearInterval(timer);
  }
}
