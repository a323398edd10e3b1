// Tools of which nobody said whether they change anything: what is stated about writes and reads does not hold for them.
import type { ToldTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import type { ToolCatalog } from "./label-trajectory.ts";

export interface UnknownTools {
  /** Sorted. */
  readonly names: readonly string[];
  /** Executed calls of them, all labelled as reads. */
  readonly numCalls: number;
  /** No tool of the rollouts is known to write: then no turn can be a write, whatever it did. */
  readonly hasNoWrite: boolean;
}

/** Null when the catalog knows every tool that worked or is golden. A call that failed may be of a tool that does not exist. */
export function unknownTools(
  rollouts: readonly { readonly task: Pick<ToldTask, "goldenActions">; readonly trajectory: Pick<Trajectory, "turns"> }[],
  { isKnown = () => true, isWrite, isTerminal }: ToolCatalog,
): UnknownTools | null {
  const calls = rollouts.flatMap(({ trajectory }) => trajectory.turns.flatMap(({ toolCalls }) => toolCalls));
  const called = calls.filter(({ isExecuted, isError }) => isExecuted && !isError).map(({ name }) => name);
  const golden = rollouts.flatMap(({ task }) => task.goldenActions ?? []).map(({ name }) => name);
  const used = new Set([...called, ...golden]);
  const names = [...used].filter((name) => !isKnown(name)).sort();
  if (names.length === 0) return null;
  return {
    names,
    numCalls: called.filter((name) => !isKnown(name)).length,
    hasNoWrite: ![...used].some((name) => isWrite(name) && !isTerminal(name)),
  };
}

const SHOWN = 8;

/** One line for people. */
export function describeUnknownTools({ names, numCalls, hasNoWrite }: UnknownTools): string {
  const list = names.length <= SHOWN ? names.join(", ") : `${names.slice(0, SHOWN).join(", ")} and ${names.length - SHOWN} more`;
  const what = hasNoWrite ? "no tool of these rollouts is known to write" : "some tools of these rollouts are not known to read or to write";
  return `${what}: ${list}; their ${numCalls} calls are labelled as reads, and what doing nothing passes is not known: name the tools that write with --write-tools`;
}
