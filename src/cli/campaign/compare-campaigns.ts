// Two campaigns beside each other: what was set differently, and their promoted policies on the held-out tasks that both were measured on.

import type { RecordedCampaign } from "#adapters/history/load.ts";
import type { Estimate, EvaluationReport } from "#contracts/evaluation-report.ts";
import { evaluate } from "#core/evaluation/evaluate.ts";
import { deriveSeed } from "#core/rng.ts";

export interface SettingDifference {
  readonly path: string;
  readonly a: unknown;
  readonly b: unknown;
}

export interface PairedComparison {
  /** B's promoted policy minus A's: difference of pass^1, paired by task. Null when `reason` says why there is none. */
  readonly difference: Estimate | null;
  readonly numTasks: number;
  readonly numTasksBetter: number;
  readonly numTasksWorse: number;
  readonly reason: string | null;
}

/** Paths of the configs where the two differ, sorted; a missing value is undefined. The name does not count. */
export function differingSettings(a: RecordedCampaign, b: RecordedCampaign): SettingDifference[] {
  const [left, right] = [flatten(a.campaign.config), flatten(b.campaign.config)];
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort();
  return paths
    .map((path) => ({ path, a: left.get(path), b: right.get(path) }))
    .filter(({ path, a: one, b: other }) => !["name", "description"].includes(path) && JSON.stringify(one) !== JSON.stringify(other));
}

/** Nested values under dotted paths; arrays are values. */
export function flatten(value: unknown, prefix = ""): Map<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return new Map([[prefix, value]]);
  return new Map(Object.entries(value).flatMap(([name, entry]) => [...flatten(entry, prefix === "" ? name : `${prefix}.${name}`)]));
}

/** Compares the promoted policies (the base policy where none was promoted). Only tasks of the same data are the same tasks. */
export function comparePromoted(a: RecordedCampaign, b: RecordedCampaign): PairedComparison {
  const [left, right] = [promotedReport(a), promotedReport(b)];
  if (left === null || right === null) return incomparable("a campaign has no evaluation yet");
  if (a.campaign.dataSha256 !== b.campaign.dataSha256)
    return incomparable("their environments hold different data, so equal task ids are different tasks");
  const known = new Set(left.perTask.map(({ taskId }) => taskId));
  const numTasks = right.perTask.filter(({ taskId }) => known.has(taskId)).length;
  if (numTasks === 0) return incomparable("they have no held-out task in common");
  const report = evaluate({
    policyHash: right.policyHash,
    results: trialsOf(right),
    comparisons: [{ against: "promoted", policyHash: left.policyHash, results: trialsOf(left) }],
    confidence: right.confidence,
    resamples: right.bootstrapResamples,
    seed: deriveSeed("compare", a.id, b.id),
    doNothingFloor: right.doNothingFloor,
    stopReasons: {},
  });
  const [comparison] = report.comparisons;
  if (comparison === undefined) return incomparable("nothing was compared");
  return {
    difference: comparison.difference,
    numTasks,
    numTasksBetter: comparison.numTasksBetter,
    numTasksWorse: comparison.numTasksWorse,
    reason: null,
  };
}

function incomparable(reason: string): PairedComparison {
  return { difference: null, numTasks: 0, numTasksBetter: 0, numTasksWorse: 0, reason };
}

function promotedReport({ iterations }: RecordedCampaign): EvaluationReport | null {
  const promoted = iterations.findLast(({ manifest }) => manifest?.promotion === "promote");
  return (promoted ?? iterations.find(({ iteration }) => iteration === 0))?.report ?? null;
}

function trialsOf({ perTask }: EvaluationReport) {
  return perTask.map(({ taskId, kind, numPasses, trials }) => ({
    taskId,
    kind,
    passes: Array.from({ length: trials }, (_, trial) => trial < numPasses),
  }));
}
