// Result files of tau-bench's runner: a JSON list with one entry per task and trial.
import { z } from "zod";
import { Provenance } from "#contracts/provenance.ts";
import { ChatMessage } from "#contracts/rollout-line.ts";
import { isDict } from "#environments/tau/python/values.ts";
import { foreignForm } from "./conversation/foreign-messages.ts";
import { knownTools } from "./conversation/readers.ts";
import type { EntryContext } from "./entry-context.ts";
import { GRADED_BY_ANOTHER, isGradedByAnotherTauBenchTask } from "./graded-task.ts";
import { goldenAction, importMessages, inferStopReason } from "./import-messages.ts";
import {
  createImportedRollout,
  type ImportedRollout,
  rewardTrouble,
  unreadableReason,
  WITHOUT_CONVERSATION,
  WITHOUT_TASK,
} from "./imported-rollouts.ts";
import { PROVENANCE_KEY } from "./provenance.ts";

const Action = z.object({
  name: z.string(),
  kwargs: z.union([z.string(), z.record(z.string(), z.json())]).nullish(),
  /** No field of tau-bench: what an export of ours keeps of tau2. */
  compare_args: z.array(z.string()).nullish(),
});
const TauBenchEntry = z.object({
  task_id: z.union([z.int(), z.string().min(1)]),
  trial: z.int().nonnegative().nullish(),
  reward: z.union([z.number(), z.boolean().transform(Number)]),
  info: z.object({
    task: z.object({
      user_id: z.string(),
      instruction: z.string(),
      actions: z.array(Action).nullish(),
      outputs: z.array(z.string()).nullish(),
    }),
    [PROVENANCE_KEY]: Provenance.optional(),
  }),
  traj: z.array(ChatMessage),
});

const ENDED_BY_ERROR = "ended by an error of the runner";

/**
 * The rollout of an entry, or why there is none. What the runner recorded as an error is none, however far its conversation came: the
 * runner, like its forks, writes reward 0 for it. Throws contract.invalid for what is no such entry.
 */
export function importTauBenchEntry(value: Readonly<Record<string, unknown>>, context: EntryContext): ImportedRollout | string {
  const failure = failureOf(value);
  if (failure !== null) return failure;
  const { exact, source, catalog } = context;
  const entry = context.check(TauBenchEntry, value);
  if (isDict(exact) && isGradedByAnotherTauBenchTask(exact.get("info") ?? null)) return GRADED_BY_ANOTHER;
  const { task, [PROVENANCE_KEY]: provenance } = entry.info;
  const taskId = String(entry.task_id);
  const position = context.position(taskId);
  const conversation = importMessages(entry.traj, knownTools(catalog.tools, task.actions), value["traj"]);
  const reason = unreadableReason(conversation);
  if (reason !== null) return reason;
  return createImportedRollout({
    taskId,
    userId: task.user_id,
    trial: entry.trial ?? position,
    environment: "tau-bench",
    policyName: source,
    instruction: task.instruction,
    goldenActions: task.actions?.map(({ name, kwargs, compare_args: compared }) => goldenAction(name, kwargs, compared)) ?? null,
    outputs: task.outputs ?? null,
    conversation,
    stopReason: inferStopReason(conversation, catalog.isTerminal),
    reward: entry.reward,
    isWrite: catalog.isWrite,
    origin: isDict(exact) ? { format: "tau-bench", entry: exact } : null,
    provenance,
  });
}

function failureOf(entry: Readonly<Record<string, unknown>>): string | null {
  const { info, error, reward, traj } = entry;
  const told = typeof info === "object" && info !== null ? (info as Readonly<Record<string, unknown>>) : {};
  if (isError(told["error"]) || isError(error)) return ENDED_BY_ERROR;
  const trouble = rewardTrouble(reward);
  if (trouble !== null) return trouble;
  if (traj === null || traj === undefined || (Array.isArray(traj) && traj.length === 0)) return conversationElsewhere(entry);
  return told["task"] === undefined || told["task"] === null ? WITHOUT_TASK : foreignForm(traj);
}

/** What people who keep results of the runner call its `traj`. */
const OTHER_NAMES = ["trajectory", "messages", "conversation", "history"];

function conversationElsewhere(entry: Readonly<Record<string, unknown>>): string {
  const key = OTHER_NAMES.find((name) => Array.isArray(entry[name]) && entry[name].length > 0);
  return key === undefined ? WITHOUT_CONVERSATION : `${WITHOUT_CONVERSATION} in traj (it stands in ${key}: name that traj)`;
}

const isError = (value: unknown) => value !== undefined && value !== null && value !== false && value !== "";
