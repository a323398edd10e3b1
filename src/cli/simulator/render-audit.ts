// An audit of a simulator as text for people.
import type { AuditedTask, FlagCounts, SimulatorAudit, UserFlag } from "#contracts/simulator-audit.ts";
import { formatInterval, formatPercent, formatPoints, formatUsd } from "#core/format.ts";
import { describeReading } from "#core/reading/describe-reading.ts";
import { CUT_ANSWER, UNKNOWN_USAGE } from "#core/rollout/simulator-failure.ts";
import { plainText, startOf } from "#core/text.ts";
import { type Column, renderPairs, renderTable } from "../output.ts";
import { style } from "../style.ts";

const MAX_LINES = 30;
const MAX_WHATS = 4;
const MAX_QUOTE = 80;
const MAX_FAILURES = 3;

export function renderAudit(report: SimulatorAudit): string {
  return [
    renderPairs(overview(report)),
    "",
    renderTable(taskColumns(report), report.tasks),
    "",
    ...(report.recorded === null ? [] : flagSection("recorded users", report.recorded, report.flags)),
    ...flagSection(`users of ${report.simulator.id}`, report.replayed, report.replayedFlags),
    style.dim(
      `The agent's actions are fixed, so only an early stop can change an outcome: the noise floor is a lower bound. See docs/simulators.md.`,
    ),
  ].join("\n");
}

function overview(report: SimulatorAudit): [string, string][] {
  const { simulator, overall, tasks, trials, usage, troubles } = report;
  const sum = (pick: (task: AuditedTask) => number) => tasks.reduce((total, task) => total + pick(task), 0);
  const numReplays = sum((task) => task.numReplays);
  const reproduced = report.source === "trajectories" && numReplays > 0 ? sum((task) => task.numReproduced ?? 0) : null;
  return [
    ["simulator", simulator.id],
    ["tasks", `${report.taskSet}, ${tasks.length} tasks, ${report.source === "trajectories" ? "recorded trajectories" : "golden actions"}`],
    ...(report.reading === undefined ? [] : describeReading(report.reading)),
    [
      "replays",
      `${numReplays} with an outcome (${trials} of each of ${sum((task) => task.numScripts)} sequences), ${sum((task) => task.numSimulatorErrors)} without`,
    ],
    ["pass rate", `${shareText(overall.passRate)}; doing nothing passes ${formatPercent(report.doNothingFloor)}`],
    ["noise floor", noiseText(report)],
    [
      "ends",
      `${sum((task) => task.numEarlyEnds)} replays stopped early by the user, ${sum((task) => task.numOpenEnds)} not stopped at all`,
    ],
    ...(reproduced === null
      ? []
      : [["recorded outcome", `found again in ${formatPercent(reproduced / numReplays)} of replays`] as [string, string]]),
    ...(usage.simulatorCalls === 0 ? [] : [["cost", costText(report)] as [string, string]]),
    ...report.failures
      .slice(0, MAX_FAILURES)
      .map(({ message, count }): [string, string] => ["without outcome", `${count}: ${plainText(message)}`]),
    ...report.notes.map((note): [string, string] => ["endpoint", plainText(note)]),
    ...Object.entries(troubles).map(([code, count]): [string, string] => ["trouble", troubleText(code, count)]),
  ];
}

/** What is counted under other names than codes of failures, in words. */
function troubleText(code: string, count: number): string {
  const answers = count === 1 ? "1 answer of the user was" : `${count} answers of the user were`;
  if (code === CUT_ANSWER) return `${answers} cut at max_tokens, and what was said until then is taken as the whole`;
  if (code === UNKNOWN_USAGE) return `${answers} of a cost that the server does not say in full, and metered by what it says`;
  return `${count} ${code}`;
}

function noiseText({ overall, simulator }: SimulatorAudit): string {
  const { disagreement, passRateDeviation } = overall;
  if (disagreement === null) return "unknown: no sequence has two replays with an outcome";
  if (simulator.isDeterministic && disagreement.value === 0) return "0 exactly: all replays of the same actions end alike";
  const deviation =
    passRateDeviation === null
      ? ""
      : `; moves a pass rate of these tasks by ±${formatPoints(passRateDeviation)} (one standard deviation, one trial each)`;
  return `${formatInterval(disagreement)} of pairs of replays of the same actions end differently${deviation}`;
}

function costText({ usage, estimatedUsd }: SimulatorAudit): string {
  const tokens = `${usage.simulatorPromptTokens} + ${usage.simulatorCompletionTokens} tokens`;
  return `${usage.simulatorCalls} calls, ${tokens}${estimatedUsd === null || estimatedUsd === 0 ? "" : `, about ${formatUsd(estimatedUsd)} USD`}`;
}

function taskColumns({ recorded }: SimulatorAudit): Column<AuditedTask>[] {
  return [
    { header: "task", value: ({ taskId }) => taskId },
    { header: "replays", align: "right", value: ({ numReplays }) => String(numReplays) },
    { header: "passes", align: "right", value: ({ numPasses }) => String(numPasses) },
    { header: "pass rate", align: "right", value: ({ passRate }) => shareText(passRate) },
    { header: "pairs that differ", align: "right", value: ({ disagreement }) => shareText(disagreement) },
    { header: "early stops", align: "right", value: ({ numEarlyEnds }) => String(numEarlyEnds) },
    { header: "no stop", align: "right", value: ({ numOpenEnds }) => String(numOpenEnds) },
    { header: "errors", align: "right", value: ({ numSimulatorErrors }) => String(numSimulatorErrors) },
    ...(recorded === null
      ? []
      : [{ header: "as recorded", align: "right", value: ({ numReproduced }: AuditedTask) => String(numReproduced ?? "–") } as const]),
  ];
}

/** One line per task and kind. */
function flagSection(title: string, counts: FlagCounts, flags: readonly UserFlag[]): string[] {
  const { conversations, wrongFact, earlyStop, goldLeak } = counts;
  const summary = `${title}: of ${conversations} conversations ${wrongFact} with wrong facts, ${earlyStop} stopped before the last write, ${goldLeak} with leaked golden actions`;
  const groups = [...Map.groupBy(flags, ({ taskId, kind }) => `${taskId} ${kind}`).values()];
  const more = groups.length > MAX_LINES ? [`  and ${groups.length - MAX_LINES} tasks more; --json shows all`] : [];
  return [style.bold(summary), ...groups.slice(0, MAX_LINES).map(flagLine), ...more, ""];
}

function flagLine(group: readonly UserFlag[]): string {
  const { kind, taskId, trial, message, quote } = group[0] as UserFlag;
  const conversations = new Set(group.map((flag) => flag.trial)).size;
  const whats = [...new Set(group.map(({ what }) => what))];
  const list = `${whats.slice(0, MAX_WHATS).join(", ")}${whats.length > MAX_WHATS ? ", …" : ""}`;
  const example = quote.length > MAX_QUOTE ? `${startOf(quote, MAX_QUOTE)}…` : quote;
  return `  ${taskId}  ${kind} in ${conversations}: ${plainText(list)}  ${style.dim(`trial ${trial}, message ${message}: ${plainText(example)}`)}`;
}

/** A share that is certain needs no interval. */
function shareText(share: AuditedTask["passRate"]): string {
  return share !== null && share.low === share.high ? formatPercent(share.value) : formatInterval(share);
}
