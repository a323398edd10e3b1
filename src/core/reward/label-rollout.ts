// A rollout as calibration sees it: its labelled turns and its outcome, nothing else.
import type { TierScheme } from "#contracts/reward-table.ts";
import type { ToldTask } from "#contracts/task.ts";
import type { Outcome, StopReason, Trajectory } from "#contracts/trajectory.ts";
import type { Environment } from "../environment/environment.ts";
import { type LabelledTurn, labelTrajectory, type ToolCatalog } from "./label-trajectory.ts";
import { passesIdle } from "./passes-idle.ts";

export interface LabelledRollout {
  readonly taskId: string;
  /** Tasks of one user never stand on both sides of a split. Empty when unknown: the task then stands alone. */
  readonly userId: string;
  readonly trial: number;
  /** 1 for a pass: what pass rates are of. */
  readonly outcome: 0 | 1;
  /** In [0, 1]: what estimators and calibration's correlations and pairs take. Absent where it is the outcome. */
  readonly reward?: number;
  readonly isTruncated: boolean;
  readonly turns: readonly LabelledTurn[];
  /** Whether the task is passed by doing nothing; null or absent when that is not known. */
  readonly passesIdle?: boolean | null;
  /** Agent tokens per turn, for the share of the gradient; every turn counts 1 without it. */
  readonly numTokensPerTurn?: readonly number[];
}

/** Calls of which no schema says whether they equal a golden or an earlier one. */
export function countDoubtfulCalls(rollouts: readonly LabelledRollout[]): number {
  return rollouts.flatMap(({ turns }) => turns).flatMap(({ callTiers }) => callTiers.filter((call) => call.isDoubtful === true)).length;
}

/** What a report says of them. */
export function describeDoubt(numDoubtfulCalls: number): string {
  const calls = numDoubtfulCalls === 1 ? "1 call" : `${numDoubtfulCalls} calls`;
  return `${calls} would equal, or be nearer to, a golden or an earlier call if "007", "7" and 7, or a list and its text, were the same to the tool, which no schema says: near misses at most, never gold nor duplicates; name the tools' environment (--task-set), or give their schemas (tools in JSONL), to know`;
}

/** Whether a rollout was cut by a limit rather than ended by its user or agent. */
export function isTruncation(stopReason: StopReason): boolean {
  return stopReason === "turn-cap" || stopReason === "token-cap" || stopReason === "context-cap" || stopReason === "error-cap";
}

/** Labels one trajectory by golden actions. An outcome without a reward counts as failed: callers leave out rollouts that carry none. */
export function labelRollout(
  trajectory: Trajectory,
  task: ToldTask,
  scheme: TierScheme,
  environment: Environment | ToolCatalog,
): LabelledRollout {
  const turns = labelTrajectory(trajectory, task, scheme, environment);
  return labelledRollout(trajectory, task, { turns, passesIdle: passesIdle(task, environment) });
}

/** The same with turns that whoever knows the environment has labelled. */
export function labelledRollout(
  trajectory: Trajectory,
  task: Pick<ToldTask, "userId">,
  labels: { readonly turns: readonly LabelledTurn[]; readonly passesIdle: boolean | null },
): LabelledRollout {
  const base = {
    taskId: trajectory.taskId,
    userId: task.userId ?? "",
    trial: trajectory.trial,
    ...outcomeOf(trajectory.outcome),
    isTruncated: isTruncation(trajectory.outcome.stopReason),
    ...labels,
  };
  const numTokensPerTurn = tokensPerTurn(trajectory);
  return numTokensPerTurn === null ? base : { ...base, numTokensPerTurn };
}

function outcomeOf({ reward, passed }: Outcome): Pick<LabelledRollout, "outcome" | "reward"> {
  const outcome = passed === true ? 1 : 0;
  return reward === null || reward === outcome ? { outcome } : { outcome, reward };
}

/** Sampled tokens of each turn, from the trainable rows; null when the source has no tokens. */
function tokensPerTurn(trajectory: Trajectory): number[] | null {
  if (trajectory.rows.length === 0) return null;
  const counts = trajectory.turns.map(() => 0);
  const positions = new Map(trajectory.turns.map((turn, position) => [turn.index, position]));
  for (const span of trajectory.rows.flatMap((row) => row.spans)) {
    const position = positions.get(span.turn);
    if (position !== undefined) counts[position] = (counts[position] ?? 0) + span.end - span.start;
  }
  return counts;
}
