// OpenAI-style JSONL: one rollout per line, `{"task_id", "messages", "outcome", …}`. The format for rollouts from anywhere else.
import { z } from "zod";
import { StopReason } from "#contracts/trajectory.ts";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import { ChatMessage, importMessages } from "./import-messages.ts";
import { createImportedRollout, type ImportedRollout } from "./imported-rollouts.ts";

const GoldenCall = z.object({ name: z.string().min(1), arguments: z.union([z.string(), z.record(z.string(), z.json())]) });

/** Only `task_id`, `messages` and `outcome` are needed. Without golden actions no call can be gold or soft. `outcome: null` excludes the line. */
export const RolloutLine = z
  .strictObject({
    task_id: z
      .union([z.string().min(1), z.int()])
      .transform(String)
      .describe("rollouts with the same task_id form a group"),
    trial: z.int().nonnegative().optional().describe("number of the rollout in its group; default: order in the file"),
    user_id: z.string().optional().describe("tasks of one user never stand on both sides of a split"),
    messages: z.array(ChatMessage).min(1),
    outcome: z.union([z.literal(0), z.literal(1), z.boolean().transform((passed): 0 | 1 => (passed ? 1 : 0)), z.null()]),
    golden_actions: z.array(GoldenCall).optional(),
    stop_reason: StopReason.optional().describe("turn-cap, token-cap and context-cap mark a rollout that was cut; default user-stop"),
    instruction: z.string().optional(),
    policy: z.string().optional(),
  })
  .meta({ id: "RolloutLine" });
export type RolloutLine = z.infer<typeof RolloutLine>;

/** Null for a line without an outcome. `position` numbers the trial when the line does not. */
export function importRolloutLine(line: RolloutLine, position: number, source: string, catalog: ToolCatalog): ImportedRollout | null {
  if (line.outcome === null) return null;
  return createImportedRollout({
    taskId: line.task_id,
    userId: line.user_id ?? "",
    trial: line.trial ?? position,
    environment: "imported",
    policyName: line.policy ?? source,
    instruction: line.instruction ?? "",
    goldenActions: (line.golden_actions ?? []).map(({ name, arguments: args }) => ({
      name,
      argumentsJson: typeof args === "string" ? args : JSON.stringify(args),
    })),
    outputs: [],
    conversation: importMessages(line.messages),
    stopReason: line.stop_reason ?? "user-stop",
    reward: line.outcome,
    isWrite: catalog.isWrite,
  });
}
