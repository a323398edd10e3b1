// A calibration report as Markdown, for people. The report itself is the contract; nothing is computed here.
import type { CalibrationReport, Finding, GateRow, SplitStatistics, TableAssessment } from "#contracts/calibration-report.ts";
import type { TierValue } from "#contracts/reward-table.ts";
import { schemeName } from "../reward/tiers.ts";

export const DECISIONS = {
  accept: "The gate **accepts** the fitted table.",
  reject: "The gate **rejects** the fitted table; the prior stays.",
  insufficient: "The evidence is **insufficient**; the prior stays.",
} as const;

/** What each line of the gate asks, in words. */
export const CRITERIA: Readonly<Record<GateRow["criterion"], string>> = {
  "proxy-mismatches": "revalued tiers whose A^I + lambda A^O points the wrong way",
  "estimator-mismatches": "revalued tiers whose advantage in training points the wrong way",
  "within-task-correlation": "mean turn reward against outcome, within task",
  "discriminative-accuracy": "pass/fail pairs that the reward orders rightly",
  "advantage-correlation": "advantages against within-task correlations, over tiers",
  pairs: "pass/fail pairs to judge on",
  "not-worse-than-prior": "gain in discriminative accuracy over the unfitted prior",
};

/** Markdown of a whole report, ending with a newline. */
export function renderReport(report: CalibrationReport): string {
  const sections = [
    `# Calibration, iteration ${report.iteration}`,
    `${DECISIONS[report.gate.decision]} Rule ${report.rule}, tiers ${schemeName(report.scheme)}, estimator ${report.advantage.type}; ${percent(report.confidence)} intervals over tasks, ${report.config.bootstrapResamples} resamples.`,
    buffer(report),
    `## Gate (judging tasks only)\n\n${gate(report.gate.rows)}`,
    `## Reward table\n\n${rewardTable(report)}`,
    `## Tiers and the outcome (all tasks)\n\n${tiers(report.splits.find(({ split }) => split === "all"))}`,
    ...report.assessments
      .filter(({ split }) => split === "judge")
      .map((assessment) => `## The ${assessment.table} table on the judging tasks\n\n${assess(assessment)}`),
    proposal(report),
    notes(report),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function buffer({ splits, doNothingFloor, bufferSha256 }: CalibrationReport): string {
  const rows = splits.map((split) => [
    split.split,
    split.numTasks,
    split.numRollouts,
    split.numTurns,
    rate(split.passRate),
    split.numMixedTasks,
    split.numPairs,
  ]);
  return `${table(["split", "tasks", "rollouts", "turns", "pass", "mixed tasks", "pass/fail pairs"], rows)}\n\n${floor(doNothingFloor)}Buffer ${bufferSha256.slice(0, 12)}.`;
}

const floor = (share: number | null): string => (share === null ? "" : `Doing nothing passes ${percent(share)} of the tasks. `);

function gate(rows: readonly GateRow[]): string {
  return table(
    ["criterion", "value", "interval", "needed", "verdict"],
    rows.map((row) => [
      CRITERIA[row.criterion] + (row.note === null ? "" : ` (${row.note})`),
      number(row.value),
      row.interval === null ? "" : `[${number(row.interval.low)}, ${number(row.interval.high)}]`,
      `${row.relation} ${number(row.threshold)}`,
      row.verdict,
    ]),
  );
}

function rewardTable(report: CalibrationReport): string {
  const { priorTable, fittedTable } = report;
  const rows = Object.keys(fittedTable.values).map((tier) => [
    tier,
    value(priorTable.values[tier] ?? 0),
    value(fittedTable.values[tier] ?? 0),
    remark(report, tier),
  ]);
  return table(["tier", `prior (${priorTable.name})`, `fitted (${fittedTable.name})`, ""], rows);
}

function remark({ conflicts, neutralized, keptPrior }: CalibrationReport, tier: string): string {
  if (conflicts.some((conflict) => conflict.tier === tier)) return "the data contradicts the prior's sign: neutral";
  if (neutralized.some((one) => one.tier === tier)) return "its advantages did not follow its value: neutral";
  return keptPrior.includes(tier) ? "too little evidence: the prior stays" : "";
}

function tiers(split: SplitStatistics | undefined): string {
  const rows = (split?.tiers ?? []).filter(({ numTurns, numRollouts }) => numTurns + numRollouts > 0);
  return table(
    [
      "tier",
      "turns",
      "rollouts",
      "pass given turn",
      "pass given tier in rollout",
      "correlation, pooled",
      "correlation, within task",
      "support",
    ],
    rows.map((row) => [
      row.tier,
      row.numTurns,
      row.numRollouts,
      number(row.passRateGivenTurn),
      rate(row.passRate),
      finding(row.pooled),
      finding(row.withinTask),
      row.support,
    ]),
  );
}

function assess(assessment: TableAssessment): string {
  const facts: [string, Finding][] = [
    ["discriminative accuracy", assessment.discriminativeAccuracy],
    ["reward and outcome, within task", assessment.rewardOutcomeWithinTask],
    ["reward and outcome, pooled", assessment.rewardOutcomePooled],
    ["advantages and within-task correlations, over tiers", assessment.advantageCorrelation],
    ["turns with an advantage of the wrong sign", assessment.turnMisalignment],
    ["turns without any advantage", assessment.deadTurns],
  ];
  const rows = assessment.tiers
    .filter(({ numTurns }) => numTurns > 0)
    .map((tier) => [
      tier.tier,
      value(tier.value),
      tier.numTurns,
      finding(tier.proxy),
      finding(tier.summed),
      finding(tier.estimator),
      tier.estimatorAlignment,
      tier.gradientShare === null ? "n/a" : percent(tier.gradientShare),
    ]);
  return [
    table(
      ["statistic", "value"],
      facts.map(([name, fact]) => [name, finding(fact)]),
    ),
    table(["tier", "reward", "turns", "A^I + lambda A^O", "summed A^I + lambda A^O", "advantage in training", "sign", "gradient"], rows),
  ].join("\n\n");
}

function proposal({ proposal: record }: CalibrationReport): string {
  if (record === null) return "";
  const { model, attempts, usage, proposal: said } = record;
  const splits = (said?.splits ?? []).map(({ tier, from, when }) => `- ${tier}, from ${from} where \`${JSON.stringify(when)}\``);
  return [
    "## Proposed by a model",
    `${model}: ${attempts.length} ${attempts.length === 1 ? "answer" : "answers"}, ${usage.promptTokens} prompt and ${usage.completionTokens} completion tokens${usage.usd > 0 ? `, ${usage.usd.toFixed(4)} USD` : ""}. It was shown the fitting tasks only.`,
    ...(said === null ? [] : [`> ${said.rationale.replaceAll(/\s+/g, " ")}`]),
    ...(splits.length === 0 ? [] : [splits.join("\n")]),
  ].join("\n\n");
}

function notes({ warnings, conflicts }: CalibrationReport): string {
  const lines = [
    ...conflicts.map(
      ({ tier, intendedSign, fittedValue }) =>
        `${tier}: the prior ${intendedSign > 0 ? "rewards" : "punishes"} it, the data says ${number(fittedValue)}; it is worth 0 until they agree`,
    ),
    ...warnings.map(({ message }) => message),
  ];
  return lines.length === 0 ? "" : `## Read with care\n\n${lines.map((line) => `- ${line}`).join("\n")}`;
}

function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

function finding({ value: point, low, high }: Finding): string {
  if (point === null) return "n/a";
  return low === null || high === null ? number(point) : `${number(point)} [${number(low)}, ${number(high)}]`;
}

function rate({ value: share, low, high }: Finding): string {
  return share === null || low === null || high === null
    ? "n/a"
    : `${percent(share)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
}

function number(x: number | null): string {
  if (x === null) return "n/a";
  return Number.isInteger(x) ? String(x) : `${x > 0 ? "+" : ""}${x.toFixed(3)}`;
}

function value(x: TierValue): string {
  return x === "soft" ? "0.5 to 0.99" : number(x);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
