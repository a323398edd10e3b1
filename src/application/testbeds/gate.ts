// The testbed of the calibration gate: both rules, with and without effects, over sizes of buffers.
import type { TestbedReport } from "#contracts/testbed-report.ts";
import { runTestbedCase, type TestbedCase, type TestbedOptions } from "#core/calibration/testbed.ts";

/** Sizes of the published table: rollouts per buffer. */
export const TESTBED_SIZES = [100, 200, 500, 1000, 2000, 5000];

/** Where a testbed is: `numDone` of `numSeeds` buffers of a case. */
export interface GateProgress extends TestbedCase {
  readonly index: number;
  readonly numCases: number;
  readonly numDone: number;
  readonly numSeeds: number;
}

export function runGateTestbed(
  sizes: readonly number[],
  options: TestbedOptions,
  onProgress: (progress: GateProgress) => void,
): TestbedReport {
  const cases: TestbedCase[] = (["within-task", "algorithm-1"] as const).flatMap((rule) =>
    (["planted", "null"] as const).flatMap((world) => sizes.map((numRollouts) => ({ rule, world, numRollouts }))),
  );
  const { seed, resamples, folds, numSeeds } = options;
  const cells = cases.map((one, index) =>
    runTestbedCase(one, options, (numDone) => onProgress({ ...one, index, numCases: cases.length, numDone, numSeeds })),
  );
  return { schemaVersion: 1, seed, resamples, folds, cells };
}
