// The campaign's result as a person reads it: per iteration what was measured and decided, then the policies side by side, then what it does not show.
import type { GateRow } from "#contracts/calibration-report.ts";
import type { TierValue } from "#contracts/reward-table.ts";
import { nameRoles } from "#core/calibration/table-roles.ts";
import {
  type Column,
  formatDifference,
  formatDuration,
  formatInterval,
  formatNumber,
  formatPercent,
  formatTime,
  printLine,
  renderPairs,
  renderTable,
} from "../output.ts";
import { style } from "../style.ts";
import type { CampaignPlan, TaskPlan } from "./plan.ts";
import type { CampaignSummary, IterationSummary, TierChange } from "./summary.ts";

const COLUMNS: readonly Column<IterationSummary>[] = [
  { header: "iteration", align: "right", value: ({ iteration }) => (iteration === 0 ? "base" : String(iteration)) },
  { header: "train pass rate", align: "right", value: ({ trainPassRate }) => formatPercent(trainPassRate) },
  { header: "by doing nothing", align: "right", value: ({ trainDoNothingFloor }) => formatPercent(trainDoNothingFloor) },
  { header: "mixed groups", align: "right", value: ({ mixedGroupShare }) => formatPercent(mixedGroupShare) },
  { header: "evaluation pass rate", value: ({ evaluation }) => formatInterval(evaluation) },
  { header: "against base", value: ({ differenceToBase }) => formatDifference(differenceToBase) },
  { header: "gate", value: ({ gate }) => gate ?? "–" },
  { header: "policy", value: ({ promotion, iteration }) => (iteration === 0 ? "–" : (promotion ?? "running")) },
];

export function printSummary(summary: CampaignSummary): void {
  const { iterations, confidence } = summary;
  printLine(`${style.bold(summary.campaignId)}  ${style.dim(summary.description)}`);
  printLine(
    renderPairs([
      ["state", summary.reason === null ? summary.state : `${summary.state}: ${summary.reason}`],
      ["created", `${formatTime(summary.createdAt)}, ${formatDuration(summary.seconds)} of wall time, code ${summary.codeVersion}`],
      ["held-out tasks", heldOut(summary)],
    ]),
  );
  if (iterations.length === 0) return;
  printLine("");
  printLine(renderTable(COLUMNS, iterations));
  printLine(style.dim(`brackets: ${formatPercent(confidence)} intervals by bootstrap over tasks`));
  printLine("");
  for (const iteration of iterations.filter(({ tableChanges }) => tableChanges.length > 0)) {
    printLine(`reward table after iteration ${iteration.iteration}: ${iteration.tableChanges.map(describeChange).join(", ")}`);
  }
  if (iterations.every(({ tableChanges }) => tableChanges.length === 0))
    printLine("reward table: unchanged (the author's stays while the gate does not accept a fitted one)");
  const calibrated = iterations.filter(({ judged }) => judged.length > 0);
  if (calibrated.length > 0) printCalibration(calibrated);
  printLine("");
  printLine("wall time by stage");
  printLine(renderStageTimes(iterations));
  if (summary.finalPassRate !== null) printVerdict(summary);
}

/** The fitted table beside the author's and the one in force, on tasks that took no part in fitting, and what kept the gate from accepting. */
function printCalibration(iterations: readonly IterationSummary[]): void {
  const rows = iterations.flatMap(({ iteration, judged }) => judged.map((table) => ({ iteration, ...table })));
  const columns: Column<(typeof rows)[number]>[] = [
    { header: "iteration", align: "right", value: ({ iteration }) => String(iteration) },
    { header: "table", value: ({ roles }) => nameRoles(roles) },
    { header: "tells pass from fail", align: "right", value: ({ discriminativeAccuracy }) => formatPercent(discriminativeAccuracy) },
    {
      header: "reward-outcome correlation",
      align: "right",
      value: ({ rewardOutcomeWithinTask }) => formatNumber(rewardOutcomeWithinTask, 3),
    },
    { header: "turns pushed the wrong way", align: "right", value: ({ turnMisalignment }) => formatPercent(turnMisalignment) },
  ];
  printLine("");
  printLine("reward tables on the tasks that only judge");
  printLine(renderTable(columns, rows));
  for (const { iteration, gate, gateDoubts } of iterations) {
    if (gateDoubts.length > 0)
      printLine(style.dim(`gate of iteration ${iteration}: ${gate}, for ${gateDoubts.map(describeDoubt).join("; ")}`));
  }
}

function describeDoubt({ criterion, value, interval, relation, threshold, note }: GateRow): string {
  const range = interval === null ? "" : ` [${formatNumber(interval.low, 3)}, ${formatNumber(interval.high, 3)}]`;
  return `${criterion} ${formatNumber(value, 3)}${range}, wanted ${relation} ${threshold}${note === null ? "" : ` (${note})`}`;
}

function heldOut({ numEvaluationTasks, trials, doNothingFloor }: CampaignSummary): string {
  if (numEvaluationTasks === null) return "not evaluated yet";
  return `${numEvaluationTasks} tasks x ${trials} trials, the same tasks and seeds for every policy; doing nothing passes ${formatPercent(doNothingFloor)}`;
}

function describeChange({ tier, before, after }: TierChange): string {
  return `${tier} ${describeValue(before)} -> ${describeValue(after)}`;
}

function describeValue(value: TierValue | null): string {
  return value === null ? "none" : typeof value === "number" ? formatNumber(value, 3) : value;
}

function renderStageTimes(iterations: readonly IterationSummary[]): string {
  const stages = ["rollout", "calibration", "redesign", "training", "selection"];
  const columns: Column<IterationSummary>[] = [
    { header: "iteration", align: "right", value: ({ iteration }) => (iteration === 0 ? "base" : String(iteration)) },
    ...stages.map(
      (stage): Column<IterationSummary> => ({
        header: stage,
        align: "right",
        value: ({ stageSeconds }) => formatDuration(stageSeconds[stage]),
      }),
    ),
  ];
  return renderTable(columns, iterations);
}

function printVerdict(summary: CampaignSummary): void {
  printLine("");
  printLine(
    renderPairs([
      ["base policy", `${summary.basePolicy}  ${formatInterval(summary.basePassRate)}`],
      ["promoted policy", `${summary.promotedPolicy}  ${formatInterval(summary.finalPassRate)}  (iteration ${summary.promotedIteration})`],
      [
        "paired difference",
        summary.differenceToBase === null ? "none: the base policy is still the promoted one" : formatDifference(summary.differenceToBase),
      ],
    ]),
  );
  if (summary.state === "open") return;
  printLine("");
  printLine(style.dim(verdictText(summary)));
}

/** What the numbers say, and what they do not. */
function verdictText({ differenceToBase }: CampaignSummary): string {
  const limits =
    "It is one campaign with one seed: training luck is not in the interval. The promoted policy was chosen on these held-out tasks, so its level is slightly optimistic. " +
    "It says nothing about other estimators or reward tables, which would need arms of their own, and nothing about real users.";
  if (differenceToBase === null || differenceToBase.low === null || differenceToBase.high === null)
    return `No policy was promoted. ${limits}`;
  if (differenceToBase.low > 0)
    return `The interval of the paired difference lies above zero: on these tasks and this simulator the promoted policy passes more. ${limits}`;
  if (differenceToBase.high < 0)
    return `The interval of the paired difference lies below zero: on these tasks the promoted policy passes less. ${limits}`;
  return `The interval of the paired difference includes zero: these tasks do not tell the two policies apart. ${limits}`;
}

function trainingPairs({ training: { place, problem } }: CampaignPlan): [string, string][] {
  if (problem === null) return [["training", place]];
  return [
    ["training", place],
    ["", `${style.yellow("cannot run on this machine")}: ${problem.message}; ${problem.next}`],
  ];
}

export function printPlan(plan: CampaignPlan, { train, selection, test }: TaskPlan): void {
  printLine("");
  printLine(style.bold("plan"));
  printLine(
    renderPairs([
      ["tasks", `${train.tasks} to train on, ${selection.tasks} for selection, ${test.tasks} for the test; no user is in two of them`],
      [
        "doing nothing",
        `passes ${[train, selection, test].map((split) => (split.tasks === 0 ? "–" : formatPercent(split.doNothingFloor))).join(", ")} of them`,
      ],
      ["iterations", `at most ${plan.iterations}`],
      [
        "rollouts",
        `${plan.rollouts}: ${plan.trainRolloutsPerIteration} per iteration, ${plan.selectionRolloutsPerPolicy} per policy in selection, ${plan.testRolloutsPerPolicy} in the test of the base and the final one`,
      ],
      ["policy calls", `about ${plan.policyCalls}`],
      ["optimizer steps", `at most ${plan.optimizerSteps}`],
      ...trainingPairs(plan),
      [
        "user model",
        plan.simulatorCalls === 0 ? "scripted, free" : `about ${plan.simulatorCalls} calls, ${plan.estimatedUsd.toFixed(2)} USD`,
      ],
      ["estimated from", plan.assumptions],
    ]),
  );
}
