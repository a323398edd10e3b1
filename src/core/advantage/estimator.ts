// What an advantage estimator is: a pure function under a versioned id that says what it reads, what it follows and what it promises.
// `ESTIMATORS` (estimators.ts) is the one list of them; tests/laws/estimators.ts is what each must do.
import type { AdvantageConfig, EstimatorId } from "#contracts/advantage-config.ts";
import type { PreparedGroup } from "./groups.ts";
import type { SetCounts } from "./normalization.ts";

/** What every estimator is set by: its id, and which groups and rollouts take part. The rest is its own. */
export type EstimatorSettings = { readonly type: string } & Pick<AdvantageConfig, "truncated" | "degenerateGroups">;
export type SettingsOf<Id extends EstimatorId> = Extract<AdvantageConfig, { type: Id }>;

/** What an estimator reads beside the outcomes. Rollouts that lack actions or observations are refused before it is asked. */
export type Need = "turn-rewards" | "actions" | "observations";

/** Credit of every turn in units of rewards and outcomes: no mean, no deviation. Its expected gradient is that of an objective. */
export type Objective = (rollout: { readonly rewards_T: readonly number[]; readonly outcome: number }) => readonly number[];

/** What holds for all groups in which nobody is cut off, whatever they hold. null: nothing is promised. */
export interface EstimatorPromises {
  /** Where advantages sum to 0 over the rollouts of a group: at each turn, over those that reached it; or at the first turn alone. */
  readonly zeroSum: "every-turn" | "first-turn" | null;
  /** What becomes of advantages when all turn rewards and outcomes are multiplied by one positive number (up to epsilon). */
  readonly scale: "invariant" | "proportional" | null;
}

export interface Estimator<Settings extends EstimatorSettings> {
  /** `name/version`. Names one formula for ever; a changed formula is a new version. */
  readonly id: Settings["type"];
  readonly needs: readonly Need[];
  promises(settings: Settings): EstimatorPromises;
  /** What it sets out to follow, with its discounts and weights. The testbed holds its expected gradient against this. */
  objective(settings: Settings): Objective;
  /** advantages_PGT of the groups, in their order and shape. A function of its arguments, but for what it adds to `counts`. */
  estimate(groups: readonly PreparedGroup[], settings: Settings, counts: SetCounts): number[][][];
}

/** Sets of one value that are given raw break every promise about means and scales. */
export function unlessRaw(singletons: "zero" | "raw", promises: EstimatorPromises): EstimatorPromises {
  return singletons === "raw" ? { zeroSum: null, scale: null } : promises;
}
