// Result files of tau2-bench: one JSON object with the tasks and the simulations of them, or a folder that holds these apart.
import { z } from "zod";
import { Provenance } from "#contracts/provenance.ts";
import { ChatMessage } from "#contracts/rollout-line.ts";
import type { StopReason } from "#contracts/trajectory.ts";
import { isDict, type PyDict, type PyValue } from "#environments/tau/python/values.ts";
import { canonicalText } from "./canonical-text.ts";
import { foreignForm } from "./conversation/foreign-messages.ts";
import { knownTools } from "./conversation/readers.ts";
import type { Check, EntryContext } from "./entry-context.ts";
import { GRADED_BY_ANOTHER, isGradedByAnotherTau2Task } from "./graded-task.ts";
import { goldenAction, importMessages } from "./import-messages.ts";
import {
  createImportedRollout,
  type ImportedParts,
  type ImportedRollout,
  rewardTrouble,
  unreadableReason,
  WITHOUT_CONVERSATION,
  WITHOUT_TASK,
} from "./imported-rollouts.ts";
import { PROVENANCE_KEY } from "./provenance.ts";
import type { Known } from "./task-identity.ts";

const Action = z.object({
  name: z.string(),
  arguments: z.union([z.string(), z.record(z.string(), z.json())]).nullish(),
  requestor: z.string().nullish(),
  compare_args: z.array(z.string()).nullish(),
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
type Tau2Task = z.infer<typeof Tau2Task>;
const Simulation = z.object({
  task_id: z.union([z.string(), z.int()]).transform(String),
  trial: z.int().nonnegative().nullish(),
  termination_reason: z.string(),
  reward_info: z.object({ reward: z.number() }),
  messages: z.array(ChatMessage),
  info: z.object({ [PROVENANCE_KEY]: Provenance.optional() }).nullish(),
});
const Run = z.object({
  tasks: z.array(Tau2Task),
  info: z
    .object({
      agent_info: z.object({ implementation: z.string().nullish(), llm: z.string().nullish() }).nullish(),
      environment_info: z.object({ domain_name: z.string().nullish() }).nullish(),
    })
    .nullish(),
  simulation_index: z.array(z.object({ id: z.string() })).nullish(),
});

/** What a run's results say beside its simulations. */
export interface Tau2Run {
  readonly tasks: ReadonlyMap<string, { readonly task: Tau2Task; readonly exact: PyDict | null }>;
  /** Name of the set of tasks, e.g. tau2-airline; null when the file does not say. */
  readonly taskSet: string | null;
  /** The agent's model, with the agent's name where it is not the benchmark's own; null when the file does not say. */
  readonly policy: string | null;
  /** Whether the agent works without a user and has the user's tools. */
  readonly isSolo: boolean;
  /** What else makes the agent: its model's arguments and the policy text that it was told, each as one text. What is not told is absent. */
  readonly policySettings: Known;
  /** Ids of the simulations that the run keeps in files of their own. */
  readonly index: readonly string[];
  readonly results: PyDict;
}

/** Endings of the conversation itself. All but the first two have reward 0 in the benchmark, a run out of time included. */
const STOP_REASONS: Readonly<Record<string, StopReason>> = {
  user_stop: "user-stop",
  agent_stop: "user-stop",
  max_steps: "turn-cap",
  timeout: "turn-cap",
  too_many_errors: "error",
  context_window_exceeded: "context-cap",
  agent_error: "unparsable",
};
/** Failures of the user's model, of the harness and of its services: they say nothing about the agent. */
const FAILURES: ReadonlySet<string> = new Set(["user_error", "infrastructure_error", "unexpected_error"]);
const OWN_AGENT = "llm_agent";
/** User ids of the benchmark's airline and retail look like sara_doe_496. */
const USER_ID = /\b[a-z]+_[a-z]+_\d+\b/;

/** Throws contract.invalid for what is no such results object. */
export function readTau2Run(exact: PyDict, value: unknown, check: Check): Tau2Run {
  const { tasks, info, simulation_index: index } = check(Run, value);
  const listed = exact.get("tasks");
  const { llm, implementation } = info?.agent_info ?? {};
  const domain = info?.environment_info?.domain_name ?? "";
  return {
    tasks: new Map(
      tasks.map((task, position) => {
        const entry = Array.isArray(listed) ? listed[position] : null;
        return [task.id, { task, exact: isDict(entry) ? entry : null }] as const;
      }),
    ),
    taskSet: domain === "" ? null : `tau2-${domain}`,
    policy: llm ? `${llm}${implementation && implementation !== OWN_AGENT ? ` (${implementation})` : ""}` : null,
    isSolo: implementation?.includes("solo") === true,
    policySettings: settingsOf(exact),
    index: index?.map(({ id }) => id) ?? [],
    results: exact,
  };
}

function settingsOf(results: PyDict): Known {
  const valueAt = (...path: readonly string[]) => path.reduce<PyValue>((at, key) => (isDict(at) ? (at.get(key) ?? null) : null), results);
  const told = { arguments: valueAt("info", "agent_info", "llm_args"), prompt: valueAt("info", "environment_info", "policy") };
  return Object.fromEntries(Object.entries(told).flatMap(([what, value]) => (value === null ? [] : [[what, canonicalText(value)]])));
}

/**
 * The rollout of a simulation, or why there is none: it ended by a failure of harness, user or infrastructure, was not graded, or has no
 * conversation. Throws contract.invalid for what is no simulation.
 */
export function importSimulation(value: unknown, { run, ...context }: EntryContext & { readonly run: Tau2Run }): ImportedRollout | string {
  const ending = endingOf(value);
  const failure = failureOf(value, ending);
  if (failure !== null) return failure;
  const { exact, source, catalog } = context;
  const { task_id: taskId, trial, reward_info: graded, messages, info } = context.check(Simulation, value);
  const position = context.position(taskId);
  const known = run.tasks.get(taskId);
  if (known === undefined) return WITHOUT_TASK;
  if (isDict(exact) && isGradedByAnotherTau2Task(known.exact, exact.get("reward_info") ?? null)) return GRADED_BY_ANOTHER;
  const { user_scenario: scenario, evaluation_criteria: criteria } = known.task;
  const asked = criteriaOf(criteria, run.isSolo);
  const conversation = importMessages(
    messages,
    knownTools(catalog.tools, asked.goldenActions),
    (value as { readonly messages?: unknown }).messages,
  );
  const reason = unreadableReason(conversation);
  if (reason !== null) return reason;
  return createImportedRollout({
    taskId,
    userId: USER_ID.exec(JSON.stringify(scenario))?.[0] ?? "",
    isUserTold: false,
    trial: trial ?? position,
    environment: run.taskSet ?? "tau2-bench",
    policyName: run.policy ?? source,
    isPolicyTold: run.policy !== null,
    policySettings: run.policySettings,
    instruction: instructionOf(scenario),
    ...asked,
    moreKnown: moreOf(known.exact),
    conversation,
    stopReason: STOP_REASONS[ending] as StopReason,
    reward: graded.reward,
    isWrite: catalog.isWrite,
    origin: isDict(exact) ? { format: "tau2", entry: exact, results: run.results } : null,
    provenance: info?.[PROVENANCE_KEY],
  });
}

/** Some tools write the name of the enumeration's member for its value, or how Python shows it: `<TerminationReason.USER_STOP: 'user_stop'>`. */
function endingOf(value: unknown): string {
  const { termination_reason: reason } = value as { readonly termination_reason?: unknown };
  return typeof reason === "string" ? reason.replace(/^<?TerminationReason\.(\w+).*$/, "$1").toLowerCase() : "";
}

function failureOf(value: unknown, ending: string): string | null {
  const { reward_info: graded, messages, ticks } = value as Readonly<Record<string, unknown>>;
  if (FAILURES.has(ending)) return `ended by ${ending}`;
  if (STOP_REASONS[ending] === undefined) return ending === "" ? "without a termination reason" : `ended by ${ending}, which is not known`;
  const trouble = rewardTrouble((graded as { readonly reward?: unknown } | null | undefined)?.reward);
  if (trouble !== null) return trouble;
  if (Array.isArray(messages) ? messages.length > 0 : messages !== null && messages !== undefined) return foreignForm(messages);
  return Array.isArray(ticks) && ticks.length > 0 ? "of voice, which has no turns" : WITHOUT_CONVERSATION;
}

/** What else tells tasks of one id apart: where the conversation begins, and what else is graded. */
function moreOf(task: PyDict | null): Known {
  const criteria = task?.get("evaluation_criteria") ?? null;
  const actions = isDict(criteria) ? criteria.get("actions") : null;
  const ofUser = Array.isArray(actions) ? actions.filter((action) => isDict(action) && action.get("requestor") === "user") : [];
  const parts = {
    initialState: task?.get("initial_state") ?? null,
    environmentAssertions: isDict(criteria) ? (criteria.get("env_assertions") ?? null) : null,
    assertions: isDict(criteria) ? (criteria.get("nl_assertions") ?? null) : null,
    userActions: ofUser.map((action) => (isDict(action) ? [action.get("name") ?? null, action.get("arguments") ?? null] : null)),
  };
  return Object.fromEntries(
    Object.entries(parts).flatMap(([aspect, part]) =>
      part === null || (Array.isArray(part) && part.length === 0) ? [] : [[aspect, canonicalText(part)]],
    ),
  );
}

/** What the benchmark's default asks for is the database and what must be communicated. */
const PLAIN_BASIS: readonly string[] = ["DB", "COMMUNICATE"];

/**
 * What the reward asks for, as far as the file tells it: criteria that are null or absent are not known. What must be communicated counts
 * only where the reward's basis names it. Golden actions of the user's own tools are not the agent's, unless it works alone and makes them
 * itself, and no replay here makes them.
 */
function criteriaOf(
  criteria: Tau2Task["evaluation_criteria"],
  isSolo: boolean,
): Pick<ImportedParts, "goldenActions" | "outputs" | "alsoGradedBy"> {
  const { actions, communicate_info: outputs, reward_basis } = criteria ?? {};
  const basis = reward_basis ?? PLAIN_BASIS;
  const others = [
    ...basis.filter((one) => !PLAIN_BASIS.includes(one)),
    ...(basis.includes("DB") ? [] : ["no database"]),
    ...(!isSolo && actions?.some(({ requestor }) => requestor === "user") ? ["the user's own actions"] : []),
  ];
  const own = actions?.filter(({ requestor }) => isSolo || requestor !== "user");
  return {
    goldenActions: own?.map(({ name, arguments: args, compare_args: compared }) => goldenAction(name, args, compared)) ?? null,
    outputs: basis.includes("COMMUNICATE") ? (outputs ?? null) : [],
    alsoGradedBy: others.length === 0 ? null : others.join(" and "),
  };
}

/** A scenario that is one text stands for itself. */
function instructionOf(scenario: Tau2Task["user_scenario"]): string {
  const isObject = typeof scenario === "object" && scenario !== null && !Array.isArray(scenario);
  const instructions = isObject ? scenario["instructions"] : null;
  return isObject && typeof instructions === "string" && !scenario["persona"] ? instructions : JSON.stringify(scenario);
}
