// The plan of a campaign as `campaign start --dry-run` prints it: its id, what it will draw and measure, and what that may cost.

import type { CampaignPlan, TaskPlan } from "#application/campaign/plan.ts";
import { formatNumber, formatPercent, formatUsd } from "#core/format.ts";
import { printLine, renderPairs } from "../output.ts";
import { style } from "../style.ts";

const NO_TEST = "no test: the campaign will report no result";

function trainingPairs({ training: { place, problem } }: CampaignPlan): [string, string][] {
  if (problem === null) return [["training", place]];
  return [
    ["training", place],
    ["", `${style.yellow("cannot run on this machine")}: ${problem.message}; ${problem.next}`],
  ];
}

function describeTokens(tokens: CampaignPlan["policyTokens"]): string {
  return tokens === null ? "" : `, ${formatNumber(tokens.prompt)} + ${formatNumber(tokens.completion)} tokens`;
}

/** What `--dry-run` says of a campaign that would have this id. */
export function printPlan(campaignId: string, plan: CampaignPlan, { train, selection, test }: TaskPlan): void {
  const { estimate, rollouts } = plan;
  printLine("");
  printLine(style.bold("plan"));
  printLine(
    renderPairs([
      ["campaign", campaignId],
      ["tasks", `${train.tasks} to train on, ${selection.tasks} for selection, ${test.tasks} for the test; no user is in two of them`],
      [
        "doing nothing",
        `passes ${[train, selection, test].map((split) => (split.tasks === 0 ? "–" : formatPercent(split.doNothingFloor))).join(", ")} of them`,
      ],
      ["iterations", `at most ${rollouts.iterations}`],
      [
        "rollouts",
        `${estimate.rollouts}: ${rollouts.trainPerIteration} per iteration, ${rollouts.selectionPerPolicy} per policy in selection, ${rollouts.testPerPolicy} per policy in the test`,
      ],
      ["test", rollouts.testPerPolicy > 0 ? "of the base and the final policy, once, at the end" : style.yellow(NO_TEST)],
      ["policy", `about ${estimate.policyCalls} calls${describeTokens(plan.policyTokens)}`],
      ["user", estimate.userCalls === 0 ? "no calls of a model" : `about ${estimate.userCalls} calls${describeTokens(plan.userTokens)}`],
      ["optimizer steps", `at most ${plan.optimizerSteps}`],
      ...trainingPairs(plan),
      ["cost", `about ${formatUsd(estimate.usd)} USD`],
      ...plan.reached.map((limit): [string, string] => ["", style.yellow(limit)]),
      ["estimated from", estimate.basis],
    ]),
  );
}
