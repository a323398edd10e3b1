import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Countable, countOnce } from "#adapters/rollout-files/count-once.ts";
import { agree, type Known, unify } from "#adapters/rollout-files/task-identity.ts";

const NOBODY: Known = {};
const rollout = (source: number, content: string, maker: Known = NOBODY): Countable => ({ source, content, maker });
const bySource = (a: Countable, b: Countable) => a.source - b.source;
const kept = (rollouts: readonly Countable[]) => [...countOnce(rollouts, bySource)].map((position) => rollouts[position] as Countable);

describe("the same rollout in several sources", () => {
  test("of each content as many count as the source with the most of them has", () => {
    const sources = fc.array(fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 6 }), { maxLength: 4 });
    fc.assert(
      fc.property(sources, (contents) => {
        const rollouts = contents.flatMap((own, source) => own.map((content) => rollout(source, content)));
        const counted = kept(rollouts).map(({ content }) => content);
        for (const content of ["a", "b", "c"]) {
          const most = Math.max(0, ...contents.map((own) => own.filter((one) => one === content).length));
          expect(counted.filter((one) => one === content)).toHaveLength(most);
        }
      }),
    );
  });

  test("of two makers that are known are two rollouts, and one of an unknown maker is either of them", () => {
    const [a, b] = [{ policy: "a" }, { policy: "b" }];
    expect(kept([rollout(0, "x", a), rollout(1, "x", b)])).toHaveLength(2);
    expect(kept([rollout(0, "x", a), rollout(1, "x", a)])).toHaveLength(1);
    expect(kept([rollout(0, "x", a), rollout(1, "x", b), rollout(2, "x")])).toHaveLength(2);
    expect(kept([rollout(0, "x", a), rollout(1, "x"), rollout(1, "x"), rollout(1, "x")])).toHaveLength(3);
  });
});

describe("very many rollouts", () => {
  test("that went alike are counted by what differs, not by pairs", () => {
    const [a, b] = [{ policy: "a" }, { policy: "b" }];
    const alike = (source: number, maker: Known) => Array.from({ length: 20_000 }, () => rollout(source, "x", maker));
    expect(kept([...alike(0, a), ...alike(1, b), ...alike(2, {})])).toHaveLength(40_000);
  });
});

const known = fc.dictionary(fc.constantFrom("set", "asked", "user"), fc.constantFrom("1", "2"), { noNullPrototype: true });
const candidates = fc.array(fc.record({ known, evidence: fc.uniqueArray(fc.constantFrom("x", "y", "z")).map((all) => new Set(all)) }), {
  maxLength: 7,
});

describe("descriptions of one id", () => {
  test("that are one task agree, those that agree with no two sides are one, and their order is not seen", () => {
    fc.assert(
      fc.property(
        candidates.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all.keys()], { minLength: all.length }))),
        ([all, order]) => {
          const found = unify(all);
          const shuffled = unify(order.map((position) => all[position] as (typeof all)[number]));
          for (const i of all.keys())
            for (const j of all.keys()) {
              const isOne = found.classOf[i] === found.classOf[j];
              if (isOne) expect(agree(all[i]?.known ?? {}, all[j]?.known ?? {})).toBe(true);
              expect(shuffled.classOf[order.indexOf(i)] === shuffled.classOf[order.indexOf(j)]).toBe(isOne);
            }
          expect(shuffled.undecided.size).toBe(found.undecided.size);
        },
      ),
    );
  });

  test("that fit two tasks belong to the one whose conversations they share, else to none", () => {
    const side = (asked: string, ...evidence: string[]) => ({ known: { asked }, evidence: new Set(evidence) });
    const open = (...evidence: string[]) => ({ known: {}, evidence: new Set(evidence) });
    expect(unify([side("1", "x"), side("2", "y"), open("y")]).classOf).toEqual([0, 1, 1]);
    const undecided = unify([side("1", "x"), side("2", "y"), open("z")]);
    expect([undecided.classOf, [...undecided.undecided]]).toEqual([[0, 1, 2], [2]]);
  });
});
