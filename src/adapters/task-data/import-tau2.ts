// Result files of tau2-bench: one JSON object with the tasks and the simulations of them.
import { z } from "zod";
import { ChatMessage } from "#contracts/rollout-line.ts";
import type { StopReason } from "#contracts/trajectory.ts";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import { importMessages } from "./import-messages.ts";
import { createImportedRollout, type ImportedRollout, type ImportedRollouts, outcomeOfReward } from "./imported-rollouts.ts";

const Action = z.object({ name: z.string(), arguments: z.record(z.string(), z.json()).nullish(), requestor: z.string().nullish() });
const Tau2Task = z.object({
  id: z.union([z.string(), z.int()]).transform(String),
  user_scenario: z.json(),
  evaluation_criteria: z.object({ actions: z.array(Action).nullish(), communicate_info: z.array(z.string()).nullish() }).nullish(),
});
const Simulation = z.object({
  task_id: z.union([z.string(), z.int()]).transform(String),
  trial: z.int().nonnegative().nullish(),
  termination_reason: z.string(),
  reward_info: z.object({ reward: z.number() }).nullish(),
  messages: z.array(ChatMessage),
});
type Simulation = z.infer<typeof Simulation>;
export const Tau2Results = z.object({ tasks: z.array(Tau2Task), simulations: z.array(Simulation).min(1) });
export type Tau2Results = z.infer<typeof Tau2Results>;

const STOP_REASONS: Readonly<Record<string, StopReason>> = {
  user_stop: "user-stop",
  agent_stop: "user-stop",
  max_steps: "turn-cap",
  too_many_errors: "error",
};
/** User ids of the benchmark's airline and retail look like sara_doe_496. */
const USER_ID = /\b[a-z]+_[a-z]+_\d+\b/;

/** Simulations that ended by a failure of harness, simulator or infrastructure, or were not graded, are left out and counted. */
export function importTau2Results(results: Tau2Results, source: string, catalog: ToolCatalog): ImportedRollouts {
  const tasks = new Map(results.tasks.map((task) => [task.id, task]));
  const seen = new Map<string, number>();
  const rollouts = results.simulations.flatMap((simulation) => {
    const position = seen.get(simulation.task_id) ?? 0;
    seen.set(simulation.task_id, position + 1);
    return importSimulation(simulation, simulation.trial ?? position, tasks.get(simulation.task_id), source, catalog);
  });
  return { rollouts, numExcluded: results.simulations.length - rollouts.length };
}

function importSimulation(
  simulation: Simulation,
  trial: number,
  task: Tau2Results["tasks"][number] | undefined,
  source: string,
  catalog: ToolCatalog,
): ImportedRollout[] {
  const stopReason = STOP_REASONS[simulation.termination_reason];
  if (stopReason === undefined || task === undefined || simulation.reward_info === null || simulation.reward_info === undefined) return [];
  const scenario = JSON.stringify(task.user_scenario);
  const actions = (task.evaluation_criteria?.actions ?? []).filter((action) => action.requestor !== "user");
  return [
    createImportedRollout({
      taskId: simulation.task_id,
      userId: USER_ID.exec(scenario)?.[0] ?? "",
      trial,
      environment: "tau2-bench",
      policyName: source,
      instruction: scenario,
      goldenActions: actions.map((action) => ({ name: action.name, argumentsJson: JSON.stringify(action.arguments ?? {}) })),
      outputs: task.evaluation_criteria?.communicate_info ?? [],
      conversation: importMessages(simulation.messages),
      stopReason,
      reward: outcomeOfReward(simulation.reward_info.reward),
      isWrite: catalog.isWrite,
    }),
  ];
}
