// Rollouts that were made elsewhere, in this project's words.

import type { Provenance } from "#contracts/provenance.ts";
import type { RolloutReading } from "#contracts/rollout-reading.ts";
import type { ToldTask } from "#contracts/task.ts";
import type { StopReason, Trajectory } from "#contracts/trajectory.ts";
import type { ToolSchema } from "#core/ports.ts";
import { addCounts, type Counts, countNames } from "#core/reading/counts.ts";
import { PLAIN_READER } from "#core/reading/describe-reading.ts";
import { NO_USAGE } from "#core/rollout/usage.ts";
import type { PyDict } from "#environments/tau/python/values.ts";
import { readArguments } from "./conversation/arguments.ts";
import type { ReadingNote } from "./conversation/notes.ts";
import type { CallReader } from "./conversation/readers.ts";
import type { ReadConversation } from "./import-messages.ts";
import { type Known, taskContent } from "./task-identity.ts";

export interface ImportedRollout {
  /** As far as the source tells it. */
  readonly task: ToldTask;
  readonly trajectory: Trajectory;
  /** What the agent was told first; null when the source does not say. */
  readonly systemPrompt: string | null;
  /** The entry that it was read from, so that an export to the same format gives back every field; null for trajectories of our own. */
  readonly origin: Origin | null;
  /** What its file tells of task and policy; absent for trajectories, which tell it themselves. */
  readonly told?: Told;
  /** The id of its task in its file, where another task of the buffer has the same one. */
  readonly bareId?: string;
  /** The tools as the source has them; absent when it does not say. */
  readonly tools?: readonly ToolSchema[];
  /** How its conversation was read; absent for trajectories, which need no reading. */
  readonly read?: { readonly reader: CallReader; readonly notes: Counts };
  /** The file that it was read from; absent for rollouts of a campaign. */
  readonly file?: string;
}

/** The trajectory under the id that its task has in its own file: an export says it, so that it is known to be a copy. */
export function bareTrajectory({ trajectory, bareId }: ImportedRollout): Trajectory {
  return bareId === undefined ? trajectory : { ...trajectory, taskId: bareId };
}

/** Evidence on which rollouts and which tasks are the same. What is not known is absent. */
interface Told {
  readonly known: Known;
  readonly maker: Known;
  /** What else makes the policy, where the file tells it: two policies of one name may differ in it. */
  readonly policySettings?: Known;
  /** Written by an export of ours. */
  readonly isExport: boolean;
}

export type Origin =
  | { readonly format: "tau-bench"; readonly entry: PyDict }
  /** `results` is the whole file: what it says beside its simulations belongs to all of them. */
  | { readonly format: "tau2"; readonly entry: PyDict; readonly results: PyDict };

export interface ImportedRollouts {
  readonly rollouts: readonly ImportedRollout[];
  readonly reading: RolloutReading;
}

/** Of rollouts of one source, each of which counts. */
export function readingOf(rollouts: readonly ImportedRollout[], account: Partial<RolloutReading> = {}): RolloutReading {
  const tasks = new Map(rollouts.map(({ task }) => [task.id, task.environment]));
  return {
    files: 1,
    rollouts: rollouts.length,
    repeats: 0,
    excluded: {},
    readers: countNames(rollouts.map(({ read }) => read?.reader ?? PLAIN_READER)),
    notes: addCounts(...rollouts.map(({ read }) => read?.notes ?? {})),
    policies: countNames(rollouts.map(({ trajectory }) => trajectory.policy.name)),
    taskSets: countNames(tasks.values()),
    ...account,
  };
}

export const WITHOUT_OUTCOME = "without an outcome";
const WITHOUT_REWARD = "without a reward";
export const WITHOUT_CONVERSATION = "without a conversation";
export const WITHOUT_TASK = "of a task that the file does not tell";

/** Why there is no outcome: the harness gave no reward, or Python wrote its NaN for none. Null when there is one. */
export function rewardTrouble(reward: unknown): string | null {
  if (reward === null || reward === undefined) return WITHOUT_REWARD;
  return typeof reward === "number" && !Number.isFinite(reward) ? "with NaN or Infinity for a reward" : null;
}

/** Why a conversation is left out whose calls were run and cannot be read; null for any other. */
export function unreadableReason({ unreadable }: ReadConversation): string | null {
  return unreadable === null ? null : `with calls that cannot be read (${unreadable})`;
}

export interface ImportedParts {
  readonly taskId: string;
  readonly userId: string;
  /** False when the user is only guessed from the instruction. */
  readonly isUserTold?: boolean;
  readonly trial: number;
  readonly environment: string;
  readonly policyName: string;
  /** Whether the file names the policy, rather than being called so. */
  readonly isPolicyTold?: boolean;
  readonly policySettings?: Known;
  readonly instruction: string;
  /** Null when the source does not tell them, which is not the same as none. */
  readonly goldenActions: ToldTask["goldenActions"];
  /** Null when the source does not tell them. */
  readonly outputs: readonly string[] | null;
  /** What the reward takes beside database and outputs. */
  readonly alsoGradedBy?: string | null;
  /** What else the file tells of the task, by aspect. */
  readonly moreKnown?: Known;
  readonly conversation: ReadConversation;
  readonly stopReason: StopReason;
  /** As the benchmark gave it: 1 is passed, anything else is not. What lies between 0 and 1 is kept, what lies outside earns nothing. */
  readonly reward: number;
  readonly isWrite: (toolName: string) => boolean;
  readonly origin?: Origin | null;
  readonly tools?: readonly ToolSchema[] | undefined;
  /** What an export of ours left in the file. */
  readonly provenance?: Provenance | null | undefined;
}

/** A rollout from what the sources have in common; what they lack is said to be unknown. */
export function createImportedRollout(parts: ImportedParts): ImportedRollout {
  const { taskId, environment, ...known } = parts.provenance ?? unknownProvenance(parts);
  const task = importedTask(parts, taskId, environment);
  return {
    task,
    trajectory: {
      schemaVersion: 2,
      taskId,
      trial: parts.trial,
      environment,
      policy: known.policy,
      simulator: known.simulator,
      seed: known.seed,
      firstUserMessage: parts.conversation.firstUserMessage,
      turns: parts.conversation.turns,
      rows: [],
      outcome: known.outcome,
      usage: known.usage,
    },
    systemPrompt: parts.conversation.systemPrompt,
    origin: parts.origin ?? null,
    told: toldOf(parts, task),
    ...(parts.tools === undefined ? {} : { tools: parts.tools }),
    read: {
      reader: parts.conversation.reader,
      notes: addCounts(parts.conversation.notes, goldenNotes(parts.goldenActions), rewardNotes(parts.reward)),
    },
  };
}

/** Names of environments that do not say which set of tasks it is. */
const ANY_SET: ReadonlySet<string> = new Set(["tau-bench", "tau2-bench", "imported", "unknown", ""]);

function toldOf(
  { provenance, isPolicyTold = false, isUserTold = true, policyName, policySettings = {}, moreKnown = {} }: ImportedParts,
  task: ImportedRollout["task"],
): Told {
  const taskSet = ANY_SET.has(task.environment) ? null : task.environment;
  const userId = isUserTold ? task.userId : "";
  const known = taskContent({ ...task, userId }, taskSet, moreKnown);
  const { policy, seed } = provenance ?? {};
  const isOfRecord = policy !== undefined && policy.hash !== "unknown";
  const named = isPolicyTold ? { policyName } : {};
  return {
    known,
    maker: isOfRecord ? { policyName: policy.name, policyHash: policy.hash, seed: seed ?? "" } : provenance ? {} : named,
    policySettings,
    isExport: provenance !== undefined && provenance !== null,
  };
}

/** Such a golden action is equal to no call. */
function goldenNotes(actions: ToldTask["goldenActions"]): Counts {
  const note: ReadingNote = "rollouts with golden arguments that are no object";
  const isUnreadable = actions?.some(
    ({ argumentsJson }) => readArguments(argumentsJson).note === "calls with arguments that are no object",
  );
  return { [note]: isUnreadable === true ? 1 : 0 };
}

function rewardNotes(reward: number): Counts {
  const graded: ReadingNote = "rewards between 0 and 1: kept, counted as failed";
  const outside: ReadingNote = "rewards below 0 or above 1: counted as failed, with reward 0";
  const kept = keptReward(reward);
  return { [graded]: kept > 0 && kept < 1 ? 1 : 0, [outside]: isOutside(reward) ? 1 : 0 };
}

function importedTask(parts: ImportedParts, id: string, environment: string): ToldTask {
  const { goldenActions, outputs, provenance } = parts;
  const numWrites = goldenActions?.filter((action) => parts.isWrite(action.name)).length ?? 0;
  const alsoGradedBy = provenance?.task?.alsoGradedBy ?? parts.alsoGradedBy ?? null;
  return {
    schemaVersion: 1,
    id,
    environment,
    userId: provenance?.task?.userId ?? parts.userId,
    instruction: parts.instruction,
    goldenActions,
    outputs: outputs === null ? null : [...outputs],
    agenda: null,
    kind: "imported",
    difficulty: goldenActions === null ? null : { numWrites, numReads: goldenActions.length - numWrites },
    ...(alsoGradedBy === null ? {} : { alsoGradedBy }),
  };
}

function unknownProvenance({ taskId, environment, policyName, reward: given, stopReason }: ImportedParts): Provenance {
  const reward = keptReward(given);
  const passed = reward === 1;
  const failure = stopReason === "unparsable" ? "agent_error" : "task_failed";
  return {
    taskId,
    environment,
    policy: { name: policyName, hash: "unknown", format: "native" },
    simulator: { id: "unknown", hash: "unknown" },
    seed: "unknown",
    outcome: { type: passed ? "ok" : failure, reward, passed, parts: {}, stopReason, isDatabaseMatch: null, detail: null },
    usage: NO_USAGE,
  };
}

const REWARD_ROUNDING = 1e-6;

/** A benchmark's reward as ours: 1 is the pass, as the benchmarks' own pass^k counts it. */
function keptReward(reward: number): number {
  if (Math.abs(reward - 1) <= REWARD_ROUNDING) return 1;
  return Math.abs(reward) <= REWARD_ROUNDING || isOutside(reward) ? 0 : reward;
}

const isOutside = (reward: number): boolean => reward < -REWARD_ROUNDING || reward > 1 + REWARD_ROUNDING;
