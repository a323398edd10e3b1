// Starting a child whose namesake may still be on its way out: one that a lost parent has left behind is asked to end, and waited for.
import { WorkflowExecutionAlreadyStartedError } from "@temporalio/common";
import { type ChildWorkflowHandle, getExternalWorkflowHandle, sleep, type Workflow } from "@temporalio/workflow";

const WAIT_SECONDS = 2;
/** A trainer that saves before it goes takes its grace; after that somebody has to look. */
const MAX_WAITS = 90;

export async function startOnceGone<Work extends Workflow>(
  workflowId: string,
  start: () => Promise<ChildWorkflowHandle<Work>>,
): Promise<ChildWorkflowHandle<Work>> {
  for (let waits = 0; ; waits += 1) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || waits === MAX_WAITS) throw error;
      if (waits === 0)
        await getExternalWorkflowHandle(workflowId)
          .cancel()
          .catch(() => {});
      await sleep(`${WAIT_SECONDS} seconds`);
    }
  }
}
