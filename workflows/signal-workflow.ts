// Signals between the workflows of one campaign.
import type { SignalDefinition } from "@temporalio/common";
import { CancellationScope, getExternalWorkflowHandle, log } from "@temporalio/workflow";

/**
 * Signals a relative. One that has just ended, or runs alone in a test, cannot be told anything: that is no failure of the teller. A signal
 * is a moment's work, so no cancellation tears it: who tells a child goes on to wait for it, and is cancelled there.
 */
export async function signalWorkflow<Args extends unknown[]>(
  workflowId: string,
  signal: SignalDefinition<Args>,
  ...args: Args
): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() => getExternalWorkflowHandle(workflowId).signal(signal, ...args));
  } catch {
    log.info("signal not delivered", { workflowId, signal: signal.name });
  }
}
