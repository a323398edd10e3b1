// Arguments as other people's files have them: long ids, codes that look like numbers, none at all. From a file to the tiers.
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { AdvantagesReport } from "#contracts/advantages-report.ts";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import { registerAdvantages } from "../../../src/cli/commands/advantages.ts";
import { registerCalibrate } from "../../../src/cli/commands/calibrate.ts";
import { runCommand } from "../../fixtures/run-command.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { TAU_BENCH } from "../../support/public-rollouts.ts";

const FOREIGN = resolve(TAU_BENCH, "../foreign-inputs");
const hasForeign = existsSync(FOREIGN);

async function report(file: string): Promise<AdvantagesReport> {
  const output = await runCommand(registerAdvantages, ["advantages", file, "--json"], {});
  return AdvantagesReport.parse(JSON.parse(output));
}

const tiersOf = ({ rollouts }: AdvantagesReport) =>
  rollouts.map(({ turns }) =>
    turns
      .map(({ tier }) => tier)
      .filter((tier) => tier !== "message")
      .join(),
  );

/** One rollout with the golden call `golden` that calls `called`, both as JSON text of the value of one argument. */
function line(task: number, trial: number, golden: string, called: string): string {
  const call = { id: "c", function: { name: "lookup", arguments: `{"code": ${called}}` } };
  const messages = [
    { role: "user", content: "look it up" },
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: "c", content: "found" },
  ];
  const rollout = { task_id: `t${task}`, trial, outcome: trial === 0 ? 1 : 0, messages };
  return `${JSON.stringify(rollout).slice(0, -1)}, "golden_actions": [{"name": "lookup", "arguments": {"code": ${golden}}}]}`;
}

function fileOf(...lines: readonly string[]): string {
  const path = join(temporaryFolder(), "rollouts.jsonl");
  writeFileSync(path, lines.join("\n"));
  return path;
}

describe.skipIf(!hasForeign)(`the inputs that showed it${hasForeign ? "" : ` (skipped: no ${FOREIGN})`}`, () => {
  test.each(["15-bigint-number", "15-bigint-string"])("%s: another ticket is another ticket", async (name) => {
    const read = await report(join(FOREIGN, `${name}.jsonl`));
    expect(tiersOf(read).filter((tiers) => tiers.includes("gold"))).toHaveLength(2);
    expect(read.numDoubtfulCalls).toBe(0);
  });

  test.each(["15-dot", "15-exponent-like", "15-leading-zeros", "15-plus"])(
    "%s: one of two calls is gold, the other in doubt",
    async (name) => {
      const read = await report(join(FOREIGN, `${name}.jsonl`));
      expect(tiersOf(read).sort()).toEqual(["gold_read", "gold_read", "soft_read", "soft_read"]);
      expect(read.numDoubtfulCalls).toBe(2);
    },
  );

  test.each(["21-noargs-empty", "21-noargs-null", "21-noargs-braces"])("%s: a call without arguments is the golden one", async (name) => {
    expect(new Set(tiersOf(await report(join(FOREIGN, `${name}.json`))))).toEqual(new Set(["gold_read"]));
  });
});

describe("variants of them", () => {
  test.each([
    ["a decimal of 20 digits", "100000000000000000.05", "100000000000000000.06"],
    ["a number beyond a double", "1e400", "1e401"],
    ["a number below a double", "1e-400", "0.0"],
    ["an integer of 40 digits", `${"1".repeat(39)}0`, "1".repeat(40)],
    ["a long id as text", '"20260101000000000000000001"', '"20260101000000000000000002"'],
    ["letter case", '"A1"', '"a1"'],
  ])("%s: the one that differs is not gold, the equal one is", async (_, golden, other) => {
    const read = await report(fileOf(line(0, 0, golden, golden), line(0, 1, golden, other)));
    expect(tiersOf(read)).toEqual(["gold_read", "read"]);
    expect(read.numDoubtfulCalls).toBe(0);
  });

  test("arguments as a Python literal keep their digits, too", async () => {
    const golden = "0.12345678901234567890";
    const withLiteral = (called: string) => line(0, 0, golden, called).replace('{\\"code\\": ', "{'code': ");
    expect(tiersOf(await report(fileOf(withLiteral(golden))))).toEqual(["gold_read"]);
    expect(tiersOf(await report(fileOf(withLiteral("0.12345678901234567891"))))).toEqual(["read"]);
  });

  test.each([', "arguments": ""', ', "arguments": null', ', "arguments": {}', ""])(
    "a golden call without arguments: %j",
    async (golden) => {
      const call = { id: "c", function: { name: "list" } };
      const messages = [
        { role: "user", content: "go" },
        { role: "assistant", content: null, tool_calls: [call] },
        { role: "tool", tool_call_id: "c", content: "ok" },
      ];
      const text = JSON.stringify({ task_id: "t", outcome: 1, messages });
      expect(tiersOf(await report(fileOf(`${text.slice(0, -1)}, "golden_actions": [{"name": "list"${golden}}]}`)))).toEqual(["gold_read"]);
    },
  );

  test("tasks whose numbers differ beyond a double's digits are two groups", async () => {
    const numbered = (id: string, trial: number) => line(0, trial, '"a"', '"a"').replace('"t0"', id);
    const read = await report(
      fileOf(numbered("2512292042121000000", 0), numbered("2512292042121000001", 0), numbered("2512292042121000001", 1)),
    );
    expect(read.diagnostics.numGroups).toBe(2);
    expect(new Set(read.rollouts.map(({ taskId }) => taskId))).toEqual(new Set(["2512292042121000000", "2512292042121000001"]));
  });

  test.each([
    ["integer", { function: { name: "lookup", parameters: { properties: { code: { type: "integer" } } } } }, "gold_read"],
    ["string", { type: "function", function: { name: "lookup", parameters: { properties: { code: { type: "string" } } } } }, "read"],
    [
      "flat integer",
      { name: "lookup", parameters: { properties: { code: { anyOf: [{ type: "integer" }, { type: "null" }] } } } },
      "gold_read",
    ],
    ["of another tool", { function: { name: "other", parameters: { properties: { code: { type: "integer" } } } } }, "soft_read"],
  ])("schemas that a line brings along decide: %s", async (_, tool, tier) => {
    const read = await report(fileOf(`${line(0, 0, '"007"', "7").slice(0, -1)}, "tools": [${JSON.stringify(tool)}]}`));
    expect(tiersOf(read)).toEqual([tier]);
    expect(read.numDoubtfulCalls).toBe(tier === "soft_read" ? 1 : 0);
  });

  test("what is in doubt is counted, and said by both commands", async () => {
    const file = fileOf(...[0, 1, 2].flatMap((task) => [line(task, 0, '"007"', '"007"'), line(task, 1, '"007"', "7")]));
    const advantages = await runCommand(registerAdvantages, ["advantages", file], {});
    expect(advantages).toContain("3 calls would equal");
    const calibrated = await runCommand(registerCalibrate, ["calibrate", file, "--resamples", "100", "--json"], {});
    const { warnings } = CalibrationReport.parse(JSON.parse(calibrated));
    expect(warnings.filter(({ code }) => code === "doubtful-calls").map(({ message }) => message)).toEqual([
      expect.stringContaining("3 calls"),
    ]);
  });
});
