import type { AdvantageConfig } from "#contracts/advantage-config.ts";

/**
 * The estimator's id with all its switches, e.g. `gtpo-hybrid/1 gamma=0.9 lambda=0.3 …`: in the header of every batch. Equal settings give
 * equal text, in the order of the schema.
 */
export function describeEstimator({ type, ...switches }: AdvantageConfig): string {
  return [type, ...Object.entries(switches).map(([name, value]) => `${name}=${value}`)].join(" ");
}
