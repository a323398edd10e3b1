// The campaign's result as a person reads it: the test's figures, or why there are none, and what the numbers above and here do not show.

import type { CampaignSummary, MeasuredTasks, TestResultSummary } from "#application/campaign/summary.ts";
import type { EvaluationReport, PolicyComparison } from "#contracts/evaluation-report.ts";
import { formatDuration, formatInterval, formatPercent } from "#core/format.ts";
import { printLine, renderPairs } from "../output.ts";
import { renderComparisons } from "../render-comparisons.ts";
import { style } from "../style.ts";

export function printResult(summary: CampaignSummary): void {
  const { test } = summary;
  printLine("");
  if (test === null) {
    printLine(`${style.bold("no result")}: ${summary.noTestReason}`);
    printLine(style.dim(selectionText(summary)));
    return;
  }
  printLine(`${style.bold("result: the test")}, opened once when the campaign ended, on ${describeTasks(test)}`);
  printLine(renderPairs(policyPairs(summary, test)));
  printLine("");
  if (test.comparison === null) printLine(`the base policy is the final one; doing nothing passes ${formatPercent(test.doNothingFloor)}`);
  else {
    printLine("final policy minus base policy");
    printLine(renderComparisons([test.comparison], test.doNothingFloor));
  }
  printLine("");
  printLine(style.dim(`${verdict(test.comparison)} ${limits(summary)}`));
}

/** `60 tasks of 31 users x 4 trials`. */
export function describeTasks({ numTasks, numClusters, trials, method }: MeasuredTasks): string {
  const users = method === "clusters/1" ? ` of ${numClusters} ${numClusters === 1 ? "user" : "users"}` : "";
  return `${numTasks} tasks${users} x ${trials} ${trials === 1 ? "trial" : "trials"}`;
}

export function describeIntervals({ confidence, method }: MeasuredTasks): string {
  return `brackets: ${formatPercent(confidence)} intervals ${method === "clusters/1" ? "over users" : "by bootstrap over tasks"}`;
}

export function trainedIn({ finalIteration }: CampaignSummary): string {
  return finalIteration === 0 ? "the base policy" : `trained in iteration ${finalIteration}`;
}

function policyPairs(summary: CampaignSummary, test: TestResultSummary): [string, string][] {
  const flagged = test.flaggedUserStops;
  const numRollouts = test.numTasks * test.trials * (test.comparison === null ? 1 : 2);
  return [
    ["base policy", `${summary.basePolicy}  ${describePasses(test.base)}`],
    ["final policy", `${summary.finalPolicy}  ${describePasses(test.final)}  (${trainedIn(summary)})`],
    ["flagged stops", flagged === null ? "not counted" : `${flagged} of ${numRollouts} users left before the last golden write`],
    ["took", formatDuration(test.seconds)],
  ];
}

/** `52.5 % [47.0, 58.1], pass^2 41.0 % [35.2, 47.1]`. */
function describePasses(passHatK: EvaluationReport["passHatK"]): string {
  return passHatK.map(({ k, estimate }) => `${k === 1 ? "" : `pass^${k} `}${formatInterval(estimate)}`).join(", ");
}

/** What the interval says. */
function verdict(comparison: PolicyComparison | null): string {
  if (comparison === null) return "No trained policy is final, so there is no difference to report.";
  const { low, high } = comparison.difference;
  if (low === null || high === null) return "There are too few users for an interval.";
  if (low > 0)
    return "The interval of the paired difference lies above zero: on these tasks and with this user the final policy passes more.";
  if (high < 0) return "The interval of the paired difference lies below zero: on these tasks the final policy passes less.";
  return "The interval of the paired difference includes zero: these tasks do not tell the two policies apart.";
}

/** What the numbers do not say. */
function limits(summary: CampaignSummary): string {
  const users =
    "The users are simulated, so it says nothing about real ones; and other estimators or reward tables would need arms of their own.";
  return [
    "Nothing was decided by these tasks, so the figures are not flattered by the choice.",
    ...forkText(summary),
    ...unfinishedText(summary),
    selectionText(summary),
    "It is one campaign with one seed: training luck is not in the interval.",
    users,
  ].join(" ");
}

/** Parent and forks test on the same tasks: who picks among them decides by the test. */
function forkText({ parent }: CampaignSummary): string[] {
  if (parent === null) return [];
  return [`It is a fork of ${parent.campaignId}, which tests on the same tasks: the best of several forks by their tests is flattered.`];
}

function unfinishedText({ iterations, state }: CampaignSummary): string[] {
  const unfinished = state === "stopped" ? iterations.filter(({ isComplete }) => !isComplete) : [];
  return unfinished.map(
    ({ iteration }) => `Iteration ${iteration} was not finished when the campaign was stopped: nothing of it is in the result.`,
  );
}

function selectionText({ hasSelection, isOfRelease010 }: CampaignSummary): string {
  if (isOfRelease010) return "Its figures are selection figures, which chose the policies: they flatter the one that was chosen.";
  if (!hasSelection) return "Nothing was selected: every trained policy followed the one before, and the last is final.";
  return "Selection figures chose the policies, so they flatter what they chose: they are no result.";
}
