// What an iteration leaves for the next one: a fold over iteration manifests. The workflow carries it on, and `campaign resume`
// rebuilds it from the record, by the same function.

import type { CampaignProgress, CampaignSettings } from "#contracts/campaign-status.ts";
import type { CampaignManifest, IterationManifest } from "#contracts/manifests.ts";
import { formatDecimal } from "../format.ts";
import { addMeters, NO_METERS } from "./meters.ts";

export function initialProgress(manifest: Pick<CampaignManifest, "basePolicy" | "priorTable">): CampaignProgress {
  const base = { policy: manifest.basePolicy, iteration: 0, passRate: null };
  return {
    nextIteration: 0,
    basePolicy: manifest.basePolicy,
    basePassRate: null,
    promoted: base,
    best: base,
    table: manifest.priorTable,
    consecutiveRejects: 0,
    trainTruncationRate: null,
    bestTrainPassRate: null,
    meters: NO_METERS,
    runningSeconds: 0,
  };
}

/** Iteration 0 is the base policy's selection; iterations 1, 2, … are whole loops. */
export function advanceProgress(progress: CampaignProgress, manifest: IterationManifest): CampaignProgress {
  const isBase = manifest.iteration === 0;
  const isPromoted = isBase || manifest.promotion === "promote";
  const promoted = isPromoted
    ? { policy: manifest.policyAfter, iteration: manifest.iteration, passRate: manifest.selectionPassRate }
    : progress.promoted;
  return {
    nextIteration: manifest.iteration + 1,
    basePolicy: progress.basePolicy,
    basePassRate: isBase ? manifest.selectionPassRate : progress.basePassRate,
    promoted,
    best: isBase || isBetter(promoted.passRate, progress.best.passRate) ? promoted : progress.best,
    table: manifest.tableAfter,
    consecutiveRejects: isBase ? 0 : manifest.gateDecision === "reject" ? progress.consecutiveRejects + 1 : 0,
    trainTruncationRate: manifest.trainTruncationRate ?? progress.trainTruncationRate,
    bestTrainPassRate: isBetter(manifest.trainPassRate, progress.bestTrainPassRate) ? manifest.trainPassRate : progress.bestTrainPassRate,
    meters: addMeters(progress.meters, manifest.meters),
    runningSeconds: progress.runningSeconds + manifest.runningSeconds,
  };
}

const isBetter = (candidate: number | null, incumbent: number | null): boolean =>
  candidate !== null && (incumbent === null || candidate > incumbent);

/** Why the campaign ends before its next iteration, or null to go on. */
export function endReason(
  progress: CampaignProgress,
  { maxIterations, targetPassRate }: Pick<CampaignSettings, "maxIterations" | "targetPassRate">,
): string | null {
  if (progress.nextIteration > maxIterations) return `all ${maxIterations} iterations are done`;
  const passRate = progress.promoted.passRate;
  if (targetPassRate !== null && passRate !== null && passRate >= targetPassRate) {
    return `the promoted policy's selection pass rate ${formatDecimal(passRate, 3)} reached the target ${targetPassRate}`;
  }
  return null;
}
