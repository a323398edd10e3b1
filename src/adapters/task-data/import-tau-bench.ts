// Result files of tau-bench's runner (a JSON list, one entry per task and trial) as tasks and trajectories.
import { z } from "zod";
import type { Task } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import { ChatMessage, importMessages, inferStopReason } from "./import-messages.ts";
import type { ImportedRollout, ImportedRollouts } from "./imported-rollouts.ts";

const Action = z.object({ name: z.string(), kwargs: z.record(z.string(), z.json()) });
const Entry = z.object({
  task_id: z.union([z.int(), z.string()]),
  trial: z.int().nonnegative(),
  reward: z.number(),
  info: z.object({
    task: z.object({ user_id: z.string(), instruction: z.string(), actions: z.array(Action), outputs: z.array(z.string()).default([]) }).optional(),
    error: z.unknown().optional(),
  }),
  traj: z.array(ChatMessage),
});
export const TauBenchResults = z.array(Entry).min(1);
export type TauBenchResults = z.infer<typeof TauBenchResults>;

/** An entry that the runner recorded as an error carries no outcome: it is left out and counted, never taken for a failed rollout. */
export function importTauBenchResults(results: TauBenchResults, source: string, catalog: ToolCatalog): ImportedRollouts {
  const rollouts = results.flatMap((entry): ImportedRollout[] => {
    if (entry.traj.length === 0 || entry.info.task === undefined) return [];
    return [{ task: importTask(entry, entry.info.task, catalog), trajectory: importTrajectory(entry, source, catalog) }];
  });
  return { rollouts, numExcluded: results.length - rollouts.length };
}

function importTask(entry: TauBenchResults[number], task: NonNullable<TauBenchResults[number]["info"]["task"]>, catalog: ToolCatalog): Task {
  const numWrites = task.actions.filter((action) => catalog.isWrite(action.name)).length;
  return {
    schemaVersion: 1,
    id: String(entry.task_id),
    environment: "tau-bench",
    userId: task.user_id,
    instruction: task.instruction,
    goldenActions: task.actions.map((action) => ({ name: action.name, argumentsJson: JSON.stringify(action.kwargs) })),
    outputs: task.outputs,
    agenda: null,
    kind: "tau-bench",
    difficulty: { numWrites, numReads: task.actions.length - numWrites },
  };
}

function importTrajectory(entry: TauBenchResults[number], source: string, catalog: ToolCatalog): Trajectory {
  const conversation = importMessages(entry.traj);
  const reward = Math.abs(entry.reward - 1) <= 1e-6 ? 1 : 0;
  const stopReason = inferStopReason(conversation, catalog.isTerminal);
  return {
    schemaVersion: 1,
    taskId: String(entry.task_id),
    trial: entry.trial,
    environment: "tau-bench",
    policy: { name: source, hash: "unknown", format: "native" },
    simulator: { id: "unknown", hash: "unknown" },
    seed: "unknown",
    ...conversation,
    rows: [],
    outcome: { type: reward === 1 ? "ok" : "task_failed", reward, stopReason, isDatabaseMatch: null, detail: null },
    usage: { promptTokens: 0, completionTokens: 0, simulatorPromptTokens: 0, simulatorCompletionTokens: 0, modelCalls: 0, simulatorCalls: 0 },
  };
}
