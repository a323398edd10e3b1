// The labeller of environments whose tasks have golden actions: calls are compared with them, and writes by what they do.
import type { BuiltInTierScheme } from "#contracts/reward-table.ts";
import type { Environment } from "../environment/environment.ts";
import { labelTrajectory, type ToolCatalog } from "./label-trajectory.ts";
import type { LabelledScheme, Labeller } from "./labeller.ts";
import { tierScheme } from "./tiers.ts";

/** The author's tables of configs/rewards that a scheme begins with. */
const GOLDEN_TABLES: Readonly<Record<BuiltInTierScheme, string>> = {
  "finer/1": "finer-prior",
  "paper/1": "paper-naive-dense",
  "grounded/1": "grounded-prior",
};

const SCHEMES: Labeller["schemes"] = Object.fromEntries(
  Object.entries(GOLDEN_TABLES).map(([id, defaultTable]): [string, LabelledScheme] => {
    const { tiers, sameDeed } = tierScheme(id as BuiltInTierScheme);
    return [id, { tiers, sameDeed, defaultTable }];
  }),
);

/** With a catalog of tools alone the effect of a write stays unknown. */
export function goldenLabeller(environment: Environment | ToolCatalog): Labeller {
  return { schemes: SCHEMES, label: (trajectory, task, scheme) => labelTrajectory(trajectory, task, scheme, environment) };
}
