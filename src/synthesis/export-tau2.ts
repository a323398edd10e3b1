// Tasks as tau2-bench writes them in tasks.json and split_tasks.json: graded by database and communicated strings, like its airline.
import type { Scenario, SynthesizedTask } from "#contracts/task-file.ts";
import { parseArguments } from "#core/exact-json.ts";
import type { Tau2Scenario } from "#environments/tau/tau2-airline/scenario.ts";

export function toTau2Scenario({ domain, persona, reasonForCall, knownInfo, unknownInfo, taskInstructions }: Scenario): Tau2Scenario {
  return {
    persona,
    instructions: {
      task_instructions: taskInstructions,
      domain,
      reason_for_call: reasonForCall,
      known_info: knownInfo,
      unknown_info: unknownInfo,
    },
  };
}

export function toTau2({ task, scenario, decisions, difficulty }: SynthesizedTask) {
  const refusals = decisions.flatMap(({ rule }) => rule ?? []);
  return {
    id: task.id,
    description: {
      purpose: `${difficulty.writes} write decisions, ${difficulty.evidence} reads for each decision: ${decisions.map(({ kind }) => kind).join(", ")}.`,
      relevant_policies: refusals.length === 0 ? null : refusals.join(", "),
      notes: null,
    },
    user_scenario: toTau2Scenario(scenario),
    initial_state: null,
    evaluation_criteria: {
      actions: task.goldenActions.map(({ name, argumentsJson }, index) => ({
        action_id: `${task.id}_${index}`,
        name,
        arguments: parseArguments(argumentsJson),
        info: null,
      })),
      communicate_info: task.outputs,
      nl_assertions: [],
      reward_basis: ["DB", "COMMUNICATE"],
    },
    annotations: null,
  };
}

/** Ids by split; "base" holds all, as in tau2, whose own file has no selection tasks. */
export function tau2Splits(tasks: readonly SynthesizedTask[]) {
  const idsOf = (split: SynthesizedTask["split"]) => tasks.filter((one) => one.split === split).map(({ task }) => task.id);
  return { train: idsOf("train"), selection: idsOf("selection"), test: idsOf("test"), base: tasks.map(({ task }) => task.id) };
}
