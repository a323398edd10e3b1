// The analysis that this project rests on, as tables: tier effects, estimators, hand-set and fitted rewards on held-out tasks.
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { EstimatorRow, PaperTables } from "#contracts/paper-tables.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { countDoubtfulCalls, type LabelledRollout } from "../reward/label-rollout.ts";
import { tierScheme } from "../reward/tiers.ts";
import type { BootstrapOptions } from "../statistics/bootstrap.ts";
import { analyse, assessTable, describeSplit } from "./assess.ts";
import { groupByTask } from "./buffer.ts";
import { compareHeldOut, type HeldOutMethod } from "./held-out.ts";
import { taskSums } from "./task-sums.ts";
import { type TurnAdvantages, turnAdvantages } from "./turn-advantages.ts";

export interface PaperTablesInput {
  /** The same rollouts, labelled with the published tiers and with the finer ones. */
  readonly paperRollouts: readonly LabelledRollout[];
  readonly finerRollouts: readonly LabelledRollout[];
  readonly naive: RewardTable;
  readonly irc: RewardTable;
  readonly finerPrior: RewardTable;
  readonly finerStrict: RewardTable;
  readonly bufferSha256: string;
  readonly resamples: number;
  readonly numSplits: number;
  readonly seed: string;
}

/** Groups whose outcomes are all equal are kept, as published. */
const estimator = (config: Record<string, unknown>) => AdvantageConfig.parse({ degenerateGroups: "keep", ...config });
const HYBRID = estimator({ type: "gtpo-hybrid/1" });
const SHARE_OF_JUDGES = 0.2;

/** The published check looks at A^I + lambda A^O: the turn's own reward and the outcome, nothing of the turns after it. */
function ofTheTurnAlone(advantages: TurnAdvantages): TurnAdvantages {
  const { immediate, outcome, lambda } = advantages;
  const estimator = immediate.map((group, p) => group.map((turns, i) => turns.map((value) => value + lambda * (outcome[p]?.[i] ?? 0))));
  return { ...advantages, estimator };
}

export function paperTables(input: PaperTablesInput): Omit<PaperTables, "testbed"> {
  const { naive, irc, finerPrior, finerStrict } = input;
  const options: BootstrapOptions = { resamples: input.resamples, confidence: 0.95, seed: input.seed };
  const rolloutsOf = (table: RewardTable) => (table.scheme === "paper/1" ? input.paperRollouts : input.finerRollouts);
  const assess = (
    table: RewardTable,
    advantage: AdvantageConfig,
    bootstrapOptions: BootstrapOptions = { ...options, resamples: 1 },
    look: (advantages: TurnAdvantages) => TurnAdvantages = (advantages) => advantages,
  ) => {
    const tasks = groupByTask(rolloutsOf(table));
    const layout = { tiers: tierScheme(table.scheme).tiers, tables: [table] };
    const sums = taskSums(tasks, layout, [look(turnAdvantages(tasks, table, advantage))]);
    const findings = analyse("all", sums, layout, { minTurns: 1 }, bootstrapOptions);
    return { split: describeSplit(findings, layout), assessment: assessTable(findings, layout, 0, ["author"]) };
  };
  const estimatorRow = (
    name: string,
    table: RewardTable,
    config: Record<string, unknown>,
    look?: (advantages: TurnAdvantages) => TurnAdvantages,
  ): EstimatorRow => {
    const { assessment } = assess(table, estimator(config), undefined, look);
    return {
      name,
      table: table.name,
      mismatchedTiers: assessment.tiers.filter((tier) => tier.isEstimatorMismatch).map(({ tier }) => tier),
      advantageOutcome: assessment.advantageOutcome.value,
      deadTurns: assessment.deadTurns.value,
      turnMisalignment: assessment.turnMisalignment.value,
    };
  };
  const method = (name: string, prior: RewardTable, rule: HeldOutMethod["rule"]): HeldOutMethod => ({
    name,
    prior,
    rule,
    rollouts: rolloutsOf(prior),
  });
  return {
    schemaVersion: 1,
    bufferSha256: input.bufferSha256,
    numDoubtfulCalls: countDoubtfulCalls(input.finerRollouts),
    paperTiers: assess(naive, HYBRID, options).split,
    finerTiers: assess(finerPrior, HYBRID, options).split,
    estimators: [
      estimatorRow("GRPO (sparse)", naive, { type: "grpo/1" }),
      estimatorRow("A^I + A^O, of the turn alone", naive, { type: "mt-grpo/1" }, ofTheTurnAlone),
      estimatorRow("MT-GRPO", naive, { type: "mt-grpo/1" }),
      estimatorRow("GTPO", naive, { type: "gtpo/1" }),
      estimatorRow("hybrid", naive, { type: "gtpo-hybrid/1" }),
      estimatorRow("hybrid", irc, { type: "gtpo-hybrid/1" }),
      estimatorRow("MT-GRPO", irc, { type: "mt-grpo/1" }),
      estimatorRow("hybrid, all turns of the group together", irc, { type: "gtpo-hybrid/1", scope: "group" }),
      ...[0, 0.1, 0.3, 0.5, 1].map((lambda) => estimatorRow(`hybrid, lambda ${lambda}`, irc, { type: "gtpo-hybrid/1", lambda })),
    ],
    handSet: [naive, irc, finerPrior, finerStrict].map((table) => {
      const { assessment } = assess(table, HYBRID);
      return {
        name: table.name,
        discriminativeAccuracy: assessment.discriminativeAccuracy.value,
        rewardOutcomeWithinTask: assessment.rewardOutcomeWithinTask.value,
      };
    }),
    heldOut: compareHeldOut(
      [
        method("naive dense (V5), not fitted", naive, null),
        method("calibrated as published, not fitted", irc, null),
        method("algorithm 1: pooled, seven tiers", naive, "algorithm-1"),
        method("within task, seven tiers", naive, "within-task/1"),
        method("pooled, finer tiers", finerPrior, "algorithm-1"),
        method("within task, finer tiers", finerPrior, "within-task/1"),
        method("finer prior, not fitted", finerPrior, null),
        method("finer strict, not fitted", finerStrict, null),
        method("within task, finer tiers, on the author's scale", finerPrior, "within-task"),
      ],
      {
        numSplits: input.numSplits,
        numJudges: Math.max(1, Math.round(SHARE_OF_JUDGES * groupByTask(input.paperRollouts).length)),
        seed: input.seed,
        config: CalibrationConfig.parse({}),
        advantage: HYBRID,
      },
    ),
  };
}
