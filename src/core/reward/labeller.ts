// What a turn is, said by the environment: golden-action environments share one labeller, others bring their own.
import type { RewardTableFile, TierScheme } from "#contracts/reward-table.ts";
import type { ToldTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import type { LabelledTurn } from "./label-trajectory.ts";

/** A tier scheme as far as reward tables and calibration need it. */
export interface SchemeTiers {
  readonly tiers: readonly string[];
  /** Tiers that mean the same deed under different names. */
  readonly sameDeed: readonly (readonly string[])[];
  /** The table of `reward.table: default`: a name of configs/rewards, or values by tier (tiers left out are worth 0). */
  readonly defaultTable: string | Pick<RewardTableFile, "values" | "intendedSigns">;
}

export interface Labeller {
  /** The schemes that fit the environment, by id, e.g. `finer/1` or `calls/1`. */
  readonly schemes: Readonly<Record<string, SchemeTiers>>;
  /** Every turn of the trajectory, in order, by one of the schemes (or one of a person's own that splits it). Pure. */
  label(trajectory: Trajectory, task: ToldTask, scheme: TierScheme): readonly LabelledTurn[];
}
