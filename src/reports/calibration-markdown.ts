// A calibration report as Markdown, for people. The report itself is the contract; nothing is computed here.
import type { CalibrationReport, Finding, GateRow, SplitStatistics, TableAssessment } from "#contracts/calibration-report.ts";
import type { RewardTable } from "#contracts/reward-table.ts";
import type { ProposalRecord } from "#contracts/table-proposal.ts";
import { nameRoles } from "#core/calibration/table-roles.ts";
import { formatFigure, formatFinding, formatPercent, formatRate, formatTierValue, formatUsd } from "#core/format.ts";
import { describeReading } from "#core/reading/describe-reading.ts";
import { schemeName } from "#core/reward/tiers.ts";

export const DECISIONS = {
  accept: "The gate **accepts** the fitted table.",
  reject: "The gate **rejects** the fitted table; the one in force stays.",
  insufficient: "The evidence is **insufficient**; the table in force stays.",
} as const;

/** What each line of the gate asks, in words. */
export const CRITERIA: Readonly<Record<GateRow["criterion"], string>> = {
  "proxy-mismatches": "revalued tiers whose A^I + lambda A^O points the wrong way",
  "estimator-mismatches": "revalued tiers whose advantage in training points the wrong way",
  "within-task-correlation": "mean turn reward against outcome, within task",
  "discriminative-accuracy": "pass/fail pairs that the reward orders rightly",
  "advantage-correlation": "advantages against within-task correlations, over tiers",
  pairs: "pass/fail pairs to judge on",
  "not-worse-than-author": "gain in discriminative accuracy over the author's table",
  "not-worse-than-in-force": "gain in discriminative accuracy over the table in force",
};

/** Markdown of a whole report, ending with a newline. */
export function renderReport(report: CalibrationReport): string {
  const sections = [
    `# Calibration, iteration ${report.iteration}`,
    `${DECISIONS[report.gate.decision]} Rule ${report.rule}, tiers ${schemeName(report.scheme)}, estimator ${report.advantage.type}; ${formatPercent(report.confidence)} intervals over tasks, ${report.config.bootstrapResamples} resamples.`,
    buffer(report),
    `## Gate (judging tasks only)\n\n${gate(report.gate.rows)}`,
    `## Reward table\n\n${rewardTable(report)}`,
    `## Tiers and the outcome (all tasks)\n\n${tiers(report.splits.find(({ split }) => split === "all"))}`,
    ...report.assessments
      .filter(({ split }) => split === "judge")
      .map((assessment) => `## Judging tasks: ${nameRoles(assessment.roles)}\n\n${assess(assessment)}`),
    proposal(report),
    notes(report),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function buffer({ splits, doNothingFloor, bufferSha256, reading }: CalibrationReport): string {
  const rows = splits.map((split) => [
    split.split,
    split.numTasks,
    split.numRollouts,
    split.numTurns,
    formatRate(split.passRate),
    split.numMixedTasks,
    split.numPairs,
  ]);
  return `${table(["split", "tasks", "rollouts", "turns", "pass", "mixed tasks", "pass/fail pairs"], rows)}\n\n${floor(doNothingFloor)}Buffer ${bufferSha256.slice(0, 12)}.${account(reading)}`;
}

const account = (reading: CalibrationReport["reading"]): string =>
  reading === undefined
    ? ""
    : `\n\n${describeReading(reading)
        .map(([what, how]) => `- ${what}: ${how}`)
        .join("\n")}`;

const floor = (share: number | null): string =>
  share === null ? "What doing nothing passes is not known. " : `Doing nothing passes ${formatPercent(share)} of the tasks. `;

function gate(rows: readonly GateRow[]): string {
  return table(
    ["criterion", "value", "interval", "needed", "verdict"],
    rows.map((row) => [
      CRITERIA[row.criterion] + (row.note === null ? "" : ` (${row.note})`),
      formatFigure(row.value),
      row.interval === null ? "" : `[${formatFigure(row.interval.low)}, ${formatFigure(row.interval.high)}]`,
      `${row.relation} ${formatFigure(row.threshold)}`,
      row.verdict,
    ]),
  );
}

function rewardTable(report: CalibrationReport): string {
  const { fittedTable } = report;
  const columns = tableColumns(report);
  const rows = Object.keys(fittedTable.values).map((tier) => [
    tier,
    ...columns.map(({ table: { values } }) => formatTierValue(values[tier] ?? 0)),
    remark(report, tier),
  ]);
  return [table(["tier", ...columns.map(({ title }) => title), ""], rows), ...tableNotes(report)].join("\n\n");
}

/** The tables of a report as columns: the author's and the one in force, once where they are the same, and the fitted one. */
export function tableColumns({ authorTable, inForceTable, fittedTable }: CalibrationReport): { title: string; table: RewardTable }[] {
  const isSame = authorTable?.sha256 === inForceTable.sha256;
  return [
    ...(authorTable === null ? [] : [{ title: `${isSame ? "author's, in force" : "author's"} (${authorTable.name})`, table: authorTable }]),
    ...(isSame ? [] : [{ title: `in force (${inForceTable.name})`, table: inForceTable }]),
    { title: `fitted (${fittedTable.name})`, table: fittedTable },
  ];
}

/** What the columns do not say: which table a person would approve, in which units it is, what was fitted as one. */
export function tableNotes({ authorTable, inForceTable, fittedTable, scale, splits }: CalibrationReport): string[] {
  const deeds = splits.find(({ split }) => split === "all")?.deeds ?? [];
  return [
    `Fitted table ${fittedTable.sha256.slice(0, 12)}, to replace ${inForceTable.sha256.slice(0, 12)}.`,
    ...(authorTable === null ? ["The author's table is not in reports of this version."] : []),
    ...(scale === null ? [] : [`A correlation of 1 is worth ${formatFigure(scale)} on the author's scale, before alpha.`]),
    ...deeds.map(
      ({ tiers: names, withinTask, support }) =>
        `${names.join(" and ")} mean the same deed and are fitted as one: within-task correlation ${formatFinding(withinTask)}, support ${support}.`,
    ),
  ];
}

function remark({ conflicts, neutralized, kept, fittedTable }: CalibrationReport, tier: string): string {
  const outcome = fittedTable.values[tier] === 0 ? ": neutral" : "";
  if (conflicts.some((conflict) => conflict.tier === tier)) return `the data contradicts the author's sign${outcome}`;
  if (neutralized.some((one) => one.tier === tier)) return "its advantages did not follow its value: neutral";
  return kept.includes(tier) ? "too little evidence: the value in force stays" : "";
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
      formatFigure(row.passRateGivenTurn),
      formatRate(row.passRate),
      formatFinding(row.pooled),
      formatFinding(row.withinTask),
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
      formatTierValue(tier.value),
      tier.numTurns,
      formatFinding(tier.proxy),
      formatFinding(tier.summed),
      formatFinding(tier.estimator),
      tier.estimatorAlignment,
      tier.gradientShare === null ? "n/a" : formatPercent(tier.gradientShare),
    ]);
  return [
    table(
      ["statistic", "value"],
      facts.map(([name, fact]) => [name, formatFinding(fact)]),
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
    `${model}: ${attempts.length} ${attempts.length === 1 ? "answer" : "answers"}, ${proposalTokens(usage)}${usage.usd > 0 ? `, ${formatUsd(usage.usd)} USD` : ""}. It was shown the fitting tasks only.`,
    ...(said === null ? [] : [`> ${said.rationale.replaceAll(/\s+/g, " ")}`]),
    ...(splits.length === 0 ? [] : [splits.join("\n")]),
  ].join("\n\n");
}

/** What the model's answers cost, as far as its server says. */
export function proposalTokens({ promptTokens, completionTokens, uncountedCalls = 0 }: ProposalRecord["usage"]): string {
  const unknown = uncountedCalls === 0 ? "" : ` and more: of ${uncountedCalls} of its answers its server does not say all tokens`;
  return `${promptTokens} prompt and ${completionTokens} completion tokens${unknown}`;
}

function notes(report: CalibrationReport): string {
  const lines = readWithCare(report);
  return lines.length === 0 ? "" : `## Read with care\n\n${lines.map((line) => `- ${line}`).join("\n")}`;
}

/** What a reader must know: where the data speaks against the author, and the warnings. */
export function readWithCare({ warnings, conflicts, fittedTable }: CalibrationReport): string[] {
  return [
    ...conflicts.map(
      ({ tier, intendedSign, fittedValue }) =>
        `${tier}: its author means to ${intendedSign > 0 ? "reward" : "punish"} it, the data says ${formatFigure(fittedValue)}${fittedTable.values[tier] === 0 ? "; it is worth 0 until they agree" : ""}`,
    ),
    ...warnings.map(({ message }) => message),
  ];
}

function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
