// Many simulated campaigns of one kind: how far what they report is from the truth.
import type { SelectionTestbedCell } from "#contracts/selection-testbed-report.ts";
import { createIndexGenerator } from "../../random.ts";
import { deriveSeed } from "../../rng.ts";
import { type SimulatedCampaign, type SimulationOptions, simulateCampaign } from "./simulate-campaign.ts";

export interface SelectionTestbedOptions extends SimulationOptions {
  readonly numCampaigns: number;
  readonly seed: string;
}

/** Deterministic in the seed; each campaign has a generator of its own. */
export function runSelectionTestbed(options: SelectionTestbedOptions): SelectionTestbedCell {
  const { size, world, rule, numCampaigns } = options;
  const campaigns = Array.from({ length: numCampaigns }, (_, i) =>
    simulateCampaign(options, createIndexGenerator(deriveSeed(options.seed, size.name, world, rule, i))),
  );
  const errors = campaigns.map(({ reported, truth }) => reported.passRate - reported.luck - truth.passRate);
  const flattery = campaigns.flatMap(({ selectionError }) => selectionError ?? []);
  return {
    size,
    world,
    rule,
    numCampaigns,
    reportedBias: mean(errors),
    reportedBiasError: Math.sqrt(mean(errors.map((error) => (error - mean(errors)) ** 2)) / numCampaigns),
    selectionBias: flattery.length === 0 ? null : mean(flattery),
    numExcludingZero: campaigns.filter(excludesZero).length,
    numCovering: campaigns.filter(covers).length,
    numWithTrueBest: campaigns.filter(({ isTrueBest }) => isTrueBest).length,
    meanGain: mean(campaigns.map(({ truth }) => truth.difference)),
    meanPromotions: mean(campaigns.map(({ numPromotions }) => numPromotions)),
  };
}

function excludesZero({ reported: { difference } }: SimulatedCampaign): boolean {
  return (difference.low ?? 0) > 0 || (difference.high ?? 0) < 0;
}

function covers({ reported, truth }: SimulatedCampaign): boolean {
  const { low, high } = reported.difference;
  return low === null || high === null || (low <= truth.difference && truth.difference <= high);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
