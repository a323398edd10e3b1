// Fitting as the campaign does it: a rule on the tier statistics, then rounds that neutralize what the advantages do not follow.
import type { AdvantageConfig } from "#contracts/advantage-config.ts";
import type { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable, TierScheme } from "#contracts/reward-table.ts";
import type { ProposalRecord } from "#contracts/table-proposal.ts";
import { tierScheme } from "../reward/tiers.ts";
import { deriveSeed } from "../rng.ts";
import type { BootstrapOptions } from "../statistics/bootstrap.ts";
import { analyse, assessTable, describeSplit, type SplitFindings } from "./assess.ts";
import type { TaskRollouts } from "./buffer.ts";
import { type Deed, deedLayout, deedsOf } from "./deeds.ts";
import { type FittedTable, fitTable } from "./fit-table.ts";
import { RULES, type TierEvidence } from "./rules.ts";
import { sumRows, TIER, taskSums, tierOffset } from "./task-sums.ts";
import { turnAdvantages } from "./turn-advantages.ts";

/** What a fit depends on besides the fitting tasks. */
export interface FitInput {
  readonly scheme: TierScheme;
  /** Constant through a campaign: its values are the units, its signs are what is intended. */
  readonly authorTable: RewardTable;
  /** What stays where nothing is found out; the author's own until a fitted table is adopted. Of the same scheme. */
  readonly inForceTable: RewardTable;
  readonly config: CalibrationConfig;
  readonly advantage: AdvantageConfig;
  readonly seed: string;
  readonly iteration: number;
  readonly bufferSha256: string;
  /** What a model proposed, for the rule llm-proposed. */
  readonly proposal?: ProposalRecord;
}

export interface RefinedTable extends FittedTable {
  readonly neutralized: { readonly round: number; readonly tier: string }[];
}

/**
 * Fits on the fitting tasks, then looks at the advantages there: a deed that was revalued, but whose turns do not get the sign that
 * the value speaks for, becomes neutral, and so on until none is left or the rounds are used up. The judging tasks are not touched.
 */
export function fitInRounds(input: FitInput, tasks: readonly TaskRollouts[]): RefinedTable {
  const { config } = input;
  const scheme = tierScheme(input.scheme);
  const evidence = tierEvidence(input, tasks);
  const neutral = new Map<string, number>();
  const proposed = new Map(input.proposal?.proposal?.values.map(({ tier, value }) => [tier, value]));
  const refit = () => fitTable({ ...input, scheme, evidence, proposed, neutral: new Set(neutral.keys()) });
  let fitted = refit();
  const numRounds = RULES[config.rule].hasRounds ? config.maxRounds : 1;
  for (let round = 1; round < numRounds && fitted.revalued.length > 0; round += 1) {
    const unfollowed = findUnfollowed(input, tasks, fitted);
    if (unfollowed.length === 0) break;
    for (const tier of unfollowed) neutral.set(tier, round);
    fitted = refit();
  }
  const deeds = fittedDeeds(input);
  const tiersOf = (speaker: string) => deeds.find(([first]) => first === speaker) ?? [speaker];
  return { ...fitted, neutralized: [...neutral].flatMap(([speaker, round]) => tiersOf(speaker).map((tier) => ({ tier, round }))) };
}

export function fittedDeeds({ scheme, authorTable, config }: FitInput): Deed[] {
  return deedsOf(tierScheme(scheme), authorTable, config.rule);
}

/** Statistics of the fitting tasks by deed. Several are tested at once, so the risk of error is shared among them (Bonferroni). */
export function tierEvidence(input: FitInput, tasks: readonly TaskRollouts[]): TierEvidence[] {
  const { minSupport, confidence } = input.config;
  const layout = deedLayout(fittedDeeds(input));
  const sums = taskSums(tasks, layout);
  const totals = sumRows(sums);
  const numTested = layout.tiers.filter((_, tier) => (totals[tierOffset(tier) + TIER.support] ?? 0) >= minSupport).length;
  const options = { ...bootstrapOptions(input, "fit"), confidence: 1 - (1 - confidence) / Math.max(1, numTested) };
  return describeSplit(analyse("fit", sums, layout, { minTurns: minSupport }, options), layout).tiers.map(
    ({ tier, pooled, withinTask, support }) => ({
      tier,
      pooled: pooled.value,
      withinTask,
      support,
    }),
  );
}

/** Revalued deeds whose mean advantage has not certainly the intended sign on the fitting tasks. */
function findUnfollowed(input: FitInput, tasks: readonly TaskRollouts[], fitted: FittedTable): string[] {
  const layout = deedLayout(fittedDeeds(input), [fitted.table]);
  const findings = analyse(
    "fit",
    taskSums(tasks, layout, [turnAdvantages(tasks, fitted.table, input.advantage)]),
    layout,
    { minTurns: input.config.minSupport },
    bootstrapOptions(input, "fit"),
  );
  return assessTable(findings, layout, 0, ["fitted"])
    .tiers.filter(
      ({ tier, proxyAlignment, estimatorAlignment }) =>
        fitted.revalued.includes(tier) && (proxyAlignment !== "aligned" || estimatorAlignment !== "aligned"),
    )
    .map(({ tier }) => tier);
}

export function bootstrapOptions({ config, seed }: FitInput, split: SplitFindings["split"]): BootstrapOptions {
  return { resamples: config.bootstrapResamples, confidence: config.confidence, seed: deriveSeed(seed, split) };
}
