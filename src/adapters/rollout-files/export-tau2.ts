// Result files of tau2-bench (`Results` of its data_model/simulation.py).
import type { ToldTask } from "#contracts/task.ts";
import type { StopReason, Trajectory, Turn } from "#contracts/trajectory.ts";
import { repliesOf } from "#core/rollout/ending.ts";
import { dict, isDict, isList, type PyDict, PyFloat, type PyValue } from "#environments/tau/python/values.ts";
import { missingOutputs } from "#environments/tau/tool-environment.ts";
import { argumentsOf, type ExportContext, withTrial } from "./export-tau-bench.ts";
import { GREETING } from "./import-messages.ts";
import { bareTrajectory, type ImportedRollout, type Origin } from "./imported-rollouts.ts";
import { PROVENANCE_KEY, provenanceOf } from "./provenance.ts";

/** Nothing in a trajectory tells the time, so that equal rollouts give equal files. */
const NO_TIME = "1970-01-01T00:00:00";
const REWARD_BASIS = ["DB", "COMMUNICATE"];

const TERMINATION: Readonly<Record<StopReason, string>> = {
  "user-stop": "user_stop",
  transfer: "agent_stop",
  "turn-cap": "max_steps",
  "token-cap": "context_window_exceeded",
  "context-cap": "context_window_exceeded",
  unparsable: "agent_error",
  "agent-stop": "agent_stop",
  "error-cap": "too_many_errors",
  error: "too_many_errors",
};

/**
 * One results object. Rollouts that were read from such files are given back as their own simulations and tasks, every field kept, under
 * what the first file says of the run; of others the format has no place for tokens, state hashes and finish reasons.
 */
export function exportTau2(rollouts: readonly ImportedRollout[], context: ExportContext): PyValue {
  const origins = rollouts.flatMap(({ origin }) => (origin?.format === "tau2" ? [origin] : []));
  const header = origins[0]?.results ?? newHeader(rollouts, context);
  return header.with("tasks", tasksOf(rollouts, origins)).with("simulations", rollouts.map(simulationOf));
}

function simulationOf(rollout: ImportedRollout): PyDict {
  return rollout.origin?.format === "tau2" ? withTrial(rollout.origin.entry, rollout.trajectory) : tau2Simulation(rollout);
}

/** The files' own tasks, then those that no file has; of rollouts that tell a task differently, the one that tells most. */
function tasksOf(rollouts: readonly ImportedRollout[], origins: readonly (Origin & { format: "tau2" })[]): PyDict[] {
  const tasks = new Map<string, PyDict>();
  for (const results of new Set(origins.map((origin) => origin.results))) {
    const listed = results.get("tasks") ?? [];
    for (const task of isList(listed) ? listed.filter(isDict) : []) tasks.set(String(task.get("id")), task);
  }
  const unknowns = ({ goldenActions, outputs }: ToldTask) => Number(goldenActions === null) + Number(outputs === null);
  for (const { task } of rollouts.toSorted((a, b) => unknowns(a.task) - unknowns(b.task))) {
    const id = tau2TaskId(task);
    if (!tasks.has(id)) tasks.set(id, tau2Task(task));
  }
  return Array.from(tasks.values());
}

/** The benchmark's own number for its tasks; tasks from elsewhere keep their id. */
function tau2TaskId({ id }: ToldTask): string {
  return id.replace(/^tau2-airline-0?(?=\d)/, "");
}

/** What is not known is null, never an empty list. */
function tau2Task(task: ToldTask): PyDict {
  const actions = task.goldenActions?.map(({ name, argumentsJson, compareArguments = null }, index) =>
    dict(
      ["action_id", `${tau2TaskId(task)}_${index}`],
      ["requestor", "assistant"],
      ["name", name],
      ["arguments", argumentsOf(argumentsJson) ?? argumentsJson],
      ["info", null],
      ["compare_args", compareArguments],
    ),
  );
  return dict(
    ["id", tau2TaskId(task)],
    ["description", null],
    ["user_scenario", dict(["persona", null], ["instructions", task.instruction])],
    ["initial_state", null],
    [
      "evaluation_criteria",
      dict(["actions", actions ?? null], ["communicate_info", task.outputs], ["nl_assertions", null], ["reward_basis", REWARD_BASIS]),
    ],
  );
}

/** What is not known of the run says so; `max_steps` is the length of the longest conversation. */
function newHeader(rollouts: readonly ImportedRollout[], { systemPrompt }: ExportContext): PyDict {
  const [first] = rollouts;
  const longest = Math.max(0, ...rollouts.map(({ trajectory }) => messages(trajectory).length));
  const trials = Math.max(0, ...rollouts.map(({ trajectory }) => trajectory.trial + 1));
  const party = (implementation: string, llm: string | null) => dict(["implementation", implementation], ["llm", llm], ["llm_args", null]);
  const environment = dict(
    ["domain_name", (first?.trajectory.environment ?? "unknown").replace(/^tau2-/, "")],
    ["policy", first?.systemPrompt ?? systemPrompt ?? ""],
    ["tool_defs", null],
  );
  const info = dict(
    ["git_commit", "unknown"],
    ["num_trials", trials],
    ["max_steps", longest],
    ["max_errors", 0],
    ["user_info", party("user_simulator", first?.trajectory.simulator.id ?? null)],
    ["agent_info", party("llm_agent", first?.trajectory.policy.name ?? null)],
    ["environment_info", environment],
    ["seed", null],
  );
  return dict(["timestamp", NO_TIME], ["info", info], ["tasks", []], ["simulations", []]);
}

/** The simulation of a rollout in the benchmark's words. */
function tau2Simulation(rollout: ImportedRollout): PyDict {
  const { task, trajectory } = rollout;
  return dict(
    ["id", `${trajectory.taskId}-${trajectory.trial}`],
    ["task_id", tau2TaskId(task)],
    ["timestamp", NO_TIME],
    ["start_time", NO_TIME],
    ["end_time", NO_TIME],
    ["duration", new PyFloat(0)],
    ["termination_reason", TERMINATION[trajectory.outcome.stopReason]],
    ["agent_cost", null],
    ["user_cost", null],
    ["reward_info", rewardInfo(rollout)],
    ["messages", messages(trajectory)],
    ["trial", trajectory.trial],
    ["seed", null],
    ["info", dict([PROVENANCE_KEY, provenanceOf(bareTrajectory(rollout), task)])],
  );
}

function rewardInfo({ task, trajectory }: ImportedRollout): PyDict {
  const { reward, passed, isDatabaseMatch } = trajectory.outcome;
  const outputs = task.outputs ?? [];
  const missing = missingOutputs(outputs, repliesOf(trajectory.turns));
  const communicated = new PyFloat(missing.length === 0 ? 1 : 0);
  const isMatch = isDatabaseMatch ?? (passed === true ? true : null);
  const database = isMatch === null ? null : new PyFloat(isMatch ? 1 : 0);
  return dict(
    ["reward", new PyFloat(reward ?? 0)],
    ["db_check", database === null ? null : dict(["db_match", isMatch], ["db_reward", database])],
    ["env_assertions", null],
    ["action_checks", null],
    ["nl_assertions", null],
    [
      "communicate_checks",
      outputs.map((output) =>
        dict(
          ["info", output],
          ["met", !missing.includes(output)],
          ["justification", missing.includes(output) ? "no reply contains it" : "a reply contains it"],
        ),
      ),
    ],
    ["reward_basis", REWARD_BASIS],
    ["reward_breakdown", database === null ? null : dict(["DB", database], ["COMMUNICATE", communicated])],
    ["info", null],
  );
}

/** The agent greets first, as in every conversation of the benchmark: in its own words where it had some. */
function messages({ greeting, firstUserMessage, turns }: Trajectory): PyDict[] {
  const spoken = [spokenBy("assistant", greeting ?? GREETING), spokenBy("user", firstUserMessage), ...turns.flatMap(turnMessages)];
  return spoken.map((message, index) => message.with("turn_idx", index).with("timestamp", null));
}

const spokenBy = (role: "assistant" | "user", content: string | null) => dict(["role", role], ["content", content], ["tool_calls", null]);

function turnMessages(turn: Turn): PyDict[] {
  const calls = turn.toolCalls.map((call) => ({ ...call, arguments: argumentsOf(call.argumentsJson) }));
  const said = spokenBy("assistant", turn.content).with(
    "tool_calls",
    calls.length === 0
      ? null
      : calls.map((call) =>
          dict(["id", call.id], ["name", call.name], ["arguments", call.arguments ?? dict()], ["requestor", "assistant"]),
        ),
  );
  const rawData = [
    ...(turn.reasoning === undefined ? [] : [["reasoning_content", turn.reasoning] as const]),
    // One entry for each call, null for those whose arguments are an object.
    ...(calls.every((call) => call.arguments !== null)
      ? []
      : [["unreadable_arguments", calls.map((call) => (call.arguments === null ? call.argumentsJson : null))] as const]),
  ];
  const results = calls
    .filter(({ isExecuted }) => isExecuted)
    .map(({ id, result, isError }) =>
      dict(["id", id], ["role", "tool"], ["content", result], ["requestor", "assistant"], ["error", isError]),
    );
  const reply = turn.userReply === null ? [] : [spokenBy("user", turn.userReply)];
  return [rawData.length === 0 ? said : said.with("raw_data", dict(...rawData)), ...results, ...reply];
}
