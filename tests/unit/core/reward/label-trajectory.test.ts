import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TierScheme } from "#contracts/reward-table.ts";
import { labelTrajectory } from "#core/reward/label-trajectory.ts";
import { createToolCatalog } from "#core/reward/tool-catalogs.ts";
import { type CallText, COUNTERS, task, trajectory } from "./counter-environment.ts";

const CATALOG = createToolCatalog({ writes: ["add", "put"], terminals: ["leave"], schemas: COUNTERS.tools });

function tiers(
  scheme: TierScheme,
  golden: readonly CallText[],
  turns: readonly (readonly CallText[])[],
  environment: typeof COUNTERS | typeof CATALOG = COUNTERS,
): string[] {
  return labelTrajectory(trajectory(turns), task(...golden), scheme, environment).map((turn) => turn.tier);
}

describe("order of the rules", () => {
  test("a golden call is consumed once; a second equal call is a duplicate", () => {
    const golden: CallText[] = [["add", { name: "a", amount: 1 }]];
    expect(tiers("paper/1", golden, [[golden[0] as CallText], [golden[0] as CallText]])).toEqual(["gold", "duplicate"]);
  });

  test("a task that asks twice for the same call pays it twice", () => {
    const call: CallText = ["add", { name: "a", amount: 1 }];
    expect(tiers("paper/1", [call, call], [[call], [call], [call]])).toEqual(["gold", "gold", "duplicate"]);
  });

  test("an erring golden call is an error and stays open", () => {
    expect(tiers("finer/1", [["add", { name: "a", amount: 1 }]], [[["add", { name: "a", amount: 1 }, "error"]]])).toEqual(["error"]);
    expect(
      tiers(
        "finer/1",
        [["add", { name: "a", amount: 1 }]],
        [[["add", { name: "a", amount: 1 }, "error"]], [["add", { name: "a", amount: 1 }]]],
      ),
    ).toEqual(["error", "gold_write"]);
  });

  test("duplicate comes before partial match, and arguments are compared in canonical form", () => {
    const golden: CallText[] = [["get", { name: "a", detail: 1 }]];
    expect(tiers("paper/1", golden, [[["get", { name: "a", detail: 2 }]], [["get", { detail: "2", name: "a", extra: null }]]])).toEqual([
      "soft",
      "duplicate",
    ]);
  });

  test("reads and writes outside the reference are read and state; a turn without calls is a message", () => {
    expect(tiers("paper/1", [], [[["get", { name: "a" }]], [["put", { name: "a", value: 1 }]], [], [["leave", { summary: "x" }]]])).toEqual(
      ["read", "state", "message", "state"],
    );
  });

  test("the finer scheme tells reads, writes and transfers apart", () => {
    const golden: CallText[] = [
      ["get", { name: "a", detail: 1 }],
      ["add", { name: "a", amount: 1 }],
    ];
    const turns: CallText[][] = [
      [["get", { name: "a", detail: 1 }]],
      [["get", { name: "a", detail: 2 }]],
      [["get", { name: "b" }]],
      [["add", { name: "a", amount: 1 }]],
      [["put", { name: "z", value: 1 }]],
      [["leave", { summary: "x" }]],
    ];
    expect(tiers("finer/1", golden, turns)).toEqual(["gold_read", "soft_read", "read", "gold_write", "state", "transfer"]);
  });

  test("text that cannot be parsed is an error of the last turn", () => {
    const labelled = labelTrajectory(trajectory([[], []], "unparsable"), task(), "finer/1", COUNTERS);
    expect(labelled.map((turn) => turn.tier)).toEqual(["message", "error"]);
  });
});

describe("writes judged by their effect", () => {
  test("a write with the effect of a golden one is equivalent, once", () => {
    const golden: CallText[] = [["put", { name: "a", value: 1, note: "golden" }]];
    expect(
      tiers("finer/1", golden, [[["put", { name: "a", value: 1, note: "own words" }]], [["put", { name: "a", value: 1, note: "again" }]]]),
    ).toEqual(["equiv_write", "wrong_write"]);
  });

  test("the effect is that in the state of the moment", () => {
    const golden: CallText[] = [["add", { name: "a", amount: 0.5 }]];
    expect(tiers("finer/1", golden, [[["put", { name: "a", value: 1 }]], [["add", { name: "a", amount: 0.5, note: "n" }]]])).toEqual([
      "state",
      "equiv_write",
    ]);
  });

  test("a write with another effect is wrong; one that changes nothing is not equivalent", () => {
    const golden: CallText[] = [
      ["put", { name: "a", value: 1 }],
      ["put", { name: "b", value: 0 }],
    ];
    expect(tiers("finer/1", golden, [[["put", { name: "a", value: 2 }]]])).toEqual(["wrong_write"]);
  });

  test("without an environment to replay in, a partial match stays a soft write", () => {
    const golden: CallText[] = [["put", { name: "a", value: 1, note: "golden" }]];
    expect(tiers("finer/1", golden, [[["put", { name: "a", value: 1, note: "own" }]]], CATALOG)).toEqual(["soft_write"]);
  });
});

describe("turns of several calls", () => {
  test("only executed calls are labelled, the others are counted", () => {
    const call: CallText = ["add", { name: "a", amount: 1 }];
    const [turn] = labelTrajectory(
      trajectory([
        [
          ["get", { name: "a" }],
          ["add", { name: "a", amount: 1 }, "ignored"],
        ],
      ]),
      task(call),
      "finer/1",
      COUNTERS,
    );
    expect(turn).toMatchObject({ tier: "read", numIgnoredCalls: 1, callTiers: [{ callIndex: 0, tier: "read", match: null }] });
  });

  test("the most salient call speaks for the turn, all are kept", () => {
    const [turn] = labelTrajectory(
      trajectory([
        [
          ["get", { name: "a" }],
          ["add", { name: "a", amount: 1 }],
        ],
      ]),
      task(["add", { name: "a", amount: 1 }]),
      "finer/1",
      COUNTERS,
    );
    expect(turn?.tier).toBe("gold_write");
    expect(turn?.callTiers.map((call) => call.tier)).toEqual(["read", "gold_write"]);
  });
});

describe("calls of which no schema says whether they are equal", () => {
  const UNKNOWN = createToolCatalog({ writes: ["add", "put"], terminals: ["leave"] });
  const label = (golden: CallText[], calls: CallText[], catalog: typeof UNKNOWN | typeof COUNTERS = UNKNOWN) =>
    labelTrajectory(trajectory(calls.map((call) => [call])), task(...golden), "finer/1", catalog).map(({ tier, softMatch, callTiers }) => ({
      tier,
      softMatch,
      isDoubtful: callTiers[0]?.isDoubtful ?? false,
    }));

  test.each([
    ['"00123"', '"123"'],
    ['"1e3"', '"1000"'],
    ['"+15551234"', '"15551234"'],
    ['"1.10"', '"1.1"'],
    ['"1"', "1"],
    ['"2512292042121000001"', "2512292042121000001"],
    ['["a", "b"]', '"[\\"a\\",\\"b\\"]"'],
    ['"[\\"a\\"]"', '["a"]'],
    ['{"from": "BOS"}', '"{\\"from\\": \\"BOS\\"}"'],
  ])("%s for %s is a near miss in doubt, not gold, and leaves the golden call open", (golden, called) => {
    const call = (value: string): CallText => ["put", `{"id": ${value}}`];
    expect(label([call(golden)], [call(called), call(golden)])).toEqual([
      { tier: "soft_write", softMatch: 0.5, isDoubtful: true },
      { tier: "gold_write", softMatch: null, isDoubtful: false },
    ]);
  });

  test.each([
    ["2512292042121000001", "2512292042121000000"],
    ['"2512292042121000001"', '"2512292042121000000"'],
    ['"a1"', '"a01"'],
  ])("%s and %s are two, without a doubt", (golden, called) => {
    expect(label([["put", `{"id": ${golden}}`]], [["put", `{"id": ${called}}`]])).toEqual([
      { tier: "state", softMatch: null, isDoubtful: false },
    ]);
  });

  test("an argument in doubt beside certain ones is worth nothing", () => {
    expect(label([["get", { a: 1, b: "2" }]], [["get", { a: 1, b: 2 }]])).toEqual([
      { tier: "soft_read", softMatch: 0.75, isDoubtful: true },
    ]);
    expect(label([["get", { a: 1, b: "2", c: 3 }]], [["get", { a: 0, b: 2, c: 0 }]])).toEqual([
      { tier: "read", softMatch: null, isDoubtful: true },
    ]);
  });

  test("a repetition in doubt is no duplicate", () => {
    expect(
      label(
        [],
        [
          ["get", { id: "7" }],
          ["get", { id: 7 }],
          ["get", { id: "7" }],
        ],
      ),
    ).toEqual([
      { tier: "read", softMatch: null, isDoubtful: false },
      { tier: "read", softMatch: null, isDoubtful: true },
      { tier: "duplicate", softMatch: null, isDoubtful: false },
    ]);
  });

  test("the schema's word, or a replay, leaves no doubt", () => {
    expect(label([["get", { name: "1", detail: 2 }]], [["get", { name: "1", detail: "2" }]], COUNTERS)).toMatchObject([
      { tier: "gold_read", isDoubtful: false },
    ]);
    expect(label([["get", { name: "1" }]], [["get", { name: 1 }]], COUNTERS)).toMatchObject([{ tier: "read", isDoubtful: false }]);
    expect(label([["put", { name: "a", value: 1, mark: "7" }]], [["put", { name: "a", value: 1, mark: 7 }]], COUNTERS)).toMatchObject([
      { tier: "equiv_write", isDoubtful: false },
    ]);
  });

  test.each(["", "null", " "])("a call with the arguments %j is one without arguments", (text) => {
    expect(
      label(
        [["get", "{}"]],
        [
          ["get", text],
          ["get", "{}"],
        ],
      ).map(({ tier }) => tier),
    ).toEqual(["gold_read", "duplicate"]);
    expect(label([["get", text]], [["get", "{}"]]).map(({ tier }) => tier)).toEqual(["gold_read"]);
  });

  test("labels do not depend on how arguments are written, and do on every digit of an id", () => {
    const ids = fc.stringMatching(/^[0-9]{1,40}$/);
    const wrote = (id: string, asText: boolean) => (asText ? `"${id}"` : id.replace(/^0+(?=\d)/, ""));
    const escaped = (text: string) => text.replaceAll(/\d(?=\d*")/g, (digit) => `\\u003${digit}`);
    fc.assert(
      fc.property(ids, fc.boolean(), fc.nat(), fc.integer({ min: 1, max: 9 }), (id, asText, at, step) => {
        const golden: CallText = ["put", `{"id": ${wrote(id, asText)}, "note": "n"}`];
        const again = asText ? escaped(wrote(id, true)) : `${wrote(id, false)}.0`;
        expect(label([golden], [["put", `{ "note" :\t"n",\n"id":${again}}`]])).toMatchObject([{ tier: "gold_write" }]);
        const place = at % id.length;
        const other = id.slice(0, place) + ((Number(id[place]) + step) % 10) + id.slice(place + 1);
        expect(label([golden], [["put", `{"id": ${wrote(other, asText)}, "note": "n"}`]])).toEqual([
          { tier: "soft_write", softMatch: 0.75, isDoubtful: false },
        ]);
      }),
    );
  });
});

describe("golden calls that compare a part of their arguments", () => {
  const names = ["a", "b", "c"];
  const values = fc.record({ a: fc.nat(2), b: fc.nat(2), c: fc.nat(2) });
  test("are met by calls that are equal in these, and by no others", () => {
    fc.assert(
      fc.property(values, values, fc.subarray(names), (golden, called, compareArguments) => {
        const { goldenActions, ...asked } = task(["put", golden]);
        const compared = { ...asked, goldenActions: (goldenActions ?? []).map((action) => ({ ...action, compareArguments })) };
        const unknown = createToolCatalog({ writes: ["put"] });
        const [turn] = labelTrajectory(trajectory([[["put", called]]]), compared, "finer/1", unknown);
        const isEqual = compareArguments.every((name) => Reflect.get(golden, name) === Reflect.get(called, name));
        expect(turn?.tier === "gold_write").toBe(isEqual);
      }),
    );
  });
});

describe("partial matches", () => {
  const match = (golden: CallText[], call: CallText) =>
    labelTrajectory(trajectory([[call]]), task(...golden), "paper/1", CATALOG)[0]?.softMatch;

  test("0.5 plus half the share of equal golden arguments, against the best golden call", () => {
    expect(match([["get", { name: "a", detail: 1 }]], ["get", { name: "a", detail: 2 }])).toBe(0.75);
    expect(
      match(
        [
          ["get", { name: "b", detail: 1 }],
          ["get", { name: "a", detail: 1, more: 1, most: 1 }],
        ],
        ["get", { name: "a", detail: 1, more: 1 }],
      ),
    ).toBe(0.875);
  });

  test("a superset of the golden arguments is capped below gold", () => {
    expect(match([["get", { name: "a" }]], ["get", { name: "a", detail: 1 }])).toBe(0.99);
  });

  test("no shared argument, another name, or a golden call without arguments is no match", () => {
    expect(match([["get", { name: "b" }]], ["get", { name: "a" }])).toBeNull();
    expect(match([["put", { name: "a" }]], ["get", { name: "a" }])).toBeNull();
    expect(match([["get", {}]], ["get", { name: "a" }])).toBeNull();
    expect(match([["get", { name: "a" }]], ["get", "not json"])).toBeNull();
  });
});
