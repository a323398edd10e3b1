// Sums over groups of rollouts.
import type { GroupSummary } from "#contracts/activities.ts";
import type { GroupManifest } from "#contracts/manifests.ts";
import { addMeters, NO_METERS } from "./meters.ts";

export const NO_GROUPS: GroupSummary = { numGroups: 0, numRollouts: 0, meters: NO_METERS };

export function addSummaries(left: GroupSummary, right: GroupSummary): GroupSummary {
  return {
    numGroups: left.numGroups + right.numGroups,
    numRollouts: left.numRollouts + right.numRollouts,
    meters: addMeters(left.meters, right.meters),
  };
}

export function summaryOf({ outcomes, meters }: Pick<GroupManifest, "outcomes" | "meters">): GroupSummary {
  return { numGroups: 1, numRollouts: outcomes.length, meters };
}
