import { describe, expect, test } from "vitest";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { describeEstimator } from "#core/advantage/describe-estimator.ts";

describe("the description of an estimator in a batch", () => {
  test("is what release 0.1.0 wrote, so that a batch which is made again has the same bytes", () => {
    expect(describeEstimator(AdvantageConfig.parse({ type: "gtpo-hybrid/1", lambda: 0.3, gamma: 0.9 }))).toBe(
      "gtpo-hybrid/1 gamma=0.9 lambda=0.3 terminal=virtual scope=turn ddof=1 epsilon=0.000001 minSetSize=2 degenerateGroups=outcome_only truncated=zero singletons=zero missingTurns=leave-out",
    );
  });

  test.each(AdvantageConfig.options.map((option) => option.shape.type.value))("%s: depends on every switch and on no order", (type) => {
    const config = AdvantageConfig.parse({ type });
    const names = describeEstimator(config)
      .split(" ")
      .slice(1)
      .map((part) => part.split("=")[0]);
    expect(["type", ...names]).toEqual(Object.keys(config));
    const reversed = AdvantageConfig.parse(Object.fromEntries(Object.entries(config).reverse()));
    expect(describeEstimator(reversed)).toBe(describeEstimator(config));
  });
});
