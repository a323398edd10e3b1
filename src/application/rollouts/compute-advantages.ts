// Turn rewards, returns and advantages of rollouts that are already there, for any trainer.
import type { AdvantagesReport } from "#contracts/advantages-report.ts";
import type { AdvantagesByPolicy } from "#contracts/by-policy.ts";
import { reportAdvantages } from "#core/advantage/report-advantages.ts";
import { type LabelledRequest, readLabelledFiles } from "./labelled-files.ts";

/** Of all rollouts together. Throws what reading and labelling throw. */
export async function computeAdvantages(files: readonly string[], request: LabelledRequest): Promise<AdvantagesReport> {
  return reportAdvantages(await readLabelledFiles(files, request));
}

/** Of each policy, as if its rollouts alone had been given. */
export async function computeAdvantagesByPolicy(files: readonly string[], request: LabelledRequest): Promise<AdvantagesByPolicy> {
  const labelled = await readLabelledFiles(files, request);
  const policies = Object.fromEntries(Array.from(labelled.byPolicy(), ([name, part]) => [name, reportAdvantages(part)]));
  return { schemaVersion: 1, by: "policy", reading: labelled.reading, policies };
}
