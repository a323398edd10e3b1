// Two campaigns beside each other: what was set differently, and their final policies on the test tasks that both were measured on.
import { finalSelectionOf, isOfRelease010, noTestReasonOf } from "#adapters/history/facts.ts";
import type { RecordedCampaign } from "#adapters/history/load.ts";
import type { EvaluationReport, PolicyComparison } from "#contracts/evaluation-report.ts";
import { comparePolicies } from "#core/evaluation/compare-policies.ts";
import type { TaskResult } from "#core/evaluation/task-result.ts";
import { deriveSeed } from "#core/rng.ts";
import { differencesOf, type SettingDifference } from "./differing-settings.ts";

export type PairedComparison =
  | {
      /** B's policy minus A's. */
      readonly comparison: PolicyComparison;
      /** Share of B's tasks that an agent passes by doing nothing. */
      readonly doNothingFloor: number | null;
      /** What the figures are: `selection` only between campaigns of 0.1.0, which have nothing else. */
      readonly purpose: EvaluationReport["purpose"];
      readonly reason: null;
    }
  | { readonly comparison: null; readonly doNothingFloor: null; readonly purpose: null; readonly reason: string };

/** Paths of the configs where the two differ. The name does not count. */
export function differingSettings(a: RecordedCampaign, b: RecordedCampaign): SettingDifference[] {
  return differencesOf(a.campaign.config, b.campaign.config).filter(({ path }) => !["name", "description"].includes(path));
}

/** Compares the final policies on the test tasks that both were measured on. */
export function compareFinal(a: RecordedCampaign, b: RecordedCampaign): PairedComparison {
  if (isOfRelease010(a) && isOfRelease010(b)) return compareReports(measuredBySelection(a), measuredBySelection(b));
  const untested = [a, b].find(({ test }) => test === null);
  if (untested !== undefined) return incomparable(`${untested.id} has no test: ${noTestReasonOf(untested)}`);
  const [one, other] = [a.campaign.config.evaluation.seed, b.campaign.config.evaluation.seed];
  if (one !== other) return incomparable(`they were measured with other draws of tasks and users (evaluation.seed ${one} and ${other})`);
  return compareReports({ ...a, report: a.test?.final ?? null }, { ...b, report: b.test?.final ?? null });
}

interface MeasuredCampaign extends Pick<RecordedCampaign, "id" | "campaign"> {
  readonly report: EvaluationReport | null;
}

/** What 0.1.0 measured: on the tasks that chose, each campaign's seed of its own. */
const measuredBySelection = (campaign: RecordedCampaign): MeasuredCampaign => ({ ...campaign, report: finalSelectionOf(campaign) });

/** Two reports beside each other. Only tasks of the same data are the same tasks. */
function compareReports(a: MeasuredCampaign, b: MeasuredCampaign): PairedComparison {
  if (a.report === null || b.report === null) return incomparable("a campaign has measured nothing yet");
  if (a.campaign.dataSha256 !== b.campaign.dataSha256)
    return incomparable("their environments hold different data, so equal task ids are different tasks");
  const known = new Set(a.report.perTask.map(({ taskId }) => taskId));
  if (!b.report.perTask.some(({ taskId }) => known.has(taskId))) return incomparable("they were measured on no task in common");
  const clusters = clustersOf([a.report, b.report]);
  const [comparison] = comparePolicies(
    trialsOf(b.report, clusters),
    [{ against: a.id, policyHash: a.report.policyHash, results: trialsOf(a.report, clusters) }],
    { confidence: b.report.confidence, seed: deriveSeed("compare", a.id, b.id) },
  );
  if (comparison === undefined) return incomparable("nothing was compared");
  return { comparison, doNothingFloor: b.report.doNothingFloor, purpose: b.report.purpose, reason: null };
}

function incomparable(reason: string): PairedComparison {
  return { comparison: null, doNothingFloor: null, purpose: null, reason };
}

/** Cluster by task. A report of 0.1.0 does not know the users; the other one may. */
function clustersOf(reports: readonly EvaluationReport[]): ReadonlyMap<string, string> {
  const uninformedFirst = [...reports].sort((one, other) => Number(one.method === "clusters/1") - Number(other.method === "clusters/1"));
  return new Map(uninformedFirst.flatMap(({ perTask }) => perTask.map(({ taskId, cluster }) => [taskId, cluster] as const)));
}

function trialsOf({ perTask }: EvaluationReport, clusters: ReadonlyMap<string, string>): TaskResult[] {
  return perTask.map(({ taskId, cluster, kind, numPasses, trials }) => ({
    taskId,
    cluster: clusters.get(taskId) ?? cluster,
    kind,
    passes: Array.from({ length: trials }, (_, trial) => trial < numPasses),
  }));
}
