// Signals between the workflows of one campaign.
import type { SignalDefinition } from "@temporalio/common";
import { getExternalWorkflowHandle, isCancellation, log } from "@temporalio/workflow";

/** Signals a relative. One that has just ended, or runs alone in a test, cannot be told anything: that is no failure of the teller. */
export async function tell<Args extends unknown[]>(workflowId: string, signal: SignalDefinition<Args>, ...args: Args): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(signal, ...args);
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.info("signal not delivered", { workflowId, signal: signal.name });
  }
}
