// How often the gate is right, on buffers whose truth is known (planted-rollouts.ts).
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { CalibrationConfig } from "#contracts/campaign-config.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import type { TestbedCell } from "#contracts/testbed-report.ts";
import { createRewardTable, signOfValue } from "../reward/reward-table.ts";
import { deriveSeed } from "../rng.ts";
import { calibrate } from "./calibrate.ts";
import { PLANTED, plantedRollouts } from "./planted-rollouts.ts";

export interface TestbedCase {
  readonly rule: TestbedCell["rule"];
  readonly numRollouts: number;
  /** "planted": the useful and the harmful tier have their effects; "null": no tier has any. */
  readonly world: "planted" | "null";
}

export interface TestbedOptions {
  readonly numSeeds: number;
  readonly resamples: number;
  /** 1: one split into fitting and judging tasks; more: cross-fitting. */
  readonly folds: number;
  readonly seed: string;
}

const GROUP_SIZE = 8;
const EFFECT = 2;
const DIFFICULTY_SPREAD = 1.2;

/** Knows the right signs of the two tiers that matter, and nothing about the others. */
const AUTHOR = createRewardTable({
  schemaVersion: 1,
  name: "testbed-author",
  scheme: "finer/1",
  values: { [PLANTED.useful]: 1, [PLANTED.harmful]: -0.1 },
});

/** Counts of decisions over many buffers of one case. Deterministic in the seed. */
export function runTestbedCase(
  testbedCase: TestbedCase,
  options: TestbedOptions,
  onProgress: (numDone: number) => void = () => undefined,
): TestbedCell {
  const cell: TestbedCell = {
    ...testbedCase,
    numSeeds: options.numSeeds,
    acceptRight: 0,
    acceptWrong: 0,
    rejectRight: 0,
    rejectWrong: 0,
    insufficientRight: 0,
    insufficientWrong: 0,
  };
  for (let i = 0; i < options.numSeeds; i += 1) {
    const { decision, isRight } = decide(testbedCase, options, deriveSeed(options.seed, testbedCase.world, testbedCase.numRollouts, i));
    cell[`${decision}${isRight ? "Right" : "Wrong"}`] += 1;
    onProgress(i + 1);
  }
  return cell;
}

function decide({ rule, numRollouts, world }: TestbedCase, { resamples, folds }: TestbedOptions, seed: string) {
  const effect = world === "planted" ? EFFECT : 0;
  const report = calibrate({
    rollouts: plantedRollouts({ numRollouts, groupSize: GROUP_SIZE, seed, effect, difficultySpread: DIFFICULTY_SPREAD }),
    scheme: "finer/1",
    authorTable: AUTHOR,
    inForceTable: AUTHOR,
    config: CalibrationConfig.parse({ rule, folds, bootstrapResamples: resamples }),
    advantage: AdvantageConfig.parse({ type: "gtpo-hybrid/1" }),
    seed,
    iteration: 0,
    bufferSha256: seed,
  });
  return { decision: report.gate.decision, isRight: world === "planted" && isRight(report.fittedTable) };
}

/** A table is right when it pays the useful tier, charges the harmful one, and is neutral on the two that do nothing. */
function isRight({ values }: RewardTable): boolean {
  const sign = (tier: string) => signOfValue(values[tier] ?? 0);
  return sign(PLANTED.useful) === 1 && sign(PLANTED.harmful) === -1 && sign(PLANTED.neutral) === 0 && sign(PLANTED.confounded) === 0;
}
