// OpenAI-style JSONL: one rollout per line, `{"task_id", "messages", "outcome", …}`. The format for rollouts from anywhere else.
import type { RolloutLine } from "#contracts/rollout-line.ts";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import { knownTools } from "./conversation/readers.ts";
import { argumentsText, importMessages } from "./import-messages.ts";
import { createImportedRollout, type ImportedRollout, unreadableReason, WITHOUT_OUTCOME } from "./imported-rollouts.ts";

/** The rollout of a line, or why there is none. `position` numbers the trial when the line does not. */
export function importRolloutLine(line: RolloutLine, position: number, source: string, catalog: ToolCatalog): ImportedRollout | string {
  if (line.outcome === null) return WITHOUT_OUTCOME;
  const conversation = importMessages(line.messages, knownTools(catalog.tools, line.golden_actions));
  const reason = unreadableReason(conversation);
  if (reason !== null) return reason;
  return createImportedRollout({
    taskId: line.task_id,
    userId: line.user_id ?? "",
    trial: line.trial ?? position,
    environment: "imported",
    policyName: line.policy ?? source,
    instruction: line.instruction ?? "",
    goldenActions: line.golden_actions?.map(({ name, arguments: args }) => ({ name, argumentsJson: argumentsText(args) })) ?? null,
    outputs: line.outputs ?? null,
    conversation,
    stopReason: line.stop_reason ?? "user-stop",
    reward: line.outcome,
    isWrite: catalog.isWrite,
    provenance: line.turnwise,
  });
}
