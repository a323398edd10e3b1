import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RetentionConfig } from "#contracts/retention.ts";
import { keptPolicies, type PolicyHistory } from "#core/retention/kept-policies.ts";

/** Iteration n trains policy `pn`, which is promoted or not. */
const history = fc
  .record({
    outcomes: fc.array(fc.record({ isTrained: fc.boolean(), isPromoted: fc.boolean(), passRate: fc.integer({ min: 0, max: 10 }) }), {
      maxLength: 40,
    }),
    isEnded: fc.boolean(),
    forkedAt: fc.array(fc.nat(40), { maxLength: 2 }),
  })
  .map(({ outcomes, isEnded, forkedAt }): PolicyHistory => {
    let promoted = "base";
    const iterations = outcomes.map(({ isTrained, isPromoted, passRate }, iteration) => {
      const trained = isTrained ? `p${iteration}` : null;
      if (trained !== null && isPromoted) promoted = trained;
      return { iteration, trained, promoted, passRate: passRate / 10 };
    });
    return { base: "base", iterations, final: isEnded ? promoted : null, forkedAt };
  });
const retention = fc
  .record({
    policies: fc.oneof(
      fc.constant("all" as const),
      fc.record({ last: fc.integer({ min: 1, max: 5 }), promoted: fc.boolean(), best: fc.boolean() }),
    ),
    optimizerState: fc.constantFrom("all" as const, "last" as const, "none" as const),
  })
  .map((value) => RetentionConfig.parse(value));

const has = (set: ReadonlySet<string> | "all", hash: string) => set === "all" || set.has(hash);

describe("whatever the retention says", () => {
  test("the base, the promoted, the final policy and what forks began with keep their weights", () => {
    fc.assert(
      fc.property(retention, history, (rule, campaign) => {
        const { weights } = keptPolicies(rule, campaign);
        const promoted = campaign.iterations.at(-1)?.promoted ?? "base";
        const forks = campaign.iterations.filter(({ iteration }) => campaign.forkedAt.includes(iteration));
        const needed = [
          "base",
          promoted,
          ...(campaign.final === null ? [] : [campaign.final]),
          ...forks.map((iteration) => iteration.promoted),
        ];
        for (const hash of needed) expect(has(weights, hash)).toBe(true);
      }),
    );
  });

  test("a campaign that can go on has the moments of its promoted policy, and a fork those that it began with", () => {
    fc.assert(
      fc.property(retention, history, (rule, campaign) => {
        const { moments } = keptPolicies(rule, campaign);
        if (campaign.final === null) expect(has(moments, campaign.iterations.at(-1)?.promoted ?? "base")).toBe(true);
        for (const { iteration, promoted } of campaign.iterations)
          if (campaign.forkedAt.includes(iteration)) expect(has(moments, promoted)).toBe(true);
      }),
    );
  });

  test("moments are kept of policies whose weights are kept only", () => {
    fc.assert(
      fc.property(retention, history, (rule, campaign) => {
        const { weights, moments } = keptPolicies(rule, campaign);
        if (moments === "all") expect(weights).toBe("all");
        else for (const hash of moments) expect(has(weights, hash)).toBe(true);
      }),
    );
  });

  test("a policy that is let go is never wanted again: what stays of the past only shrinks as iterations are added", () => {
    fc.assert(
      fc.property(retention, history, (rule, campaign) => {
        const open = { ...campaign, final: null, forkedAt: [] };
        for (let count = 1; count < open.iterations.length; count += 1) {
          const before = keptPolicies(rule, { ...open, iterations: open.iterations.slice(0, count) });
          const after = keptPolicies(rule, { ...open, iterations: open.iterations.slice(0, count + 1) });
          const fresh = open.iterations[count]?.trained;
          if (after.weights !== "all") for (const hash of after.weights) expect(hash === fresh || has(before.weights, hash)).toBe(true);
          if (after.moments !== "all") for (const hash of after.moments) expect(hash === fresh || has(before.moments, hash)).toBe(true);
        }
      }),
    );
  });
});

describe("with the defaults", () => {
  test("at most six policies stay, however long the campaign", () => {
    fc.assert(
      fc.property(history, (campaign) => {
        const { weights, moments } = keptPolicies(RetentionConfig.parse({}), { ...campaign, forkedAt: [] });
        expect((weights as ReadonlySet<string>).size).toBeLessThanOrEqual(6);
        expect((moments as ReadonlySet<string>).size).toBe(1);
      }),
    );
  });
});

describe("each choice", () => {
  const iterations = [
    { iteration: 0, trained: null, promoted: "base", passRate: 0.9 },
    { iteration: 1, trained: "p1", promoted: "p1", passRate: 0.5 },
    { iteration: 2, trained: "p2", promoted: "p2", passRate: 0.7 },
    { iteration: 3, trained: null, promoted: "p2", passRate: 0.99 },
    { iteration: 4, trained: "p4", promoted: "p4", passRate: 0.7 },
    { iteration: 5, trained: "p5", promoted: "p4", passRate: 0.6 },
  ];
  const campaign: PolicyHistory = { base: "base", iterations, final: null, forkedAt: [] };
  const keep = (policies: object, rest: object = {}) => keptPolicies(RetentionConfig.parse({ policies, ...rest }), campaign);

  test.each([
    [{ last: 1, promoted: false, best: false }, ["base", "p4", "p5"]],
    [{ last: 3, promoted: false, best: false }, ["base", "p2", "p4", "p5"]],
    [{ last: 1, promoted: true, best: false }, ["base", "p1", "p2", "p4", "p5"]],
    [{ last: 1, promoted: false, best: true }, ["base", "p2", "p4", "p5"]],
  ])("policies %j keeps %j: the best is the first of equals, and an iteration without training has none", (policies, expected) => {
    expect([...keep(policies).weights].sort()).toEqual(expected);
  });

  test("where nothing is selected nothing is best", () => {
    const unmeasured = { ...campaign, iterations: iterations.map((iteration) => ({ ...iteration, passRate: null })) };
    const { weights } = keptPolicies(RetentionConfig.parse({ policies: { last: 1, best: true } }), unmeasured);
    expect([...weights].sort()).toEqual(["base", "p4", "p5"]);
  });

  test("moments: of all that stay, of the promoted one, or of none once the campaign has ended", () => {
    expect([...keep({ last: 1, best: false }, { optimizerState: "all" }).moments].sort()).toEqual(["base", "p4", "p5"]);
    expect([...keep({ last: 1 }, { optimizerState: "last" }).moments]).toEqual(["p4"]);
    expect([...keep({ last: 1 }, { optimizerState: "none" }).moments]).toEqual(["p4"]);
    const ended = { ...campaign, final: "p4" };
    expect([...keptPolicies(RetentionConfig.parse({ optimizerState: "none" }), ended).moments]).toEqual([]);
  });
});
