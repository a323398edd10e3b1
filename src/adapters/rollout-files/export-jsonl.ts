// Rollouts as JSONL (`RolloutLine`): the form for programs of other people, which loses nothing but tokens, state hashes and finish reasons.
import type { GoldenAction } from "#contracts/task.ts";
import { dumps } from "#environments/tau/python/format.ts";
import { dict, fromPlain, type PyDict } from "#environments/tau/python/values.ts";
import { chatMessages, type ExportContext, withCompared } from "./export-tau-bench.ts";
import type { ImportedRollout } from "./imported-rollouts.ts";
import { PROVENANCE_KEY, provenanceOf } from "./provenance.ts";

type JsonlContext = Pick<ExportContext, "systemPrompt" | "tools">;

/** One line for each rollout, in their order. */
export function exportJsonl(rollouts: readonly ImportedRollout[], context: JsonlContext): string {
  return rollouts.map((rollout) => `${dumps(rolloutLine(rollout, context))}\n`).join("");
}

function rolloutLine({ task, trajectory, systemPrompt, tools: ownTools }: ImportedRollout, context: JsonlContext): PyDict {
  const tools = ownTools ?? context.tools;
  return dict(
    ["task_id", task.id],
    ["trial", trajectory.trial],
    ...(task.userId === null ? [] : [["user_id", task.userId] as const]),
    ["outcome", trajectory.outcome.reward],
    ["stop_reason", trajectory.outcome.stopReason],
    ["policy", trajectory.policy.name],
    ["instruction", task.instruction],
    // Null where they are not known: an empty list would say that nothing has to be done.
    ["golden_actions", task.goldenActions?.map(goldenAction) ?? null],
    ["outputs", task.outputs],
    ["messages", chatMessages(systemPrompt ?? context.systemPrompt, trajectory)],
    // Without their schemas nobody could say whether "7" and 7 are the same to a tool.
    ...(tools === undefined ? [] : [["tools", fromPlain(tools)] as const]),
    [PROVENANCE_KEY, provenanceOf(trajectory, task)],
  );
}

const goldenAction = (action: GoldenAction) => withCompared(dict(["name", action.name], ["arguments", action.argumentsJson]), action);
