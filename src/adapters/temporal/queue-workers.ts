// Whether anybody works for a task queue. A worker asks for work over and over, and the server remembers when it last did. One whose
// slots are all taken (training has one) does not ask: what it is at shows in the workflows that wait for it.
import type { Client } from "@temporalio/client";
import type { QueueWorkers } from "#contracts/queue-workers.ts";
import { CONTROL_QUEUE } from "#contracts/workflow-ids.ts";

/** A worker asks for at most 60 s, then again. */
const RECENT_MILLISECONDS = 75_000;
/** More than these do not make the answer any different. */
const MAX_WORKFLOWS = 100;
/** Temporal's TaskQueueType. */
const WORKFLOWS = 1;
const ACTIVITIES = 2;

/** Throws what the client throws, in the client's own deadline. */
export async function findQueueWorkers(client: Client, queue: string): Promise<QueueWorkers> {
  const { namespace } = client.options;
  const taskQueueType = queue === CONTROL_QUEUE ? WORKFLOWS : ACTIVITIES;
  const { pollers } = await client.workflowService.describeTaskQueue({ namespace, taskQueue: { name: queue }, taskQueueType });
  const asked = (pollers ?? []).map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000);
  return {
    queue,
    isPolled: asked.some((time) => Date.now() - time < RECENT_MILLISECONDS),
    busyWith: taskQueueType === ACTIVITIES ? await workflowsServedBy(client, queue) : [],
  };
}

/** Workflows with an activity that a worker of this queue has begun and not ended. Heartbeats end those of dead workers. */
async function workflowsServedBy(client: Client, queue: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: "ExecutionStatus = 'Running'", pageSize: MAX_WORKFLOWS })) {
    if (ids.push(workflowId) === MAX_WORKFLOWS) break;
  }
  const served = await Promise.all(ids.map(async (id) => ((await hasBegun(client, id, queue)) ? [id] : [])));
  return served.flat().sort();
}

async function hasBegun(client: Client, workflowId: string, queue: string): Promise<boolean> {
  const activities = await pendingActivities(client, workflowId).catch(() => []); // it has ended meanwhile
  return activities.some((activity) => activity.queue === queue && activity.hasBegun);
}

/** An activity that a workflow waits for. */
export interface PendingActivity {
  readonly type: string;
  readonly queue: string | null;
  /** Whether a worker has it now. */
  readonly hasBegun: boolean;
  /** Milliseconds since 1970: when it was last put into its queue. */
  readonly scheduledAt: number;
  readonly attempt: number;
  /** Why the attempt before failed. */
  readonly lastFailure: string | null;
  /** The last heartbeat's details; null where there are none. */
  readonly details: unknown;
}

/** Throws what the client throws, e.g. for a workflow that does not exist. */
export async function pendingActivities(client: Client, workflowId: string): Promise<PendingActivity[]> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  return (raw.pendingActivities ?? []).map((activity) => ({
    type: activity.activityType?.name ?? "",
    queue: activity.activityOptions?.taskQueue?.name ?? null,
    // The enum's value, or its name: clients differ.
    hasBegun: activity.state === 2 || String(activity.state) === "PENDING_ACTIVITY_STATE_STARTED",
    scheduledAt: Number(activity.scheduledTime?.seconds ?? 0) * 1000,
    attempt: activity.attempt ?? 1,
    lastFailure: activity.lastFailure?.message ?? null,
    details: readDetails(activity.heartbeatDetails?.payloads?.[0]?.data),
  }));
}

function readDetails(data: Uint8Array | null | undefined): unknown {
  if (data === undefined || data === null) return null;
  try {
    return JSON.parse(Buffer.from(data).toString("utf8"));
  } catch {
    return null;
  }
}
