// Result files of tau-bench's runner: a JSON list with one entry per task and trial.
import { z } from "zod";
import { Provenance } from "#contracts/provenance.ts";
import { ChatMessage } from "#contracts/rollout-line.ts";
import type { PyList, PyValue } from "#core/environment/python/values.ts";
import { isDict } from "#core/environment/python/values.ts";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import { knownTools } from "./conversation/readers.ts";
import { argumentsText, importMessages, inferStopReason } from "./import-messages.ts";
import {
  createImportedRollout,
  type ImportedRollout,
  type ImportedRollouts,
  importedRollouts,
  outcomeOfReward,
  unreadableReason,
  WITHOUT_OUTCOME,
} from "./imported-rollouts.ts";
import { PROVENANCE_KEY } from "./provenance.ts";

const Action = z.object({ name: z.string(), kwargs: z.union([z.string(), z.record(z.string(), z.json())]).nullish() });
const TauBenchEntry = z.object({
  task_id: z.union([z.int(), z.string()]),
  trial: z.int().nonnegative(),
  reward: z.number(),
  info: z.object({
    task: z
      .object({ user_id: z.string(), instruction: z.string(), actions: z.array(Action).nullish(), outputs: z.array(z.string()).nullish() })
      .optional(),
    error: z.unknown().optional(),
    [PROVENANCE_KEY]: Provenance.optional(),
  }),
  traj: z.array(ChatMessage),
});
type TauBenchEntry = z.infer<typeof TauBenchEntry>;
export const TauBenchResults = z.array(TauBenchEntry).min(1);
export type TauBenchResults = z.infer<typeof TauBenchResults>;

/**
 * An entry that the runner recorded as an error has no conversation and no outcome: it is left out and counted.
 *
 * exact  the same entries with nothing lost, for exports
 */
export function importTauBenchResults(
  results: TauBenchResults,
  source: string,
  catalog: ToolCatalog,
  exact: PyList | null = null,
): ImportedRollouts {
  return importedRollouts(results.map((entry, index) => importEntry(entry, exact?.[index] ?? null, source, catalog)));
}

function importEntry(entry: TauBenchEntry, exact: PyValue, source: string, catalog: ToolCatalog): ImportedRollout | string {
  const { task, [PROVENANCE_KEY]: provenance } = entry.info;
  if (entry.traj.length === 0 || task === undefined) return WITHOUT_OUTCOME;
  const conversation = importMessages(entry.traj, knownTools(catalog.tools, task.actions));
  const reason = unreadableReason(conversation);
  if (reason !== null) return reason;
  return createImportedRollout({
    taskId: String(entry.task_id),
    userId: task.user_id,
    trial: entry.trial,
    environment: "tau-bench",
    policyName: source,
    instruction: task.instruction,
    goldenActions: task.actions?.map(({ name, kwargs }) => ({ name, argumentsJson: argumentsText(kwargs) })) ?? null,
    outputs: task.outputs ?? null,
    conversation,
    stopReason: inferStopReason(conversation, catalog.isTerminal),
    reward: outcomeOfReward(entry.reward),
    isWrite: catalog.isWrite,
    origin: isDict(exact) ? { format: "tau-bench", entry: exact } : null,
    provenance,
  });
}
