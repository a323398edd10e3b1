import { describe, expect, test } from "vitest";
import { createEvidence } from "#core/reward/grounding.ts";
import { labelTrajectory } from "#core/reward/label-trajectory.ts";
import { type CallText, COUNTERS, task, trajectory } from "./counter-environment.ts";

const SCHEMA = {
  properties: { cabin: { enum: ["economy", "business"] }, people: { type: "array", items: { properties: { kind: { enum: ["adult"] } } } } },
};
const ungrounded = (said: string, args: unknown) => createEvidence({ firstUserMessage: said }).findUngrounded(JSON.stringify(args), SCHEMA);

describe("an argument that somebody said", () => {
  test.each([
    { name: "a word", said: "I am Mia Li", args: { first: "mia", last: "LI" }, expected: [] },
    { name: "a part of a word is not said", said: "I am Miami", args: { first: "mia" }, expected: ["first"] },
    { name: "a number, with its separators", said: "it was $1,286.", args: { amount: 1286 }, expected: [] },
    { name: "a number inside a longer one is not said", said: "card 7447", args: { bags: 4 }, expected: ["bags"] },
    { name: "a number in another form", said: "it was 1286 for 2 bags", args: { amount: 1286.0, bags: 2 }, expected: [] },
    { name: "a date in words", said: "on May 20th please", args: { date: "2024-05-20" }, expected: [] },
    { name: "another date", said: "on May 2nd please", args: { date: "2024-05-20" }, expected: ["date"] },
    {
      name: "values of a closed list need no source",
      said: "hello",
      args: { cabin: "business", people: [{ kind: "adult", name: "Bo" }] },
      expected: ["people.0.name"],
    },
    { name: "booleans and empty values need no source", said: "hello", args: { a: true, b: "", c: null, d: [] }, expected: [] },
  ])("$name", ({ said, args, expected }) => {
    expect(ungrounded(said, args)).toEqual(expected);
  });
});

describe("numbers", () => {
  const find = (said: string, argumentsJson: string) => createEvidence({ firstUserMessage: said }).findUngrounded(argumentsJson, undefined);

  test("of more digits than a double has are said in full, or not at all", () => {
    expect(find("close ticket 2512292042121000001", '{"ticket": 2512292042121000001}')).toEqual([]);
    expect(find("close ticket 2512292042121000001", '{"ticket": 2512292042121000000}')).toEqual(["ticket"]);
    expect(find("close ticket 2512292042121000001", '{"ticket": "2512292042121000000"}')).toEqual(["ticket"]);
  });

  test("are said by their value: 50.0 is 50, 1e3 is 1000", () => {
    expect(find("50 dollars of 1000", '{"amount": 50.0, "of": 1e3}')).toEqual([]);
    expect(find("code 1000", '{"code": "1e3"}')).toEqual(["code"]);
  });

  test("of no arguments none is made up", () => {
    expect(["", "null", "{", "[1]"].flatMap((text) => find("hello", text))).toEqual([]);
  });

  test("a choice behind a reference of the schema needs no source", () => {
    const schema = { properties: { cabin: { $ref: "#/$defs/Cabin" } }, $defs: { Cabin: { enum: ["economy"] } } };
    expect(createEvidence({ firstUserMessage: "hello" }).findUngrounded('{"cabin": "economy", "seat": "9A"}', schema)).toEqual(["seat"]);
  });
});

describe("the tier of made-up arguments", () => {
  const tiers = (golden: CallText[], turns: CallText[][], results: string) => {
    const made = trajectory(turns);
    const told = {
      ...made,
      turns: made.turns.map((turn) => ({ ...turn, toolCalls: turn.toolCalls.map((call) => ({ ...call, result: results })) })),
    };
    return labelTrajectory(told, task(...golden), "grounded/1", COUNTERS).map(({ tier }) => tier);
  };

  test("is found on writes that are neither gold nor errors, and after the tools have spoken no more", () => {
    const write: CallText = ["put", { name: "a", value: 7 }];
    expect(tiers([], [[write]], "")).toEqual(["ungrounded_arg"]);
    expect(tiers([], [[["get", { name: "a" }]], [write]], "a is 7")).toEqual(["read", "state"]);
    expect(tiers([write], [[write]], "")).toEqual(["gold_write"]);
    expect(tiers([], [[["put", { name: "a", value: 7 }, "error"]]], "")).toEqual(["error"]);
    expect(tiers([], [[["leave", { summary: "bye" }]], [["get", { name: "zzz" }]]], "")).toEqual(["transfer", "read"]);
  });

  test("a write with the effect of a golden one is right, whatever it is made of", () => {
    expect(tiers([["put", { name: "a", value: 7, note: "x" }]], [[["put", { name: "a", value: 7, note: "y" }]]], "")).toEqual([
      "equiv_write",
    ]);
  });
});
