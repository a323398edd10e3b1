// A calibration report as one HTML file that needs nothing else: tables, plots, and what to read from them.
import type { CalibrationReport, GateRow } from "#contracts/calibration-report.ts";
import { inRole, nameRoles } from "#core/calibration/table-roles.ts";
import { formatFigure, formatFigureBounds, formatFinding, formatPercent, formatRate, formatTierValue } from "#core/format.ts";
import { schemeName } from "#core/reward/tiers.ts";
import { CRITERIA, DECISIONS, proposalTokens, readWithCare, tableColumns, tableNotes } from "../calibration-markdown.ts";
import { plotAdvantages, plotDeadTurns, plotGradientShares, plotRewardByOutcome, plotTierEffects } from "./plots.ts";
import { escapeText } from "./svg.ts";

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --faint: #6b7480; --line: #d9dee4; --paper: #fff; --first: #1f6feb; --second: #b35900; --good: #1a7f37; --bad: #c2332b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --faint: #98a2ad; --line: #363d45; --paper: #14181d; --first: #6ea8fe; --second: #f0a04b; --good: #4cc46a; --bad: #ff7b72; } }
body { margin: 2.5rem auto; max-width: 60rem; padding: 0 1rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; } p.note { color: var(--faint); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { text-align: left; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } th { color: var(--faint); font-weight: 500; }
.accept { color: var(--good); } .reject { color: var(--bad); } .insufficient { color: var(--second); }
svg { max-width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg .tick, svg .faint { fill: var(--faint); }
.grid { stroke: var(--line); } .zero { stroke: var(--faint); }
.whisker { stroke-width: 2; } .whisker.first { stroke: var(--first); } .whisker.second { stroke: var(--second); stroke-dasharray: 3 2; }
.point.first { fill: var(--first); } .point.second { fill: var(--paper); stroke: var(--second); stroke-width: 2; }
pre { white-space: pre-wrap; font-size: .85rem; border-left: 3px solid var(--line); padding-left: .8rem; }
.bar.first { fill: var(--first); } .bar.second { fill: var(--second); opacity: .65; } .curve { fill: none; stroke-width: 2; } .curve.first { stroke: var(--first); } .curve.second { stroke: var(--second); stroke-dasharray: 4 3; }
.key span { margin-right: 1.5rem; } .key .first::before { content: "●"; color: var(--first); margin-right: .4em; } .key .second::before { content: "○"; color: var(--second); margin-right: .4em; }
`;

/** A whole page, ready to be written to a file and opened from disk. */
export function renderPage(report: CalibrationReport): string {
  const fitted = inRole(report.profiles, "fitted");
  const sections = [
    `<h1>Calibration, iteration ${report.iteration}</h1>`,
    `<p class="${report.gate.decision}">${emphasize(DECISIONS[report.gate.decision])}</p>`,
    `<p class="note">Rule ${escapeText(report.rule)}, tiers ${escapeText(schemeName(report.scheme))}, estimator ${escapeText(report.advantage.type)}; ${formatPercent(report.confidence)} intervals over tasks, ${report.config.bootstrapResamples} resamples; buffer ${report.bufferSha256.slice(0, 12)}.</p>`,
    bufferTable(report),
    section("Gate", "Judging tasks took no part in fitting. Every line must accept.", gateTable(report.gate.rows)),
    section("Reward table", tableNotes(report).map(escapeText).join(" "), rewardTable(report)),
    section("The tables on the judging tasks", "", judgedTables(report)),
    section(
      "What each tier has to do with success",
      "A hollow mark far from its filled one means that the tier marks easy or hard tasks rather than good or bad turns.",
      key("within a task", "over all rollouts") + plotTierEffects(report),
    ),
    section(
      "What training would do with each tier",
      "Mean advantage on the judging tasks. A rewarded tier should lie to the right of 0, a punished one to the left.",
      key("fitted table", "table in force") + plotAdvantages(report),
    ),
    section(
      "Where the gradient goes",
      "Share of |advantage| times tokens.",
      key("fitted table", "table in force") + plotGradientShares(report),
    ),
    section(
      "Dead turns",
      "Turns without any advantage, by their index in the conversation.",
      key("fitted table", "table in force") + plotDeadTurns(report),
    ),
    fitted === undefined
      ? ""
      : section(
          "Reward and outcome",
          "Rollouts by mean turn reward under the fitted table.",
          key("passing", "failing") + plotRewardByOutcome(fitted),
        ),
    proposal(report),
    notes(report),
  ];
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Calibration, iteration ${report.iteration}</title><style>${STYLE}</style></head>\n<body>\n${sections.filter((one) => one !== "").join("\n")}\n</body></html>\n`;
}

function section(title: string, note: string, body: string): string {
  return `<section><h2>${title}</h2>${note === "" ? "" : `<p class="note">${note}</p>`}${body}</section>`;
}

function key(first: string, second: string): string {
  return `<p class="key"><span class="first">${first}</span><span class="second">${second}</span></p>`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], name: "th" | "td") => `<tr>${row.map((cell) => `<${name}>${cell}</${name}>`).join("")}</tr>`;
  return `<table><thead>${cells(header, "th")}</thead><tbody>${rows.map((row) => cells(row, "td")).join("")}</tbody></table>`;
}

function bufferTable({ splits, doNothingFloor }: CalibrationReport): string {
  const rows = splits.map((one) => [
    one.split,
    `${one.numTasks}`,
    `${one.numRollouts}`,
    `${one.numTurns}`,
    formatRate(one.passRate),
    `${one.numMixedTasks}`,
    `${one.numPairs}`,
  ]);
  const floor =
    doNothingFloor === null
      ? "<p>What doing nothing passes is not known.</p>"
      : `<p>Doing nothing passes ${formatPercent(doNothingFloor)} of the tasks.</p>`;
  return table(["split", "tasks", "rollouts", "turns", "pass", "mixed tasks", "pass/fail pairs"], rows) + floor;
}

function gateTable(rows: readonly GateRow[]): string {
  return table(
    ["criterion", "value", "interval", "needed", "verdict"],
    rows.map((row) => [
      escapeText(CRITERIA[row.criterion] + (row.note === null ? "" : ` (${row.note})`)),
      formatFigure(row.value),
      row.interval === null ? "" : formatFigureBounds(row.interval),
      escapeText(`${row.relation} ${formatFigure(row.threshold)}`),
      `<span class="${row.verdict}">${row.verdict}</span>`,
    ]),
  );
}

function rewardTable(report: CalibrationReport): string {
  const columns = tableColumns(report);
  const tiers = report.splits.find(({ split }) => split === "all")?.tiers ?? [];
  const rows = Object.keys(report.fittedTable.values).map((tier) => {
    const found = tiers.find((one) => one.tier === tier);
    return [
      escapeText(tier),
      ...columns.map(({ table: { values } }) => formatTierValue(values[tier] ?? 0)),
      `${found?.numTurns ?? 0}`,
      formatFinding(found?.withinTask),
      `${found?.support ?? 0}`,
    ];
  });
  return table(["tier", ...columns.map(({ title }) => escapeText(title)), "turns", "within-task correlation", "support"], rows);
}

function judgedTables({ assessments }: CalibrationReport): string {
  const rows = assessments
    .filter(({ split }) => split === "judge")
    .map((one) => [
      nameRoles(one.roles),
      formatFinding(one.discriminativeAccuracy),
      formatFinding(one.rewardOutcomeWithinTask),
      formatFinding(one.advantageCorrelation),
      formatFinding(one.turnMisalignment),
      formatFinding(one.deadTurns),
    ]);
  return table(
    [
      "table",
      "pairs ordered rightly",
      "reward and outcome, within task",
      "advantages and correlations",
      "turns pushed the wrong way",
      "dead turns",
    ],
    rows,
  );
}

function proposal({ proposal: record }: CalibrationReport): string {
  if (record === null) return "";
  const { model, attempts, usage, prompt } = record;
  const about = `${model}, ${attempts.length} of its answers read, ${proposalTokens(usage)}. It was shown the fitting tasks only.`;
  const said = attempts.map(
    ({ answer, problem }) => `<pre>${escapeText(answer)}</pre>${problem === null ? "" : `<p>Not used: ${escapeText(problem)}</p>`}`,
  );
  const shown = prompt.map(({ content }) => `<pre>${escapeText(content)}</pre>`).join("");
  return section("Proposed by a model", about, `${said.join("")}<details><summary>What it was shown</summary>${shown}</details>`);
}

function notes(report: CalibrationReport): string {
  const lines = readWithCare(report);
  return lines.length === 0
    ? ""
    : section("Read with care", "", `<ul>${lines.map((line) => `<li>${escapeText(line)}</li>`).join("")}</ul>`);
}

/** Markdown's ** to strong; the decisions use nothing else. */
function emphasize(markdown: string): string {
  return escapeText(markdown).replaceAll(/\*\*(.+?)\*\*/g, "<strong>$1</strong>");
}
