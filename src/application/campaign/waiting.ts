// Why a running campaign does not go on at this moment, from the activities that its workflows wait for; null when it does.
import { type Client, WorkflowNotFoundError } from "@temporalio/client";
import { z } from "zod";
import { findQueueWorkers, type PendingActivity, pendingActivities } from "#adapters/temporal/queue-workers.ts";
import type { CampaignStatus } from "#contracts/campaign-status.ts";
import { isServed, type QueueWorkers } from "#contracts/queue-workers.ts";
import { rolloutWorkflows, stagesWorkflow } from "./stage-workflows.ts";
import { type HintPlace, noWorker, type Waiting } from "./worker-hint.ts";

/** Work that is younger than this is about to be taken. */
const UNTAKEN_AFTER_MILLISECONDS = 5_000;

/** What an activity that waits says in its heartbeat. */
const WaitingDetails = z.object({ waitingFor: z.string() });
/** What a group of rollouts says that asks again, since its last turn. */
const TroubleDetails = z.object({ trouble: z.string() });

/** Throws what the client throws, in the client's own deadline. */
export async function findWaiting(client: Client, status: CampaignStatus, place: HintPlace): Promise<Waiting | null> {
  const ids = [stagesWorkflow(status), ...rolloutWorkflows(status)];
  const pending = (await Promise.all(ids.map((id) => activitiesOf(client, id)))).flat();
  const said = saidInHeartbeat(pending);
  if (said !== null) return said;
  const queue = untakenQueue(pending, Date.now());
  const workers = queue === null ? null : await findQueueWorkers(client, queue);
  return describeWaiting(pending, workers, place);
}

async function activitiesOf(client: Client, workflowId: string): Promise<PendingActivity[]> {
  try {
    return await pendingActivities(client, workflowId);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return []; // not begun yet
    throw error;
  }
}

function saidInHeartbeat(pending: readonly PendingActivity[]): Waiting | null {
  const said = pending.map(({ details }) => WaitingDetails.safeParse(details)).find(({ success }) => success)?.data;
  return said === undefined ? null : { message: said.waitingFor, next: null };
}

/** The queue of the work that waits longest, when none of the work has been begun. */
export function untakenQueue(pending: readonly PendingActivity[], now: number): string | null {
  if (pending.some(({ hasBegun }) => hasBegun)) return null;
  const [oldest] = pending.toSorted((a, b) => a.scheduledAt - b.scheduledAt);
  return oldest === undefined || now - oldest.scheduledAt < UNTAKEN_AFTER_MILLISECONDS ? null : oldest.queue;
}

/** `workers`: of the queue whose work nobody has begun; null when all goes its way. */
export function describeWaiting(pending: readonly PendingActivity[], workers: QueueWorkers | null, place: HintPlace): Waiting | null {
  if (workers !== null && !isServed(workers)) return noWorker(workers.queue, place);
  const failed = pending.find(({ hasBegun, lastFailure }) => !hasBegun && lastFailure !== null);
  if (failed !== undefined)
    return { message: `attempt ${failed.attempt} of ${failed.type} comes soon; the last one failed: ${failed.lastFailure}`, next: null };
  const stuck = stuckOf(pending);
  if (stuck !== null) return { message: stuck, next: null };
  if (workers === null || workers.busyWith.length === 0) return null;
  return {
    message: `waits for a free worker of ${workers.queue}, which works for ${workers.busyWith.map(campaignOf).join(", ")}`,
    next: null,
  };
}

/** Why none of the work that has been begun goes on, in the words of the first; null as soon as some of it does. */
function stuckOf(pending: readonly PendingActivity[]): string | null {
  const reasons = pending.filter(({ hasBegun }) => hasBegun).map(stuckBecause);
  return reasons.includes(null) ? null : (reasons[0] ?? null);
}

function stuckBecause({ type, attempt, lastFailure, details }: PendingActivity): string | null {
  const trouble = TroubleDetails.safeParse(details).data?.trouble;
  if (trouble !== undefined) return `${type} asks again; the last answer: ${trouble}`;
  const isNew = details === null; // nothing was done in this attempt yet
  return isNew && lastFailure !== null ? `attempt ${attempt} of ${type} is at work; the last one failed: ${lastFailure}` : null;
}

/** `campaign/<id>/iteration/3` is work of campaign <id>. */
function campaignOf(workflowId: string): string {
  const [family, id] = workflowId.split("/");
  return family === "campaign" && id !== undefined ? `campaign ${id}` : workflowId;
}
