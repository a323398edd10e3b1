// What a model is shown when it proposes a reward table: the author's and the one in force, and statistics of the fitting tasks. Never of the judging ones.

import type { Finding } from "#contracts/calibration-report.ts";
import type { ProposerMessage } from "#contracts/table-proposal.ts";
import { formatDecimal } from "../../format.ts";
import type { TaskRollouts } from "../buffer.ts";
import { type FitInput, tierEvidence } from "../fit-in-rounds.ts";

const INSTRUCTIONS = `You design turn-level rewards for reinforcement learning of a tool-calling agent. Every turn belongs to a tier; a reward table gives each tier a value between -1 and 1.
A good table pays what passing rollouts do more than failing rollouts OF THE SAME TASK, and charges the opposite. A tier that only marks easy or hard tasks (pooled and within-task correlation differ) should be near 0.
You may split a tier where its tools behave differently: a split names a new tier, the tier it comes from, and a predicate ("when") over facts about the call: tool (list of names), isError, isGold, isDuplicate, isWrite, isTransfer, isGrounded, effect ("equivalent", "different", "unknown"), partialMatch {min, max}, turn {min, max}. All facts named must hold. Split only what the numbers support.
The author's value says what a tier is meant to do: a value of the other sign will be refused. Your table is judged on tasks that you are not shown, against the author's table and the one in force. Leave out tiers that should keep the value in force.
Answer with one JSON object and nothing else:
{"rationale": "...", "splits": [{"tier": "new_name", "from": "old_tier", "when": {"tool": ["..."]}}], "values": [{"tier": "...", "value": 0.5}]}`;

/** Messages for the model. A function of the two tables and the fitting tasks: equal input, equal prompt. */
export function proposalPrompt(input: FitInput, fitting: readonly TaskRollouts[]): ProposerMessage[] {
  const content = [
    `Tiers on ${fitting.length} fitting tasks (95 % intervals over tasks; support = rollouts of tasks in which both the tier and the outcome vary):`,
    tierTable(input, fitting),
    "By tool, within a tier:",
    toolTable(fitting),
  ].join("\n\n");
  return [
    { role: "system", content: INSTRUCTIONS },
    { role: "user", content },
  ];
}

function tierTable(input: FitInput, fitting: readonly TaskRollouts[]): string {
  const lines = tierEvidence(input, fitting).map(
    ({ tier, pooled, withinTask, support }) =>
      `${tier} | ${input.authorTable.values[tier] ?? 0} | ${input.inForceTable.values[tier] ?? 0} | ${digits(pooled)} | ${interval(withinTask)} | ${support}`,
  );
  return ["tier | author's value | value in force | correlation, pooled | correlation, within task | support", ...lines].join("\n");
}

/** Turns of each tier by the tools they call, with the share of them that lie in passing rollouts. */
function toolTable(fitting: readonly TaskRollouts[]): string {
  const counts = new Map<string, { turns: number; passing: number }>();
  for (const rollout of fitting.flatMap(({ rollouts }) => rollouts)) {
    for (const { tier, action } of rollout.turns) {
      const key = `${tier} | ${action ?? ""}`;
      const { turns, passing } = counts.get(key) ?? { turns: 0, passing: 0 };
      counts.set(key, { turns: turns + 1, passing: passing + rollout.outcome });
    }
  }
  const lines = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { turns, passing }]) => `${key} | ${turns} | ${formatDecimal(passing / turns, 2)}`);
  return ["tier | tool | turns | share in passing rollouts", ...lines].join("\n");
}

function interval({ value, low, high }: Finding): string {
  return value === null ? "not defined" : `${digits(value)} [${digits(low)}, ${digits(high)}]`;
}

function digits(value: number | null): string {
  return value === null ? "not defined" : formatDecimal(value, 3);
}
