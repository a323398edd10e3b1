import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { REPOSITORY } from "#adapters/settings.ts";
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import { EstimatorTestbedReport } from "#contracts/estimator-testbed-report.ts";
import { runEstimatorTestbed, TESTED } from "#core/advantage/testbed/run-testbed.ts";
import { agreementTable, noiseTable, problemTable, summaryTable, type TextTable } from "#core/advantage/testbed/tables.ts";

const CAMPAIGNS = join(REPOSITORY, "configs", "campaigns");
const report = runEstimatorTestbed([2, 4]);
const cell = (estimator: string, problem: string, groupSize = 4) => {
  const found = report.cells.find((one) => one.estimator === estimator && one.problem === problem && one.groupSize === groupSize);
  if (found === undefined) throw new Error(`no cell ${estimator}, ${problem}, ${groupSize}`);
  return found;
};

function toMarkdown({ header, rows }: TextTable): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

describe("the estimator testbed", () => {
  test("has every estimator that there is, and satisfies its contract", () => {
    expect(EstimatorTestbedReport.parse(report)).toEqual(report);
    expect(new Set(TESTED.map(({ config }) => config.type))).toEqual(
      new Set(AdvantageConfig.options.map((option) => option.shape.type.value)),
    );
    expect(report.cells).toHaveLength(report.problems.length * TESTED.length * 2);
  });

  test("mt-grpo/1 is blind to what going on earns or costs; mt-grpo/2 pushes the way it should", () => {
    for (const [problem, direction] of [
      ["one-decision-paid", 1],
      ["one-decision-charged", -1],
      ["chain-paid", 1],
      ["chain-charged", -1],
    ] as const) {
      expect(cell("mt-grpo/1", problem).norm).toBeLessThan(1e-9);
      expect(cell("mt-grpo/2", problem).moreTurns).toBe(direction);
    }
    expect(cell("mt-grpo/1", "one-decision-worth-it").return.cosine).toBeCloseTo(-1, 9);
    expect(cell("mt-grpo/2", "one-decision-worth-it").return.cosine).toBeCloseTo(1, 9);
  });

  test("a small price outweighs the outcome where every index is divided by its deviation", () => {
    expect(cell("mt-grpo/2 normalizeByStd=true", "small-price").moreTurns).toBe(-1);
    expect(cell("mt-grpo/2", "small-price").moreTurns).toBe(1);
  });

  test("the hybrid's discount pays stopping, its scope `group` pays going on", () => {
    expect(cell("gtpo-hybrid/1", "patience").moreTurns).toBe(-1);
    expect(cell("gtpo-hybrid/1 gamma=1", "patience").moreTurns).toBe(1);
    expect(cell("gtpo-hybrid/1", "length-free").moreTurns).toBe(-1);
    expect(cell("gtpo/1 gamma=1 scope=group", "early-pay").moreTurns).toBe(1);
    expect(cell("gtpo/1 gamma=1", "early-pay").moreTurns).toBe(-1);
  });

  test("a group size with too many groups is left out and named", () => {
    const { cells, skipped } = runEstimatorTestbed([14], TESTED.slice(0, 1));
    expect(skipped.every(({ numGroups }) => numGroups > 50_000)).toBe(true);
    expect(cells.length + skipped.length).toBe(report.problems.length);
    expect(skipped.length).toBeGreaterThan(0);
  });
});

/** Files that ship the same estimator are judged once. */
const judged = new Map<string, EstimatorTestbedReport>();
function judge(config: AdvantageConfig, groupSize: number): EstimatorTestbedReport {
  const key = JSON.stringify({ config, groupSize });
  const found = judged.get(key) ?? runEstimatorTestbed([groupSize], [{ name: config.type, config }]);
  judged.set(key, found);
  return found;
}

/** Files that show a paper as it is written, with the problems on which its estimator is known to push a logit the wrong way. */
const AS_WRITTEN: Readonly<Record<string, readonly string[]>> = { "code-reasoning.yaml": ["chain-late-pass", "patience", "length-free"] };

describe("shipped campaign files", () => {
  test.each(readdirSync(CAMPAIGNS))(
    "%s: no logit is pushed against outcome plus turn rewards, but where a paper's own estimator is shown",
    (file) => {
      const { advantage, rollout } = parse(readFileSync(join(CAMPAIGNS, file), "utf8")) as {
        advantage: unknown;
        rollout: { groupSize?: number };
      };
      const { cells, skipped } = judge(AdvantageConfig.parse(advantage), rollout.groupSize ?? 8);
      expect(skipped).toEqual([]);
      expect(cells.filter(({ return: { signs } }) => signs < 1).map(({ problem }) => problem)).toEqual(AS_WRITTEN[file] ?? []);
    },
  );
});

test.each([
  ["problems", problemTable(report)],
  ["return 4", agreementTable(report, "return", 4)],
  ["outcome 4", agreementTable(report, "outcome", 4)],
  ["noise 4", noiseTable(report, 4)],
  ["summary", summaryTable(report)],
] as const)("docs/estimators.md has the table `%s` as the testbed makes it", (name, table) => {
  const page = readFileSync(join(REPOSITORY, "docs", "estimators.md"), "utf8");
  expect(page).toContain(`<!-- ${name} -->\n\n${toMarkdown(table)}\n`);
});
