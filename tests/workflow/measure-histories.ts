// How long the histories of a campaign get, and how large what travels in them.
import type { temporal } from "@temporalio/proto";
import { LONGEST_REASON } from "#contracts/steering.ts";
import { pauseUpdate } from "../../workflows/messages.ts";
import { type CampaignWorld, SPEAKER, steer } from "./campaign-world.ts";
import { testConfig } from "./fake-activities.ts";

export interface HistoryMeasure {
  readonly workflowId: string;
  readonly numEvents: number;
  /** Bytes. */
  readonly longestPayload: number;
}

/** Ids as long as those of synthesized tasks of tau-bench. */
const LONG_ID = "retail-exchange-delivered-order-items-then-modify-pending-order-address-and-payment-by-gift-card-";

/** One iteration with `numGroups` groups to train on, some words, and a test. A record per run of each of its workflows. */
export async function measureHistories(
  world: CampaignWorld,
  numGroups: number,
): Promise<{ byWorkflow: HistoryMeasure[]; numBegun: number }> {
  const byWorkflow: HistoryMeasure[] = [];
  let numBegun = 0;
  const rollout = { ...testConfig().rollout, concurrentGroups: 64 };
  const options = { numTasks: { train: numGroups }, idPrefix: LONG_ID };
  await world.run(options, { rollout, stop: { maxIterations: 1 }, test: { tasks: 3, trials: 1 } }, async (campaign) => {
    await campaign.until(() => campaign.fakes.begun.length > numGroups / 3);
    await steer.pause(campaign);
    await steer.resume(campaign);
    await steer.budget(campaign, { maxModelCalls: 1_000_000 });
    await campaign.handle.executeUpdate(pauseUpdate, { args: [{ ...SPEAKER, why: "w".repeat(LONGEST_REASON) }] });
    await steer.resume(campaign);
    await campaign.handle.result();
    numBegun = campaign.fakes.begun.filter((key) => key.startsWith("1 train")).length;
    for (const { workflowId, runId } of await world.runsOf(campaign.id)) {
      const { events } = await world.client.workflow.getHandle(workflowId, runId).fetchHistory();
      byWorkflow.push({ workflowId, numEvents: events?.length ?? 0, longestPayload: Math.max(0, ...(events ?? []).flatMap(payloadSizes)) });
    }
  });
  return { byWorkflow, numBegun };
}

/** Bytes of each payload anywhere in an event. */
function payloadSizes(event: temporal.api.history.v1.IHistoryEvent): number[] {
  const sizes: number[] = [];
  const visit = (value: unknown): void => {
    if (value instanceof Uint8Array) sizes.push(value.byteLength);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(visit);
  };
  visit(event);
  return sizes;
}
