// Every estimator of the list, and the one of docs/extending/estimator.md, under the laws of estimators.
import fc from "fast-check";
import { expect, test } from "vitest";
import { AdvantageConfig, type EstimatorId } from "#contracts/advantage-config.ts";
import { computeAdvantagesBy } from "#core/advantage/compute-advantages.ts";
import type { Estimator, EstimatorSettings } from "#core/advantage/estimator.ts";
import { ESTIMATORS } from "#core/advantage/estimators.ts";
import { enumerateTrajectories } from "#core/advantage/testbed/decision-tree.ts";
import { exactGradient, expectedGradientBy } from "#core/advantage/testbed/gradients.ts";
import { LeaveOneOutSettings, leaveOneOut } from "../../../../examples/estimators/leave-one-out.ts";
import { estimatorLaws } from "../../../laws/estimators.ts";
import { codeOf, textOf } from "../../../support/pages.ts";
import { anyTree } from "./testbed/any-tree.ts";

const TRIED: Readonly<Record<EstimatorId, readonly Readonly<Record<string, unknown>>[]>> = {
  "grpo/1": [{ normalizeByStd: false }, { singletons: "raw" }],
  "mt-grpo/1": [{ alpha: 0.7, lastTurnRewarded: false }, { missingTurns: "zero" }],
  "mt-grpo/2": [{ alpha: 0.7, truncated: "drop" }, { normalizeByStd: true }],
  "gtpo/1": [{ scope: "group" }, { gamma: 1, ddof: 0 }],
  "gtpo-hybrid/1": [{ scope: "group" }, { scope: "batch", truncated: "drop" }, { missingTurns: "zero", truncated: "mask" }],
  "gdpo/1": [{ truncated: "drop" }, { whiten: false }],
  "proxmo/1": [],
  "a3/1": [{ truncated: "mask" }],
};

for (const schema of AdvantageConfig.options) {
  const id = schema.shape.type.value;
  estimatorLaws({ estimator: ESTIMATORS[id] as unknown as Estimator<EstimatorSettings>, schema, settings: TRIED[id] });
}
estimatorLaws({ estimator: leaveOneOut, schema: LeaveOneOutSettings, settings: [{ gamma: 0.5 }, { truncated: "drop" }] });

test("every id of the list is the id of its estimator, and has its line in docs/estimators.md", () => {
  for (const [id, estimator] of Object.entries(ESTIMATORS)) {
    expect(estimator.id).toBe(id);
    expect(textOf("docs/estimators.md")).toContain(`\n| \`${id}\` |`);
  }
});

test("the estimator of docs/extending/estimator.md is the one that was tried, and has no bias on any tree", () => {
  expect(codeOf("docs/extending/estimator.md", "ts")).toBe(textOf("examples/estimators/leave-one-out.ts"));
  fc.assert(
    fc.property(
      anyTree.map(enumerateTrajectories).filter(({ length }) => length <= 8),
      fc.integer({ min: 2, max: 4 }),
      fc.constantFrom(1, 0.9, 0.5),
      (trajectories, groupSize, gamma) => {
        const settings = LeaveOneOutSettings.parse({ type: "leave-one-out/1", degenerateGroups: "keep", gamma });
        const { expected_D } = expectedGradientBy(
          trajectories,
          groupSize,
          (group) => computeAdvantagesBy(leaveOneOut, [group], settings).advantages[0] ?? [],
        );
        const true_D = exactGradient(trajectories, leaveOneOut.objective(settings));
        for (const [d, value] of expected_D.entries()) expect(Math.abs(value - (true_D[d] ?? Number.NaN))).toBeLessThan(1e-10);
      },
    ),
    { numRuns: 60 },
  );
});
