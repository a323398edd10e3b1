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
