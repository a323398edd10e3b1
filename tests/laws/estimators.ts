// What every advantage estimator must do, whatever its formula. An estimator's own test calls `estimatorLaws` with its settings.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { type AdvantageGroup, computeAdvantagesBy } from "#core/advantage/compute-advantages.ts";
import type { Estimator, EstimatorSettings, Need } from "#core/advantage/estimator.ts";
import { enumerateTrajectories } from "#core/advantage/testbed/decision-tree.ts";
import { dot, exactGradient, expectedGradientBy } from "#core/advantage/testbed/gradients.ts";
import { PROBLEMS } from "#core/advantage/testbed/problems.ts";
import { present } from "../fixtures/present.ts";
import { anyGroups } from "../unit/core/advantage/any-groups.ts";

export interface EstimatorUnderTest<Settings extends EstimatorSettings> {
  readonly estimator: Estimator<Settings>;
  /** What a campaign file may say of it: strict, with defaults. */
  readonly schema: z.ZodObject;
  /** Settings to try beside the defaults. */
  readonly settings?: readonly Readonly<Record<string, unknown>>[];
}

/** What a switch of any kind may be set to; a schema takes the ones that are its own. */
export const SWITCH_VALUES = [
  ...[0, 1e-6, 0.1, 0.5, 1, 2, 3, true, false, "keep", "drop", "outcome_only", "zero", "mask", "raw", "leave-out"],
  ...["virtual", "last", "turn", "group", "batch"],
];
const NUM_TRIES = 400;
/** Rounding is no effect. */
const VISIBLE = 1e-7;

type Groups = readonly AdvantageGroup[];
type Compute = (groups: Groups, settings: EstimatorSettings) => readonly (readonly (readonly number[])[])[];

/** Runs the laws as tests, under the estimator's id. */
export function estimatorLaws<Settings extends EstimatorSettings>({
  estimator,
  schema,
  settings = [],
}: EstimatorUnderTest<Settings>): void {
  const parse = (given: Readonly<Record<string, unknown>>) =>
    schema.parse({ degenerateGroups: "keep", ...given, type: estimator.id }) as unknown as Settings;
  const compute: Compute = (groups, given) => computeAdvantagesBy(estimator, groups, given as Settings).advantages;
  const tried = [{}, ...settings].map((given) => ({ name: JSON.stringify(given), given: parse(given) }));
  describe(`an estimator (${estimator.id})`, () => {
    settingLaws(estimator, schema, compute);
    for (const { name, given } of tried)
      describe(name, () => {
        shapeLaws(compute, given);
        promiseLaws(compute, given, estimator);
        objectiveLaws(compute, given, estimator);
      });
    needLaws(compute, present(tried[0]).given, estimator);
  });
}

function settingLaws<Settings extends EstimatorSettings>({ id }: Estimator<Settings>, schema: z.ZodObject, compute: Compute): void {
  const switches = Object.keys(schema.shape).filter((name) => name !== "type");
  const values = Object.fromEntries(
    switches.map((name) => [name, SWITCH_VALUES.filter((value) => schema.safeParse({ type: id, [name]: value }).success)]),
  );
  const isTaken = (given: Readonly<Record<string, unknown>>) => schema.safeParse(given).success;

  test("its id is a name and a version, its settings have defaults, and nothing else is taken", () => {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*\/[1-9][0-9]*$/);
    const defaults = schema.parse({ type: id });
    expect(schema.parse(defaults)).toEqual(defaults);
    expect(isTaken({ type: `${id}0` })).toBe(false);
    expect(isTaken({ ...defaults, epsilom: 1 })).toBe(false);
  });

  test.each(switches)("its switch %s changes advantages", (name) => {
    const setting = fc.record(Object.fromEntries(Object.entries(values).map(([key, list]) => [key, fc.constantFrom(...list)])));
    const effect = fc
      .sample(fc.tuple(anyGroups, setting, fc.constantFrom(...(values[name] ?? []))), { numRuns: NUM_TRIES, seed: 1 })
      .find(([groups, given, other]) => {
        const read = (more: Readonly<Record<string, unknown>>) => schema.parse({ ...given, ...more, type: id }) as unknown as Settings;
        return differs(compute(groups, read({})), compute(groups, read({ [name]: other })));
      });
    expect(effect).toBeDefined();
  });
}

function shapeLaws(compute: Compute, settings: EstimatorSettings): void {
  test("permuting groups and rollouts permutes the advantages and changes no digit", () => {
    fc.assert(
      fc.property(anyGroups, (groups) => {
        const turned = [...groups].reverse().map((each) => ({ ...each, members: [...each.members].reverse() }));
        const back = [...compute(turned, settings)].reverse().map((rows) => [...rows].reverse());
        expect(back).toEqual(compute(groups, settings));
      }),
    );
  });

  test("there is one finite advantage per turn, the same every time, and what was given stays as it was", () => {
    fc.assert(
      fc.property(anyGroups, (groups) => {
        const before = structuredClone(groups);
        const advantages = compute(groups, settings);
        expect(shapeOf(advantages)).toEqual(groups.map(({ members }) => members.map(({ turnRewards_T }) => turnRewards_T.length)));
        expect(advantages.flat(2).every(Number.isFinite)).toBe(true);
        expect(compute(groups, settings)).toEqual(advantages);
        expect(groups).toEqual(before);
      }),
    );
  });

  if ("singletons" in settings && settings.singletons === "raw") return;
  test("a lone rollout of one turn has nobody to be compared with and gets nothing", () => {
    fc.assert(
      fc.property(anyGroups, ([group]) => {
        const [first] = present(group).members;
        const { turnRewards_T, actions_T = [], observations_T = [] } = present(first);
        const one = {
          turnRewards_T: turnRewards_T.slice(0, 1),
          actions_T: actions_T.slice(0, 1),
          observations_T: observations_T.slice(0, 1),
        };
        const advantages = compute([{ taskId: "alone", members: [{ ...present(first), ...one, isTruncated: false }] }], settings);
        expect(advantages.flat(2).map(Math.abs)).toEqual([0]);
      }),
    );
  });
}

function promiseLaws<Settings extends EstimatorSettings>(compute: Compute, settings: Settings, { promises }: Estimator<Settings>): void {
  const { zeroSum, scale } = promises(settings);
  if (zeroSum !== null) zeroSumLaw(compute, settings, zeroSum);
  if (scale !== null) scaleLaw(compute, settings, scale);
}

function zeroSumLaw(compute: Compute, settings: EstimatorSettings, where: "every-turn" | "first-turn"): void {
  test(`advantages of a group sum to 0 at the ${where}`, () => {
    fc.assert(
      fc.property(anyGroups.map(uncut), (groups) => {
        for (const rows_GT of compute(groups, settings)) {
          const numTurns = where === "first-turn" ? 1 : Math.max(...rows_GT.map(({ length }) => length));
          for (let turn = 0; turn < numTurns; turn += 1)
            expect(Math.abs(rows_GT.reduce((sum, row_T) => sum + (row_T[turn] ?? 0), 0))).toBeLessThan(1e-8);
        }
      }),
    );
  });
}

/** Powers of two scale without rounding; epsilon is made small, for it is what does not scale. */
function scaleLaw(compute: Compute, settings: EstimatorSettings, scale: "invariant" | "proportional"): void {
  test.each([0.5, 0.25])(`rewards and outcomes times %s: advantages are ${scale}`, (factor) => {
    const sharp = "epsilon" in settings ? { ...settings, epsilon: 1e-12 } : settings;
    const share = scale === "invariant" ? 1 : factor;
    fc.assert(
      fc.property(anyGroups.map(uncut), (groups) => {
        const before = compute(groups, sharp).flat(2);
        for (const [k, value] of compute(times(factor, groups), sharp).flat(2).entries())
          expect(Math.abs(value - share * (before[k] ?? Number.NaN))).toBeLessThan(1e-8);
      }),
    );
  });
}

/** On two turns of two arms length is no matter, so an estimator that goes another way than its own objective has a formula that is wrong. */
function objectiveLaws<Settings extends EstimatorSettings>(compute: Compute, settings: Settings, { objective }: Estimator<Settings>): void {
  test.each([2, 4])(
    "in groups of %i its expected gradient goes along its objective's where all rollouts are of one length",
    (groupSize) => {
      const trajectories = enumerateTrajectories(present(PROBLEMS.find(({ name }) => name === "bandit")).root);
      const { expected_D } = expectedGradientBy(trajectories, groupSize, (group) => compute([group], settings)[0] ?? []);
      const true_D = exactGradient(trajectories, objective(settings));
      expect(dot(expected_D, true_D) / Math.sqrt(dot(expected_D, expected_D) * dot(true_D, true_D))).toBeGreaterThan(0.9);
    },
  );
}

const COMPARED = { actions: "actions_T", observations: "observations_T" } as const;

function needLaws<Settings extends EstimatorSettings>(compute: Compute, settings: Settings, { id, needs }: Estimator<Settings>): void {
  const otherwise: Readonly<Record<Need, (groups: Groups) => Groups>> = {
    "turn-rewards": (groups) => changed(groups, ({ turnRewards_T }) => ({ turnRewards_T: turnRewards_T.map((value) => value ** 2 - 0.1) })),
    actions: (groups) => changed(groups, ({ actions_T = [] }) => ({ actions_T: actions_T.map((_, k) => `act ${k}`) })),
    observations: (groups) => changed(groups, ({ observations_T = [] }) => ({ observations_T: observations_T.map((_, k) => `see ${k}`) })),
  };

  test.each(Object.keys(otherwise) as Need[])("it reads %s exactly where it says so", (need) => {
    const samples = fc.sample(anyGroups, { numRuns: NUM_TRIES, seed: 1 });
    const isRead = samples.some((groups) => differs(compute(groups, settings), compute(otherwise[need](groups), settings)));
    expect(isRead).toBe(needs.includes(need));
  });

  test.each(Object.keys(COMPARED) as (keyof typeof COMPARED)[])(
    "rollouts without %s are refused by name, or are as good as others",
    (need) => {
      fc.assert(
        fc.property(anyGroups.map(uncut), (groups) => {
          const without = changed(groups, (member) => Object.fromEntries(Object.entries(member).filter(([key]) => key !== COMPARED[need])));
          if (needs.includes(need)) expect(() => compute(without, settings)).toThrow(expect.objectContaining({ code: "config.invalid" }));
          if (needs.includes(need)) expect(() => compute(without, settings)).toThrow(id);
          else expect(compute(without, settings)).toEqual(compute(groups, settings));
        }),
        { numRuns: 20 },
      );
    },
  );
}

type Member = AdvantageGroup["members"][number];
/** `change` gives the members anew where it gives a whole one, else what is other of them. */
const changed = (groups: Groups, change: (member: Member) => Partial<Member>): Groups =>
  groups.map((group) => ({
    ...group,
    members: group.members.map((member) => {
      const other = change(member);
      return "trial" in other ? (other as Member) : { ...member, ...other };
    }),
  }));
const uncut = (groups: Groups): Groups => changed(groups, () => ({ isTruncated: false }));
const times = (factor: number, groups: Groups): Groups =>
  changed(groups, ({ turnRewards_T, outcome }) => ({
    turnRewards_T: turnRewards_T.map((value) => value * factor),
    outcome: outcome * factor,
  }));
const shapeOf = (advantages: ReturnType<Compute>) => advantages.map((rows) => rows.map(({ length }) => length));

function differs(one: ReturnType<Compute>, other: ReturnType<Compute>): boolean {
  const after = other.flat(2);
  return one.flat(2).some((value, position) => Math.abs(value - (after[position] ?? 0)) > VISIBLE);
}
