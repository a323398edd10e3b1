// What an iteration leaves for the next one: a fold over iteration manifests. The workflow carries it on, and `campaign resume`
// rebuilds it from the record, by the same function.
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { CampaignManifest, IterationManifest } from "#contracts/manifests.ts";
import type { PolicyRef } from "#contracts/policy.ts";

export interface CampaignProgress {
  readonly nextIteration: number;
  readonly basePolicy: PolicyRef;
  /** The promoted policy and the iteration whose evaluation measured it. */
  readonly promoted: { readonly policy: PolicyRef; readonly iteration: number; readonly passRate: number | null };
  readonly basePassRate: number | null;
  readonly table: ArtifactRef;
  readonly consecutiveRejects: number;
  readonly trainTruncationRate: number | null;
  readonly modelCalls: number;
}

export function initialProgress(manifest: Pick<CampaignManifest, "basePolicy" | "priorTable">): CampaignProgress {
  return {
    nextIteration: 0,
    basePolicy: manifest.basePolicy,
    promoted: { policy: manifest.basePolicy, iteration: 0, passRate: null },
    basePassRate: null,
    table: manifest.priorTable,
    consecutiveRejects: 0,
    trainTruncationRate: null,
    modelCalls: 0,
  };
}

/** Iteration 0 is the base policy's evaluation; iterations 1, 2, … are whole loops. */
export function advanceProgress(progress: CampaignProgress, manifest: IterationManifest): CampaignProgress {
  const isBase = manifest.iteration === 0;
  const isPromoted = manifest.promotion === "promote";
  return {
    nextIteration: manifest.iteration + 1,
    basePolicy: progress.basePolicy,
    promoted:
      isBase || isPromoted
        ? { policy: manifest.policyAfter, iteration: manifest.iteration, passRate: manifest.evaluationPassRate }
        : progress.promoted,
    basePassRate: isBase ? manifest.evaluationPassRate : progress.basePassRate,
    table: manifest.tableAfter,
    consecutiveRejects: isBase ? 0 : manifest.gateDecision === "reject" ? progress.consecutiveRejects + 1 : 0,
    trainTruncationRate: manifest.trainTruncationRate ?? progress.trainTruncationRate,
    modelCalls: progress.modelCalls + manifest.modelCalls,
  };
}

/** Why the campaign ends before its next iteration, or null to go on. */
export function endReason(progress: CampaignProgress, config: Pick<CampaignConfig, "stop">): string | null {
  const { maxIterations, targetPassRate } = config.stop;
  if (progress.nextIteration > maxIterations) return `all ${maxIterations} iterations are done`;
  const passRate = progress.promoted.passRate;
  if (targetPassRate !== undefined && passRate !== null && passRate >= targetPassRate) {
    return `the promoted policy's pass rate ${passRate.toFixed(3)} reached the target ${targetPassRate}`;
  }
  return null;
}
