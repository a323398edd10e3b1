// Tools of which nobody said whether they change anything: what is stated about writes and reads does not hold for them.
import type { ToldTask } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import type { ToolCatalog } from "./label-trajectory.ts";

export interface UnknownTools {
  /** Sorted. */
  readonly names: readonly string[];
  /** Executed calls of them, all labelled as reads, and golden actions. */
  readonly numUses: number;
  /** No tool of the rollouts is known to write: then no turn can be a write, whatever it did. */
  readonly hasNoWrite: boolean;
  /** Some are known without what stands before their last dot, colon, slash or double underscore, as servers and agents prefix names. */
  readonly isPrefixed: boolean;
}

const PREFIX = /^.*(?:[.:/]|__)(?=\w)/;

/** Null when the catalog knows every tool that worked or is golden. A call that failed may be of a tool that does not exist. */
export function unknownTools(
  rollouts: readonly { readonly task: Pick<ToldTask, "goldenActions">; readonly trajectory: Pick<Trajectory, "turns"> }[],
  { isKnown = () => true, isWrite, isTerminal }: ToolCatalog,
): UnknownTools | null {
  const calls = rollouts.flatMap(({ trajectory }) => trajectory.turns.flatMap(({ toolCalls }) => toolCalls));
  const called = calls.filter(({ isExecuted, isError }) => isExecuted && !isError).map(({ name }) => name);
  const golden = rollouts.flatMap(({ task }) => task.goldenActions ?? []).map(({ name }) => name);
  const uses = [...called, ...golden];
  const used = new Set(uses);
  const names = [...used].filter((name) => !isKnown(name)).sort();
  if (names.length === 0) return null;
  return {
    names,
    numUses: uses.filter((name) => !isKnown(name)).length,
    isPrefixed: names.some((name) => PREFIX.test(name) && isKnown(name.replace(PREFIX, ""))),
    hasNoWrite: ![...used].some((name) => isWrite(name) && !isTerminal(name)),
  };
}

const SHOWN = 8;

/** One line for people, after the number of uses. */
export function describeUnknownTools({ names, hasNoWrite, isPrefixed }: UnknownTools): string {
  const list = names.length <= SHOWN ? names.join(", ") : `${names.slice(0, SHOWN).join(", ")} and ${names.length - SHOWN} more`;
  const besides = hasNoWrite ? ", and no other tool of the rollouts is known to write" : "";
  const prefixed = isPrefixed
    ? ", and take off what is put before names that are known: golden actions are compared by the whole name"
    : "";
  return `uses of tools not known to read or to write (${list})${besides}: labelled as reads; name those that write with --write-tools${prefixed}`;
}
