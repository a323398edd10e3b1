// Where two configs differ, by the dotted paths of a campaign file.
import type { CampaignConfig } from "#contracts/campaign-config.ts";

export interface SettingDifference {
  readonly path: string;
  readonly a: unknown;
  readonly b: unknown;
}

/** Sorted by path; a missing value is undefined. */
export function differencesOf(a: CampaignConfig, b: CampaignConfig): SettingDifference[] {
  const [left, right] = [flatten(a), flatten(b)];
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort();
  return paths
    .map((path) => ({ path, a: left.get(path), b: right.get(path) }))
    .filter(({ a: one, b: other }) => JSON.stringify(one) !== JSON.stringify(other));
}

/** Nested values under dotted paths; arrays are values. */
export function flatten(value: unknown, prefix = ""): Map<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return new Map([[prefix, value]]);
  return new Map(Object.entries(value).flatMap(([name, entry]) => [...flatten(entry, prefix === "" ? name : `${prefix}.${name}`)]));
}

const MOST_NAMED = 8;

/** `seed is 1 there and 2 here; …`: `there` is the config of the record, `here` the one that was given. */
export function describeDifferences(there: CampaignConfig, here: CampaignConfig): string {
  const say = (value: unknown) => (value === undefined ? "not set" : JSON.stringify(value));
  const all = differencesOf(there, here).map(({ path, a, b }) => `${path} is ${say(a)} there and ${say(b)} here`);
  const more = all.length > MOST_NAMED ? [`and ${all.length - MOST_NAMED} more`] : [];
  return [...all.slice(0, MOST_NAMED), ...more].join("; ");
}
