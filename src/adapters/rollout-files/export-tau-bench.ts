// Result files of tau-bench's runner (`EnvRunResult` of its types.py), as `json.dump(results, file, indent=2)` writes them.
import type { GoldenAction, ToldTask } from "#contracts/task.ts";
import type { Trajectory, Turn } from "#contracts/trajectory.ts";
import { isNoArguments } from "#core/exact-json.ts";
import type { ToolSchema } from "#core/ports.ts";
import { isNaturalEnding, repliesOf } from "#core/rollout/ending.ts";
import { parseJson } from "#environments/tau/python/parse-json.ts";
import { dict, isDict, PyDict, PyError, PyFloat, type PyValue } from "#environments/tau/python/values.ts";
import { missingOutputs } from "#environments/tau/tool-environment.ts";
import { isErrorText } from "./import-messages.ts";
import { bareTrajectory, type ImportedRollout } from "./imported-rollouts.ts";
import { PROVENANCE_KEY, provenanceOf } from "./provenance.ts";

/** What an export needs of the environment; null answers where it is not at hand. */
export interface ExportContext {
  readonly systemPrompt: string | null;
  /** Absent where the environment is not at hand. */
  readonly tools?: readonly ToolSchema[] | undefined;
  /** tau-bench's hash of the database that the golden actions lead to. */
  readonly goldenHash: (task: ToldTask) => string | null;
}

/**
 * One entry per rollout, in their order. A rollout that was read from such a file is given back as its own entry, every field kept; of
 * others the format has no place for tokens, state hashes and finish reasons.
 */
export function exportTauBench(rollouts: readonly ImportedRollout[], context: ExportContext): PyValue {
  const nameTask = taskNames(rollouts.map(({ task }) => task));
  return rollouts.map((rollout) =>
    rollout.origin?.format === "tau-bench"
      ? withTrial(rollout.origin.entry, rollout.trajectory)
      : tauBenchEntry(rollout, context, nameTask(rollout.task)),
  );
}

/** The benchmark counts its tasks. Tasks from elsewhere keep their id, and so do all when two would get one number. */
function taskNames(tasks: readonly ToldTask[]): (task: ToldTask) => PyValue {
  const numbers = new Map(tasks.map(({ id }) => [id, taskNumber(id)]));
  const isAmbiguous = new Set(numbers.values()).size < numbers.size;
  return ({ id }) => (isAmbiguous ? id : (numbers.get(id) ?? id));
}

function taskNumber(id: string): number | string {
  const [, number] = /^(?:(?:airline|retail-(?:test|train|dev))-)?(\d+)$/.exec(id) ?? [];
  return number === undefined ? id : Number(number);
}

/** The entry under the trial's number, which reading several files may have changed. */
export function withTrial(entry: PyDict, { trial }: Trajectory): PyDict {
  const stored = entry.get("trial") ?? null;
  return stored === null || stored === trial ? entry : entry.with("trial", trial);
}

/** The entry of a rollout as the runner would have written it. */
export function tauBenchEntry(rollout: ImportedRollout, context: ExportContext, taskId: PyValue): PyDict {
  const { task, trajectory } = rollout;
  return dict(
    ["task_id", taskId],
    ["reward", new PyFloat(trajectory.outcome.reward ?? 0)],
    [
      "info",
      dict(
        ["task", benchmarkTask(task)],
        ["source", lastSource(trajectory)],
        ["user_cost", null],
        ["reward_info", isNaturalEnding(trajectory.outcome.stopReason) ? rewardInfo(rollout, context) : null],
        [PROVENANCE_KEY, provenanceOf(bareTrajectory(rollout), task)],
      ),
    ],
    ["traj", chatMessages(rollout.systemPrompt ?? context.systemPrompt, trajectory)],
    ["trial", trajectory.trial],
  );
}

/** Who answered the agent last: a tool, or the user. */
function lastSource({ turns }: Trajectory): string {
  const last = turns.at(-1);
  return last?.toolCalls.findLast(({ isExecuted }) => isExecuted)?.name ?? "user";
}

/** What is not known is null, never an empty list. */
function benchmarkTask(task: ToldTask): PyDict {
  return dict(["user_id", task.userId], ["actions", benchmarkActions(task)], ["instruction", task.instruction], ["outputs", task.outputs]);
}

const benchmarkActions = ({ goldenActions }: ToldTask) => goldenActions?.map(benchmarkAction) ?? null;
/** Arguments that are no JSON object stay the text that they are. */
const benchmarkAction = (action: GoldenAction) =>
  withCompared(dict(["name", action.name], ["kwargs", argumentsOf(action.argumentsJson) ?? action.argumentsJson]), action);

/** tau2's word for it in every format, since no other has one. */
export function withCompared(action: PyDict, { compareArguments: compared }: GoldenAction): PyDict {
  return compared === undefined ? action : action.with("compare_args", compared);
}

/** The arguments, or null when the text is no JSON object. */
export function argumentsOf(text: string): PyDict | null {
  if (isNoArguments(text)) return dict();
  try {
    const value = parseJson(text);
    return isDict(value) ? value : null;
  } catch (error) {
    if (error instanceof PyError) return null;
    throw error;
  }
}

/** As the benchmark has it: for a task with outputs nothing is said of the database. */
function rewardInfo({ task, trajectory }: ImportedRollout, { goldenHash }: ExportContext): PyDict {
  const reward = new PyFloat(trajectory.outcome.reward ?? 0);
  const outputs = task.outputs ?? [];
  const missing = missingOutputs(outputs, repliesOf(trajectory.turns));
  const info =
    outputs.length === 0
      ? dict(["r_actions", reward], ["gt_data_hash", goldenHash(task) ?? "unknown"])
      : dict(
          ["r_outputs", new PyFloat(missing.length === 0 ? 1 : 0)],
          ["outputs", PyDict.from(outputs.map((output) => [output, !missing.includes(output)]))],
        );
  return dict(["reward", reward], ["info", info], ["actions", benchmarkActions(task)]);
}

/** The conversation in OpenAI's form. */
export function chatMessages(systemPrompt: string | null, { greeting, firstUserMessage, turns }: Trajectory): PyDict[] {
  const system = systemPrompt === null ? [] : [message("system", systemPrompt)];
  const greeted = greeting === undefined ? [] : [message("assistant", greeting)];
  return [...system, ...greeted, message("user", firstUserMessage), ...turns.flatMap(turnMessages)];
}

const message = (role: string, content: string | null) => dict(["role", role], ["content", content]);

function turnMessages(turn: Turn): PyDict[] {
  const words = dict(["content", turn.content], ["role", "assistant"]);
  const said = turn.reasoning === undefined ? words : words.with("reasoning_content", turn.reasoning);
  const calls = turn.toolCalls.map(({ id, name, argumentsJson }) =>
    dict(["function", dict(["arguments", argumentsJson], ["name", name])], ["id", id], ["type", "function"]),
  );
  const results = turn.toolCalls
    .filter(({ isExecuted }) => isExecuted)
    .map((call) => {
      const answer = dict(["role", "tool"], ["tool_call_id", call.id], ["name", call.name], ["content", call.result]);
      return call.isError === isErrorText(call.result ?? "") ? answer : answer.with("error", call.isError);
    });
  const reply = turn.userReply === null ? [] : [message("user", turn.userReply)];
  return [calls.length === 0 ? said : said.with("tool_calls", calls), ...results, ...reply];
}
