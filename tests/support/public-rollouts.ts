// The published gpt-4o airline rollouts of tau-bench, where the benchmark's data is at hand.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ImportedRollout } from "#adapters/rollout-files/imported-rollouts.ts";
import { importRolloutText } from "#adapters/rollout-files/read-rollouts.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import type { TierScheme } from "#contracts/reward-table.ts";
import { type LabelledRollout, labelRollout } from "#core/reward/label-rollout.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";

export const TAU_BENCH = resolve(process.env["TURNWISE_TAU_BENCH"] ?? join(REPOSITORY, "../shared/tau-bench"));
export const PUBLIC_ROLLOUTS = join(TAU_BENCH, "trajectories/gpt-4o-airline.json");
export const hasPublicRollouts = existsSync(PUBLIC_ROLLOUTS);
/** For the name of a skipped suite: why it was skipped. */
export const WHY_SKIPPED = hasPublicRollouts ? "" : ` (skipped: no ${PUBLIC_ROLLOUTS}; set TURNWISE_TAU_BENCH)`;

const CATALOG = createToolCatalog({});

export function importPublicRollouts(): readonly ImportedRollout[] {
  return importRolloutText("gpt-4o", readFileSync(PUBLIC_ROLLOUTS, "utf8"), CATALOG).rollouts;
}

export function labelPublicRollouts(scheme: TierScheme): LabelledRollout[] {
  return importPublicRollouts().map(({ task, trajectory }) => labelRollout(trajectory, task, scheme, CATALOG));
}
