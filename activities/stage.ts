// What every stage does around its work: answer from the record when it is committed there, else work and write the manifest last.
import type { IterationContext } from "#contracts/activities.ts";
import type { StageManifest, StageName } from "#contracts/manifests.ts";
import { meterMetrics } from "#core/campaign/meters.ts";
import type { ActivityDependencies } from "./dependencies.ts";

export type StageOutcome = Pick<StageManifest, "inputs" | "outputs" | "metrics" | "meters" | "decision">;

/** The stage's manifest: the committed one, or the one that `work` leads to. */
export async function runStage(
  deps: ActivityDependencies,
  stage: StageName,
  { campaignId, iteration, startedAt }: IterationContext & { startedAt: string },
  work: () => Promise<StageOutcome>,
): Promise<StageManifest> {
  const committed = await deps.record.readStage(campaignId, iteration, stage);
  if (committed !== null) return committed;
  const outcome = await work();
  const manifest: StageManifest = {
    schemaVersion: 2,
    campaignId,
    iteration,
    stage,
    ...outcome,
    metrics: finite({ ...outcome.metrics, ...meterMetrics(stage, outcome.meters) }),
    startedAt,
    seconds: Math.max(0, (deps.clock.now() - Date.parse(startedAt)) / 1000),
    versions: { ...deps.versions },
  };
  return deps.record.commitStage(manifest);
}

/** A statistic that has no value is left out: no number stands for "unknown". */
function finite(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
}
