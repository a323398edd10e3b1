// OpenAI-style JSONL: one rollout per line, `{"task_id", "messages", "outcome", …}`. The format for rollouts from anywhere else.
import { RolloutLine } from "#contracts/rollout-line.ts";
import type { ToolSchema } from "#core/ports.ts";
import { foreignForm } from "./conversation/foreign-messages.ts";
import { knownTools } from "./conversation/readers.ts";
import type { EntryContext } from "./entry-context.ts";
import { goldenAction, importMessages } from "./import-messages.ts";
import {
  createImportedRollout,
  type ImportedRollout,
  unreadableReason,
  WITHOUT_CONVERSATION,
  WITHOUT_OUTCOME,
} from "./imported-rollouts.ts";

/** The rollout of a line, or why there is none. Throws contract.invalid for what is no such line. */
export function importRolloutLine(value: Readonly<Record<string, unknown>>, context: EntryContext): ImportedRollout | string {
  if (value["outcome"] === null) return WITHOUT_OUTCOME;
  if (Number.isNaN(value["outcome"])) return "with NaN for an outcome";
  if (Array.isArray(value["messages"]) && value["messages"].length === 0) return WITHOUT_CONVERSATION;
  const foreign = foreignForm(value["messages"]);
  if (foreign !== null) return foreign;
  const { source, catalog } = context;
  const line = context.check(RolloutLine, value);
  if (line.outcome === null) return WITHOUT_OUTCOME;
  const position = context.position(line.task_id);
  const tools = line.tools?.map(toolSchema);
  const conversation = importMessages(line.messages, knownTools(tools ?? catalog.tools, line.golden_actions), value["messages"]);
  const reason = unreadableReason(conversation);
  if (reason !== null) return reason;
  return createImportedRollout({
    taskId: line.task_id,
    userId: line.user_id ?? "",
    trial: line.trial ?? position,
    environment: line.task_set ?? "imported",
    policyName: line.policy ?? source,
    isPolicyTold: line.policy !== undefined,
    instruction: line.instruction ?? "",
    goldenActions:
      line.golden_actions?.map(({ name, arguments: args, compare_args: compared }) => goldenAction(name, args, compared)) ?? null,
    outputs: line.outputs ?? null,
    conversation,
    stopReason: line.stop_reason ?? "user-stop",
    reward: line.outcome,
    isWrite: catalog.isWrite,
    provenance: line.turnwise,
    tools,
  });
}

function toolSchema({ name, description, parameters }: NonNullable<RolloutLine["tools"]>[number]): ToolSchema {
  return { type: "function", function: { name, description: description ?? "", parameters: parameters ?? {} } };
}
