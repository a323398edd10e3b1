// Tasks as tau-bench writes them: `[Task(**task) for task in json.load(file)]` reads the list.
import type { SynthesizedTask } from "#contracts/task-file.ts";
import { parseArguments } from "#core/exact-json.ts";

export interface TauBenchTaskJson {
  readonly user_id: string;
  readonly instruction: string;
  readonly actions: readonly { readonly name: string; readonly kwargs: unknown }[];
  readonly outputs: readonly string[];
}

/** A tau2 scenario has no paragraph of its own; the task's instruction is taken as it is. */
export function toTauBench({ task }: Pick<SynthesizedTask, "task">): TauBenchTaskJson {
  return {
    user_id: task.userId,
    instruction: task.instruction,
    actions: task.goldenActions.map(({ name, argumentsJson }) => ({ name, kwargs: parseArguments(argumentsJson) })),
    outputs: task.outputs,
  };
}
