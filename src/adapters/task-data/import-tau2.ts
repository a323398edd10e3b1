// Result files of tau2-bench: one JSON object with the tasks and the simulations of them.
import { z } from "zod";
import { Provenance } from "#contracts/provenance.ts";
import { ChatMessage } from "#contracts/rollout-line.ts";
import type { StopReason } from "#contracts/trajectory.ts";
import { isDict, isList, type PyDict } from "#core/environment/python/values.ts";
import type { ToolCatalog } from "#core/reward/label-trajectory.ts";
import { knownTools } from "./conversation/readers.ts";
import { argumentsText, importMessages } from "./import-messages.ts";
import {
  createImportedRollout,
  type ImportedParts,
  type ImportedRollout,
  type ImportedRollouts,
  importedRollouts,
  type Origin,
  outcomeOfReward,
  unreadableReason,
  WITHOUT_OUTCOME,
} from "./imported-rollouts.ts";
import { PROVENANCE_KEY } from "./provenance.ts";

const Action = z.object({
  name: z.string(),
  arguments: z.union([z.string(), z.record(z.string(), z.json())]).nullish(),
  requestor: z.string().nullish(),
});
const Tau2Task = z.object({
  id: z.union([z.string(), z.int()]).transform(String),
  user_scenario: z.json(),
  evaluation_criteria: z
    .object({
      actions: z.array(Action).nullish(),
      communicate_info: z.array(z.string()).nullish(),
      reward_basis: z.array(z.string()).nullish(),
    })
    .nullish(),
});
const Simulation = z.object({
  task_id: z.union([z.string(), z.int()]).transform(String),
  trial: z.int().nonnegative().nullish(),
  termination_reason: z.string(),
  reward_info: z.object({ reward: z.number() }).nullish(),
  messages: z.array(ChatMessage).nullish().describe("null for voice, which has no turns"),
  info: z.object({ [PROVENANCE_KEY]: Provenance.optional() }).nullish(),
});
type Simulation = z.infer<typeof Simulation>;
export const Tau2Results = z.object({ tasks: z.array(Tau2Task), simulations: z.array(Simulation).min(1) });
export type Tau2Results = z.infer<typeof Tau2Results>;

const STOP_REASONS: Readonly<Record<string, StopReason>> = {
  user_stop: "user-stop",
  agent_stop: "user-stop",
  max_steps: "turn-cap",
  too_many_errors: "error",
  context_window_exceeded: "context-cap",
  agent_error: "unparsable",
};
/** User ids of the benchmark's airline and retail look like sara_doe_496. */
const USER_ID = /\b[a-z]+_[a-z]+_\d+\b/;

/**
 * Simulations that ended by a failure of harness, simulator or infrastructure, were not graded or not written, are left out and counted.
 *
 * exact  the same results with nothing lost, for exports
 */
export function importTau2Results(
  results: Tau2Results,
  source: string,
  catalog: ToolCatalog,
  exact: PyDict | null = null,
): ImportedRollouts {
  const tasks = new Map(results.tasks.map((task) => [task.id, task]));
  const entries = exact?.get("simulations") ?? [];
  const seen = new Map<string, number>();
  const simulations = results.simulations.map((simulation, index) => {
    const position = seen.get(simulation.task_id) ?? 0;
    seen.set(simulation.task_id, position + 1);
    const entry = isList(entries) ? (entries[index] ?? null) : null;
    const origin: Origin | null = exact !== null && isDict(entry) ? { format: "tau2", entry, results: exact } : null;
    return importSimulation({ ...simulation, trial: simulation.trial ?? position }, tasks.get(simulation.task_id), origin, source, catalog);
  });
  return importedRollouts(simulations);
}

function importSimulation(
  simulation: Simulation & { readonly trial: number },
  task: Tau2Results["tasks"][number] | undefined,
  origin: Origin | null,
  source: string,
  catalog: ToolCatalog,
): ImportedRollout | string {
  const { reward_info: graded, messages, info } = simulation;
  const stopReason = STOP_REASONS[simulation.termination_reason];
  if (stopReason === undefined || task === undefined || !graded || !messages) return WITHOUT_OUTCOME;
  const { user_scenario: scenario, evaluation_criteria: criteria } = task;
  const asked = criteriaOf(criteria);
  const conversation = importMessages(messages, knownTools(catalog.tools, asked.goldenActions));
  const reason = unreadableReason(conversation);
  if (reason !== null) return reason;
  return createImportedRollout({
    taskId: simulation.task_id,
    userId: USER_ID.exec(JSON.stringify(scenario))?.[0] ?? "",
    trial: simulation.trial,
    environment: "tau2-bench",
    policyName: source,
    instruction: instructionOf(scenario),
    ...asked,
    conversation,
    stopReason,
    reward: outcomeOfReward(graded.reward),
    isWrite: catalog.isWrite,
    origin,
    provenance: info?.[PROVENANCE_KEY],
  });
}

/** What the benchmark's default asks for is the database and what must be communicated. */
const PLAIN_BASIS: readonly string[] = ["DB", "COMMUNICATE"];

/**
 * What the reward asks for, as far as the file tells it: criteria that are null or absent are not known. What must be communicated counts
 * only where the reward's basis names it. Golden actions of the user's own tools are not the agent's, and no replay here makes them.
 */
function criteriaOf(
  criteria: Tau2Results["tasks"][number]["evaluation_criteria"],
): Pick<ImportedParts, "goldenActions" | "outputs" | "alsoGradedBy"> {
  const { actions, communicate_info: outputs, reward_basis } = criteria ?? {};
  const basis = reward_basis ?? PLAIN_BASIS;
  const others = [
    ...basis.filter((one) => !PLAIN_BASIS.includes(one)),
    ...(basis.includes("DB") ? [] : ["no database"]),
    ...(actions?.some(({ requestor }) => requestor === "user") ? ["the user's own actions"] : []),
  ];
  const own = actions?.filter(({ requestor }) => requestor !== "user");
  return {
    goldenActions: own?.map((action) => ({ name: action.name, argumentsJson: argumentsText(action.arguments) })) ?? null,
    outputs: basis.includes("COMMUNICATE") ? (outputs ?? null) : [],
    alsoGradedBy: others.length === 0 ? null : others.join(" and "),
  };
}

/** A scenario that is one text stands for itself. */
function instructionOf(scenario: Tau2Results["tasks"][number]["user_scenario"]): string {
  const isObject = typeof scenario === "object" && scenario !== null && !Array.isArray(scenario);
  const instructions = isObject ? scenario["instructions"] : null;
  return isObject && typeof instructions === "string" && !scenario["persona"] ? instructions : JSON.stringify(scenario);
}
