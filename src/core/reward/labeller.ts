// What a turn is, said by the environment: golden-action environments share one labeller, others bring their own.
import { BuiltInTierScheme, type NamedTierScheme, type RewardTableFile, type TierScheme } from "#contracts/reward-table.ts";
import type { ToldTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { CampaignError } from "../errors.ts";
import type { LabelledTurn } from "./label-trajectory.ts";
import type { SchemeTiers } from "./tier-scheme.ts";

/** A tier scheme that a labeller knows. */
export interface LabelledScheme extends Pick<SchemeTiers, "tiers" | "sameDeed"> {
  /** The table that a campaign begins with which names none: a name of configs/rewards, or values by tier (tiers left out are worth 0). */
  readonly defaultTable: string | Pick<RewardTableFile, "values" | "intendedSigns">;
}

export interface Labeller {
  /** The schemes that fit the environment, by id, e.g. `finer/1` or `calls/1`. */
  readonly schemes: Readonly<Record<string, LabelledScheme>>;
  /** Every turn of the trajectory, in order, by one of the schemes (or one of a person's own that splits it). Pure. */
  label(trajectory: Trajectory, task: ToldTask, scheme: TierScheme): readonly LabelledTurn[];
  /** The program that a rollout wrote, for credit where it comes near to one that passed; empty when it wrote none. Absent where there are no programs. */
  readonly program?: (trajectory: Trajectory) => string;
}

/** The scheme that a campaign file names, and what it begins with. Throws config.invalid when the labeller has none of that name. */
export function schemeOf(
  named: NamedTierScheme,
  { schemes }: Labeller,
): { scheme: TierScheme; defaultTable: LabelledScheme["defaultTable"] } {
  const id = typeof named === "string" ? named : named.base;
  const known = schemes[id];
  if (known === undefined) {
    throw new CampaignError("config.invalid", `the environment has no tier scheme ${id}; there are ${Object.keys(schemes).join(", ")}`, {
      next: "set reward.tiers to one of these",
    });
  }
  const { tiers, sameDeed, defaultTable } = known;
  if (typeof named !== "string") return { scheme: named, defaultTable };
  const builtIn = BuiltInTierScheme.safeParse(id);
  const own = { id, tiers: [...tiers], sameDeed: sameDeed.map((deed) => [...deed]) };
  return { scheme: builtIn.success ? builtIn.data : own, defaultTable };
}
