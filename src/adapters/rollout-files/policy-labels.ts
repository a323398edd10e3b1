// What the policies of a buffer are called, so that two that differ never stand under one name.
import { sha256Hex } from "#core/canonical-json.ts";
import type { ImportedRollout } from "./imported-rollouts.ts";

export const SETTINGS_NOTE = "policies of one name whose model's arguments or policy text differ: told apart by a mark";
const MARK = /#[0-9a-f]{6}$/;

/**
 * The label of each rollout's policy: its name, with its hash where policies of several hashes have that name, and with a mark where
 * their settings differ. Policy texts are compared within a set of tasks, since every domain has its own.
 */
export function policyLabels(rollouts: readonly ImportedRollout[]): string[] {
  const groups = Map.groupBy(rollouts, ({ trajectory }) => trajectory.policy.name);
  const labelOf = new Map(Array.from(groups, ([name, members]) => [name, labeller(name, members)]));
  return rollouts.map((rollout) => labelOf.get(rollout.trajectory.policy.name)?.(rollout) ?? rollout.trajectory.policy.name);
}

/** How many of the labels have a mark. */
export function numMarked(labels: readonly string[]): number {
  return new Set(labels.filter((label) => MARK.test(label))).size;
}

function labeller(name: string, members: readonly ImportedRollout[]): (rollout: ImportedRollout) => string {
  const hasHashes = new Set(members.map(({ trajectory }) => trajectory.policy.hash)).size > 1;
  const differing = differingSettings(members);
  return (rollout) => {
    const { hash } = rollout.trajectory.policy;
    const label = hasHashes && hash !== "unknown" ? `${name}@${hash.slice(0, 8)}` : name;
    const own = settingsOf(rollout).filter(([aspect]) => differing.has(aspect));
    return own.length === 0 ? label : `${label}#${sha256Hex(JSON.stringify(own)).slice(0, 6)}`;
  };
}

/** The aspects of which the members tell more than one value. */
function differingSettings(members: readonly ImportedRollout[]): Set<string> {
  const values = Map.groupBy(members.flatMap(settingsOf), ([aspect]) => aspect);
  return new Set([...values].flatMap(([aspect, told]) => (new Set(told.map(([, value]) => value)).size > 1 ? [aspect] : [])));
}

function settingsOf({ told, trajectory }: ImportedRollout): [aspect: string, value: string][] {
  const domain = told?.known["taskSet"] ?? trajectory.environment;
  return Object.entries(told?.policySettings ?? {}).map(([what, value]) => [what === "prompt" ? `prompt of ${domain}` : what, value]);
}
