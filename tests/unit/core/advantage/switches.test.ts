import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { StoredAdvantageConfig, upcastAdvantage } from "#contracts/upcast/advantage.ts";
import { computeAdvantages } from "#core/advantage/compute-advantages.ts";
import { SWITCH_VALUES } from "../../../laws/estimators.ts";
import { anyGroups } from "./any-groups.ts";

const estimators = AdvantageConfig.options.map((schema) => {
  const type = schema.shape.type.value;
  const switches = Object.keys(schema.shape).filter((name) => name !== "type");
  return { type, switches };
});
const allSwitches = [...new Set(estimators.flatMap(({ switches }) => switches))];

describe("every estimator has its own switches, and no other", () => {
  test.each(estimators)("$type refuses the switches of others", ({ type, switches }) => {
    for (const name of [...allSwitches.filter((one) => !switches.includes(one)), "epsilom"]) {
      const isTaken = SWITCH_VALUES.some((value) => AdvantageConfig.safeParse({ type, [name]: value }).success);
      expect(isTaken, name).toBe(false);
    }
  });
});

describe("settings that release 0.1.0 wrote", () => {
  const COMMON = { ddof: 1, epsilon: 1e-6, minSetSize: 2, degenerateGroups: "keep", truncated: "zero", singletons: "zero" };
  const others = { ddof: 0, epsilon: 0.5, minSetSize: 3, singletons: "raw", missingTurns: "zero" } as const;
  const written = ["grpo/1", "mt-grpo/1", "gtpo/1", "gtpo-hybrid/1", "gdpo/1", "proxmo/1", "a3/1"].map((type) => ({
    type,
    stored: { ...AdvantageConfig.parse({ type }), ...COMMON, missingTurns: "leave-out" } as Record<string, unknown>,
  }));

  test.each(written)("$type is read, and computes what it did", ({ stored }) => {
    const read = StoredAdvantageConfig.parse(stored);
    fc.assert(
      fc.property(anyGroups, fc.subarray(Object.keys(others) as (keyof typeof others)[]), (groups, changed) => {
        const changes = Object.fromEntries(changed.map((name) => [name, others[name]]));
        const before = { ...stored, ...changes };
        expect(computeAdvantages(groups, StoredAdvantageConfig.parse(before)).advantages).toEqual(
          computeAdvantages(groups, before as AdvantageConfig).advantages,
        );
      }),
      { numRuns: 30 },
    );
    expect(StoredAdvantageConfig.parse(read)).toEqual(read);
  });

  test("a key that no release knew is still refused", () => {
    expect(StoredAdvantageConfig.safeParse({ type: "a3/1", ddof: 1, epsilom: 1 }).success).toBe(false);
    expect(upcastAdvantage(null)).toBe(null);
  });
});
