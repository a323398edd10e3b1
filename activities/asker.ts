// For whom a policy server is asked for, and where it is told that somebody else has it: in the heartbeat, which `campaign show` reads.
import type { Asker } from "#adapters/inference/policy-server.ts";

/** `report` replaces what the activity's heartbeats carry. */
export function askerFor(campaignId: string, report: (details: unknown) => void): Asker {
  return { holder: `campaign ${campaignId}`, onWait: (waitingFor) => report({ waitingFor }) };
}
