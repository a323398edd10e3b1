// What a campaign of the record came to, said once for the tables, the terminal and MLflow: its policies, its result or why there is none,
// what it cost and how long it took.
import type { Estimate, EvaluationReport, PolicyComparison } from "#contracts/evaluation-report.ts";
import type { Meters } from "#contracts/meters.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { NO_TEST_IN_0_1_0 } from "#contracts/upcast/manifests.ts";
import { addMeters, NO_METERS, sumMeters } from "#core/campaign/meters.ts";
import type { RecordedCampaign, RecordedIteration } from "./load.ts";

export const passRateOf = (report: EvaluationReport | null): Estimate | null => report?.passHatK.find(({ k }) => k === 1)?.estimate ?? null;

export const comparisonOf = (report: EvaluationReport | null, against: string): PolicyComparison | null =>
  report?.comparisons.find((comparison) => comparison.against === against) ?? null;

/** The policy that the campaign ended with, or has promoted last, and the iteration that trained it; 0 is the base policy. */
export function finalPolicyOf({ campaign, end, iterations }: RecordedCampaign): { policy: PolicyRef; iteration: number } {
  const promoted = iterations.findLast(({ manifest }) => manifest?.promotion === "promote");
  const policy = end?.finalPolicy ?? promoted?.manifest?.policyAfter ?? campaign.basePolicy;
  return { policy, iteration: end?.finalIteration ?? promoted?.iteration ?? 0 };
}

/** The selection report of the iteration that trained the final policy. It chose that policy: it is not the result. */
export function finalSelectionOf(campaign: RecordedCampaign): EvaluationReport | null {
  const { iteration: number } = finalPolicyOf(campaign);
  return campaign.iterations.find(({ iteration }) => iteration === number)?.report ?? null;
}

/** Whether its figures are of 0.1.0, which measured on the tasks that chose. */
export function isOfRelease010({ campaign, iterations }: RecordedCampaign): boolean {
  return campaign.config.test === null && iterations.some(({ report }) => report?.method === "bootstrap-tasks/1");
}

/** Why a campaign has no result; null when it has one. */
export function noTestReasonOf(recorded: RecordedCampaign): string | null {
  const { campaign, end, test } = recorded;
  if (test !== null) return null;
  if (isOfRelease010(recorded)) return NO_TEST_IN_0_1_0;
  if (end !== null) return end.noTestReason ?? "the record does not hold the test that its end names";
  return campaign.config.test === null ? "its config has test: null" : "the test is opened once, when the campaign ends";
}

/** What the campaign itself used in committed work; a fork's inherited iterations are its parent's. */
export function metersOf({ id, iterations, test }: RecordedCampaign): Meters {
  const own = iterations.filter(({ owner }) => owner === id).map(metersOfIteration);
  return addMeters(sumMeters(own), test?.stage.meters ?? NO_METERS);
}

/** What a fork's inherited iterations used: its parent has paid for them. */
export function inheritedMetersOf({ id, iterations }: RecordedCampaign): Meters {
  return sumMeters(iterations.filter(({ owner }) => owner !== id).map(metersOfIteration));
}

/** Of an iteration that is not complete: of its committed stages. */
export function metersOfIteration({ manifest, stages }: RecordedIteration): Meters {
  return manifest?.meters ?? sumMeters(stages.map(({ meters }) => meters));
}

/** Rollouts of committed stages, the inherited ones left out. */
export function numRolloutsOf({ id, iterations, test }: RecordedCampaign): number {
  const own = iterations.filter(({ owner }) => owner === id);
  const trained = own.flatMap(({ stages }) => stages.map(({ metrics }) => metrics["rollout/rollouts"] ?? 0));
  const reports = [...own.map(({ report }) => report), ...testReports({ test }).map(({ report }) => report)];
  const measured = reports.flatMap((report) => report?.perTask.map(({ trials }) => trials) ?? []);
  return [...trained, ...measured].reduce((sum, count) => sum + count, 0);
}

/** The reports of the test under the iterations that made their policies: one where the final policy is the base policy. */
export function testReports({ test }: Pick<RecordedCampaign, "test">): { iteration: number; report: EvaluationReport }[] {
  if (test === null) return [];
  const base = { iteration: 0, report: test.base };
  return test.stage.iteration === 0 ? [base] : [base, { iteration: test.stage.iteration, report: test.final }];
}

/** Seconds from creation to the end, or to the last iteration of its own that is committed. */
export function wallSecondsOf({ id, campaign, end, iterations }: RecordedCampaign): number {
  const own = iterations.filter(({ owner, manifest }) => owner === id && manifest !== null);
  const last = end?.finishedAt ?? own.at(-1)?.manifest?.finishedAt ?? campaign.createdAt;
  return Math.max(0, (Date.parse(last) - Date.parse(campaign.createdAt)) / 1000);
}

/** Of its own committed iterations, without pauses; null where nothing counted it (0.1.0). */
export function runningSecondsOf({ id, iterations }: RecordedCampaign): number | null {
  const seconds = iterations.reduce((sum, { owner, manifest }) => sum + (owner === id ? (manifest?.runningSeconds ?? 0) : 0), 0);
  return seconds === 0 ? null : seconds;
}
