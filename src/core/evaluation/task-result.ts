// What one policy did on tasks: the input of every figure of an evaluation.
import { CampaignError } from "../errors.ts";

/** The trials of one task. */
export interface TaskResult {
  readonly taskId: string;
  /** Tasks of one cluster stand or fall together (core/environment/cluster-of.ts). */
  readonly cluster: string;
  readonly kind: string;
  readonly passes: readonly boolean[];
}

/** Sorted by task. Throws contract.invalid without tasks, without trials, or when a task appears twice. */
export function canonicalResults(results: readonly TaskResult[]): TaskResult[] {
  const sorted = [...results].sort((a, b) => (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0));
  const repeated = sorted.find((result, i) => result.taskId === sorted[i - 1]?.taskId);
  const problem =
    sorted.length === 0
      ? "no tasks"
      : repeated !== undefined
        ? `task ${repeated.taskId} twice`
        : sorted.some((result) => result.passes.length === 0)
          ? "a task without trials"
          : null;
  if (problem !== null) throw new CampaignError("contract.invalid", `an evaluation cannot be made from ${problem}`);
  return sorted;
}

export function numPasses({ passes }: TaskResult): number {
  return passes.filter(Boolean).length;
}

export function passRate(result: TaskResult): number {
  return numPasses(result) / result.passes.length;
}
