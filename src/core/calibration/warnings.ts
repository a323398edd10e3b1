// What a reader of a report must know before believing it.

import type { CalibrationWarning, Finding, SplitStatistics } from "#contracts/calibration-report.ts";
import type { ProposalRecord } from "#contracts/table-proposal.ts";
import { formatSigned } from "../format.ts";
import { countDoubtfulCalls, describeDoubt } from "../reward/label-rollout.ts";
import type { TaskRollouts } from "./buffer.ts";

/** Warnings about the buffer and its tiers. `kept` are the tiers that had no support for a fit. */
export function findWarnings(
  tasks: readonly TaskRollouts[],
  splits: readonly SplitStatistics[],
  kept: readonly string[],
  proposal?: ProposalRecord,
): CalibrationWarning[] {
  const all = splits.find(({ split }) => split === "all");
  const judge = splits.find(({ split }) => split === "judge");
  if (all === undefined || judge === undefined) return [];
  const onFit = proposal === undefined ? supportWarnings(all, kept) : proposalWarnings(proposal);
  return [...bufferWarnings(tasks, all, judge), ...doubtWarnings(tasks), ...all.tiers.flatMap(confounding), ...onFit];
}

function proposalWarnings({ model, attempts, proposal }: ProposalRecord): CalibrationWarning[] {
  if (proposal !== null) return [];
  const reason = attempts.at(-1)?.problem ?? "no answer";
  const message = `${model} gave no usable reward table in ${attempts.length} attempts, so the table in force stays; the last answer: ${reason}`;
  return [{ code: "no-usable-proposal", tier: null, message }];
}

function bufferWarnings(tasks: readonly TaskRollouts[], all: SplitStatistics, judge: SplitStatistics): CalibrationWarning[] {
  const warnings: CalibrationWarning[] = [];
  const warn = (code: CalibrationWarning["code"], message: string) => warnings.push({ code, tier: null, message });
  const numUsers = new Set(tasks.map((task) => (task.userId === "" ? `task:${task.taskId}` : task.userId))).size;
  if (tasks.length === 1) warn("one-task", "all rollouts are of one task: nothing is left to judge a fit on, and no interval can be given");
  else if (numUsers === 1) warn("one-user", "all tasks are of one user: nothing is left to judge a fit on");
  if (all.numPairs === 0 && (all.numPasses === 0 || all.numPasses === all.numRollouts)) {
    warn(
      "no-variation",
      `all ${all.numRollouts} rollouts ${all.numPasses === 0 ? "fail" : "pass"}: no tier can be told apart by its outcome`,
    );
  } else if (all.numPairs === 0) warn("no-pairs", "no task has rollouts that earned unequally: nothing can be said within a task");
  else if (judge.numPairs === 0) warn("no-pairs", "no judging task has rollouts that earned unequally");
  return warnings;
}

function doubtWarnings(tasks: readonly TaskRollouts[]): CalibrationWarning[] {
  const numDoubtful = countDoubtfulCalls(tasks.flatMap(({ rollouts }) => rollouts));
  return numDoubtful === 0 ? [] : [{ code: "doubtful-calls", tier: null, message: describeDoubt(numDoubtful) }];
}

/** Pooled and within-task correlation tell different stories: the tier marks hard or easy tasks, not good or bad turns. */
function confounding({ tier, pooled, withinTask }: SplitStatistics["tiers"][number]): CalibrationWarning[] {
  if (pooled.value === null || withinTask.value === null) return [];
  const [p, w] = [certainSign(pooled), certainSign(withinTask)];
  const numbers = `pooled ${format(pooled)}, within task ${format(withinTask)}`;
  if (p === w || (p === 0 && Math.sign(pooled.value) === w)) return [];
  const reading =
    w === 0
      ? "it marks easy or hard tasks, and says nothing certain about the turn itself"
      : p === 0
        ? "the mix of tasks hides its effect"
        : "the mix of tasks turns its effect around";
  return [{ code: "confounded-by-task", tier, message: `${tier} is confounded by task difficulty (${numbers}): ${reading}` }];
}

function supportWarnings(all: SplitStatistics, kept: readonly string[]): CalibrationWarning[] {
  const occurring = all.tiers.filter(({ tier, numTurns }) => numTurns > 0 && kept.includes(tier));
  if (occurring.length === 0) return [];
  const tiers = occurring.map(({ tier, support }) => `${tier} (${support})`).join(", ");
  return [
    {
      code: "low-support",
      tier: null,
      message: `too little evidence for a value of their own, so the one in force stays (rollouts of tasks where both the tier and the outcome vary): ${tiers}`,
    },
  ];
}

function certainSign({ low, high }: Finding): -1 | 0 | 1 {
  if (low !== null && low > 0) return 1;
  return high !== null && high < 0 ? -1 : 0;
}

function format({ value, low, high }: Finding): string {
  return `${formatSigned(value, 3)} [${formatSigned(low, 3)}, ${formatSigned(high, 3)}]`;
}
