// The testbed of promotion and test: the sizes of campaign files, every rule.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { loadCampaignFile } from "#adapters/campaign-file/load-campaign-file.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import {
  type CampaignSize,
  type SelectionTestbedCell,
  type SelectionTestbedReport,
  SimulatedRule,
  SimulatedWorld,
} from "#contracts/selection-testbed-report.ts";
import { runSelectionTestbed } from "#core/evaluation/testbed/selection-testbed.ts";
import { REPOSITORY } from "../settings.ts";

export interface SelectionTestbedSettings {
  readonly numCampaigns: number;
  readonly tasksPerUser: number;
  /** In place of the files' own. */
  readonly margin: number | null;
  readonly seed: string;
}

const SHIPPED = join(REPOSITORY, "configs", "campaigns");
const CONFIDENCE = 0.95;

/** Twenty policies and a benchmark's twenty tasks: how far a result can be off that is measured where it was selected. */
const SMALL_BENCHMARK: CampaignSize = {
  name: "20 policies, 20 tasks",
  candidates: 20,
  selection: { tasks: 20, trials: 4 },
  test: { tasks: 20, trials: 4 },
  margin: 0.1,
};

/** Sizes of the files that have a test, or of all shipped ones and of a small benchmark. */
export async function campaignSizes(files: readonly string[]): Promise<CampaignSize[]> {
  const isShipped = files.length === 0;
  const paths = isShipped ? (await readdir(SHIPPED)).sort().map((name) => join(SHIPPED, name)) : files;
  const sizes = (await Promise.all(paths.map((path) => loadCampaignFile(path)))).flatMap((config) => sizeOf(config) ?? []);
  return isShipped ? [SMALL_BENCHMARK, ...sizes] : sizes;
}

type Case = Pick<SelectionTestbedCell, "size" | "world" | "rule">;

/** Called before each case. */
export type OnCase = (one: Case, index: number, numCases: number) => void;

/** Every rule where something is selected, in every world; one case where nothing is. */
export function runSelectionTestbeds(
  sizes: readonly CampaignSize[],
  settings: SelectionTestbedSettings,
  onCase: OnCase,
): SelectionTestbedReport {
  const { numCampaigns, tasksPerUser, margin, seed } = settings;
  const cases = sizes.flatMap((size) =>
    SimulatedWorld.options.flatMap((world) =>
      rulesFor(size).map((rule) => ({ size: { ...size, margin: margin ?? size.margin }, world, rule })),
    ),
  );
  const cells = cases.map((one, index) => {
    onCase(one, index, cases.length);
    return runSelectionTestbed({ ...one, numCampaigns, tasksPerUser, confidence: CONFIDENCE, seed });
  });
  return { schemaVersion: 1, seed, confidence: CONFIDENCE, tasksPerUser, cells };
}

function rulesFor({ selection }: CampaignSize): readonly SimulatedRule[] {
  return selection === null ? ["none"] : SimulatedRule.options;
}

/** Null for a campaign without a test, which reports nothing. One without selection is simulated with one as large as its test. */
function sizeOf({ name, selection, test, stop }: CampaignConfig): CampaignSize | null {
  if (test === null) return null;
  const measured = selection === null ? null : { tasks: selection.tasks, trials: selection.trials };
  return { name, candidates: stop.maxIterations, selection: measured, test, margin: selection?.margin ?? 0 };
}
