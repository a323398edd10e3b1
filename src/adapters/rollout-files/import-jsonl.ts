// OpenAI-style JSONL: one rollout per line, `{"task_id", "messages", "outcome", …}`. The format for rollouts from anywhere else.
import { RolloutLine } from "#contracts/rollout-line.ts";
import type { ToolSchema } from "#core/ports.ts";
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
  const item = itemOfResponses(value["messages"]);
  if (item !== null) return `with items of the Responses API (${item}) for messages, which are not read: write them as chat messages`;
  const { source, catalog } = context;
  const line = context.check(RolloutLine, value);
  if (line.outcome === null) return WITHOUT_OUTCOME;
  const position = context.position(line.task_id);
  const tools = line.tools?.map(toolSchema);
  const conversation = importMessages(line.messages, knownTools(tools ?? catalog.tools, line.golden_actions));
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

/** OpenAI's newer interface has calls and results beside the messages, as items with a type and no role. Null when there is none. */
function itemOfResponses(messages: unknown): string | null {
  if (!Array.isArray(messages)) return null;
  const item = messages.find(({ role, type }) => role === undefined && typeof type === "string");
  return item === undefined ? null : String(item.type);
}

function toolSchema({ name, description, parameters }: NonNullable<RolloutLine["tools"]>[number]): ToolSchema {
  return { type: "function", function: { name, description: description ?? "", parameters: parameters ?? {} } };
}
