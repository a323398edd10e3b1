// All statistics of a calibration report over a million turns, beside the same statistics written with pandas and numpy.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY, readSettings } from "#adapters/settings.ts";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import type { CalibrationReport } from "#contracts/calibration-report.ts";
import { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import { chooseJudges, groupByTask } from "#core/calibration/buffer.ts";
import { calibrate } from "#core/calibration/calibrate.ts";
import { PLANTED, plantedRollouts } from "#core/calibration/planted-rollouts.ts";
import { formatCount } from "#core/format.ts";
import type { LabelledRollout } from "#core/reward/label-rollout.ts";
import { createRewardTable } from "#core/reward/reward-table.ts";
import { tierScheme } from "#core/reward/tiers.ts";
import { type BenchmarkOptions, type BenchmarkReport, type BenchmarkRow, describeDevice } from "./report.ts";

const SEED = "bench";
const GROUP_SIZE = 8;
const GAMMA = 0.9;
const LAMBDA = 0.3;
const TIERS = tierScheme("finer/1").tiers;
const AUTHOR = createRewardTable({
  schemaVersion: 1,
  name: "author",
  scheme: "finer/1",
  values: { [PLANTED.useful]: 1, [PLANTED.harmful]: -0.1 },
});
/** Point values of ours and of the peer differ by no more than this, or the benchmark fails: it compares like with like. */
const TOLERANCE = 1e-6;

interface PeerResult {
  readonly seconds: number;
  readonly peakMib: number;
  readonly versions: string;
  readonly points: { readonly pooled: number[]; readonly within: number[]; readonly tables: Record<string, number>[] };
}

/** 200,000 rollouts (about a million turns) with 1,000 resamples; a tenth of both rollouts and resamples when quick. */
export async function run({ isQuick }: BenchmarkOptions): Promise<BenchmarkReport> {
  const [numRollouts, resamples] = isQuick ? [20_000, 100] : [200_000, 1000];
  const rollouts = plantedRollouts({ numRollouts, groupSize: GROUP_SIZE, seed: SEED, effect: 2, difficultySpread: 1.2 });
  const numTurns = rollouts.reduce((total, { turns }) => total + turns.length, 0);
  const start = performance.now();
  const report = calibrate({
    rollouts,
    scheme: "finer/1",
    authorTable: AUTHOR,
    inForceTable: AUTHOR,
    config: CalibrationConfig.parse({ bootstrapResamples: resamples }),
    advantage: AdvantageConfig.parse({ type: "gtpo-hybrid/1", gamma: GAMMA, lambda: LAMBDA }),
    seed: SEED,
    iteration: 0,
    bufferSha256: "0".repeat(64),
  });
  const seconds = (performance.now() - start) / 1000;
  const peakMib = process.resourceUsage().maxRSS / 1024;
  const peer = runPeer(rollouts, [AUTHOR, report.fittedTable], resamples);
  const difference = largestDifference(report, peer);
  if (difference > TOLERANCE) throw new Error(`ours and the peer's statistics differ by ${difference}`);
  const name = `${formatCount(numTurns)} turns, ${resamples} resamples`;
  const peerName = `${peer.versions}, one process, same machine`;
  return {
    benchmark: "calibration",
    device: describeDevice(),
    rows: [
      lowerIsBetter(`${name}: wall time`, "s", seconds, peer.seconds, peerName),
      lowerIsBetter(`${name}: peak memory`, "MiB", peakMib, peer.peakMib, peerName),
    ],
  };
}

function lowerIsBetter(name: string, unit: string, ours: number, peer: number, peerName: string): BenchmarkRow {
  return { case: name, unit, ours, peer, peerName, ratio: peer / ours };
}

function runPeer(rollouts: readonly LabelledRollout[], tables: readonly RewardTable[], resamples: number): PeerResult {
  const folder = mkdtempSync(join(tmpdir(), "turnwise-bench-"));
  try {
    writeArrays(folder, rollouts, tables);
    const script = join(REPOSITORY, "bench", "peers", "calibration_numpy.py");
    return JSON.parse(
      execFileSync(readSettings().python, [script, folder, String(resamples)], { encoding: "utf8", maxBuffer: 1 << 26 }),
    ) as PeerResult;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The buffer as flat arrays, tasks and rollouts in canonical order. Both sides judge on the same tasks. */
function writeArrays(folder: string, rollouts: readonly LabelledRollout[], tables: readonly RewardTable[]): void {
  const tasks = groupByTask(rollouts);
  const ordered = tasks.flatMap((task) => task.rollouts);
  const taskOf = new Map(tasks.map((task, position) => [task.taskId, position]));
  const turns = ordered.flatMap((rollout, position) =>
    rollout.turns.map(({ tier }, index) => ({ position, tier: TIERS.indexOf(tier), index })),
  );
  const write = (name: string, values: Int32Array | Float64Array) =>
    writeFileSync(join(folder, `${name}.bin`), new Uint8Array(values.buffer));
  write(
    "rollout",
    Int32Array.from(turns, ({ position }) => position),
  );
  write(
    "tier",
    Int32Array.from(turns, ({ tier }) => tier),
  );
  write(
    "index",
    Int32Array.from(turns, ({ index }) => index),
  );
  write(
    "task",
    Int32Array.from(ordered, ({ taskId }) => taskOf.get(taskId) ?? 0),
  );
  write(
    "outcome",
    Float64Array.from(ordered, ({ outcome }) => outcome),
  );
  write("judge", Int32Array.from(chooseJudges(tasks, CalibrationConfig.parse({}).holdout, SEED), Number));
  const meta = {
    tiers: TIERS,
    values: tables.map(({ values }) => TIERS.map((tier) => values[tier])),
    signs: tables.map(({ intendedSigns }) => TIERS.map((tier) => intendedSigns[tier])),
    gamma: GAMMA,
    lambda: LAMBDA,
  };
  writeFileSync(join(folder, "meta.json"), JSON.stringify(meta));
}

/** Over point values that both have, on all tasks. */
function largestDifference({ splits, assessments }: CalibrationReport, { points }: PeerResult): number {
  const all = splits.find(({ split }) => split === "all");
  const pairs: [number | null, number | undefined][] = [
    ...(all?.tiers ?? []).flatMap(({ pooled, withinTask }, c): [number | null, number | undefined][] => [
      [pooled.value, points.pooled[c]],
      [withinTask.value, points.within[c]],
    ]),
    ...assessments
      .filter(({ split }) => split === "all")
      .flatMap((one, table): [number | null, number | undefined][] => {
        const peer = points.tables[table] ?? {};
        return [
          [one.turnMisalignment.value, peer["turnMisalignment"]],
          [one.deadTurns.value, peer["deadTurns"]],
          [one.advantageOutcome.value, peer["advantageOutcome"]],
          [one.rewardOutcomePooled.value, peer["rewardOutcomePooled"]],
          [one.rewardOutcomeWithinTask.value, peer["rewardOutcomeWithinTask"]],
          [one.discriminativeAccuracy.value, peer["discriminativeAccuracy"]],
          [one.advantageCorrelation.value, peer["advantageCorrelation"]],
        ];
      }),
  ];
  return Math.max(...pairs.map(([ours, peer]) => (ours === null ? 0 : Math.abs(ours - (peer ?? Number.NaN)))));
}
