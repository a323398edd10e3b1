// The tables that the calibration rests on, made anew from rollouts, e.g. the public gpt-4o ones.
import { join } from "node:path";
import { loadRewardTable } from "#adapters/campaign-file/load-reward-table.ts";
import type { PaperTables } from "#contracts/paper-tables.ts";
import type { TierScheme } from "#contracts/reward-table.ts";
import { paperTables } from "#core/calibration/paper-tables.ts";
import { labelRollout } from "#core/reward/label-rollout.ts";
import { createToolCatalog, withSchemas } from "#core/reward/tool-catalogs.ts";
import { readFittingRollouts } from "../rollouts/labelled-files.ts";
import { REPOSITORY } from "../settings.ts";
import { type GateProgress, runGateTestbed, TESTBED_SIZES } from "./gate.ts";

/** As in docs/calibration.md. */
const TESTBED = { resamples: 300, folds: [1, 5], seed: "0" } as const;

export interface ReproduceRequest {
  /** Of the bootstrap over tasks. */
  readonly resamples: number;
  /** Random splits into fitting and judging tasks. */
  readonly splits: number;
  readonly seed: string;
  /** Simulated buffers of each kind; no testbed unless given. */
  readonly testbed?: number | undefined;
}

/** Throws what reading throws. */
export async function reproduceTables(
  files: readonly string[],
  { resamples, splits, seed, testbed: numSeeds }: ReproduceRequest,
  onProgress: (progress: GateProgress) => void,
): Promise<PaperTables> {
  const catalog = createToolCatalog({});
  const read = await readFittingRollouts(files, catalog, null);
  const label = (scheme: TierScheme) =>
    read.rollouts.map(({ task, trajectory, tools }) => labelRollout(trajectory, task, scheme, withSchemas(catalog, tools)));
  const load = (name: string, scheme: TierScheme) => loadRewardTable(join(REPOSITORY, "configs", "rewards"), name, scheme);
  const tables = paperTables({
    paperRollouts: label("paper/1"),
    finerRollouts: label("finer/1"),
    naive: await load("paper-naive-dense", "paper/1"),
    irc: await load("paper-irc", "paper/1"),
    finerPrior: await load("finer-prior", "finer/1"),
    finerStrict: await load("finer-strict", "finer/1"),
    bufferSha256: read.bufferSha256,
    resamples,
    numSplits: splits,
    seed,
  });
  const testbed =
    numSeeds === undefined ? [] : TESTBED.folds.map((folds) => runGateTestbed(TESTBED_SIZES, { ...TESTBED, folds, numSeeds }, onProgress));
  return { ...tables, testbed, reading: read.reading };
}
