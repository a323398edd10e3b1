import type { GoldenAction, GoldenTask } from "#contracts/task.ts";
import type { Tool } from "./tool.ts";

/**
 * Family and difficulty of a task, from its golden actions: `kind` is the write tool's name, "mixed" for several, "transfer" for a hand-over
 * alone, "no-write" for nothing to do. Transfers count neither as reads nor as writes.
 */
export function taskKind(
  goldenActions: readonly GoldenAction[],
  tools: readonly Pick<Tool, "name" | "isWrite">[],
): Pick<GoldenTask, "kind" | "difficulty"> {
  const isWrite = new Map(tools.map((tool) => [tool.name, tool.isWrite]));
  const names = goldenActions.map(({ name }) => name);
  const hasTransfer = names.includes("transfer_to_human_agents");
  const acting = names.filter((name) => name !== "transfer_to_human_agents");
  const writes = acting.filter((name) => isWrite.get(name) === true);
  const [first, ...others] = new Set(writes);
  const kind = first === undefined ? (hasTransfer ? "transfer" : "no-write") : others.length > 0 ? "mixed" : first.replaceAll("_", "-");
  return { kind, difficulty: { numWrites: writes.length, numReads: acting.length - writes.length } };
}
