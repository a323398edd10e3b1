// The golden calls of a task and how a call of the agent relates to them. A golden call is matched at most once.
import type { Task } from "#contracts/task.ts";
import type { ToolSchema } from "../ports.ts";
import { type CanonicalArguments, canonicalArguments, equalArguments } from "./canonical-arguments.ts";

/** Largest value of a partial match: a call that equals a golden one is gold, or a repetition of it. */
const MAX_PARTIAL_MATCH = 0.99;

export interface GoldenCall {
  readonly name: string;
  readonly argumentsJson: string;
  readonly arguments: CanonicalArguments;
  isUsed: boolean;
}

export type SchemaLookup = (toolName: string) => Readonly<Record<string, unknown>> | undefined;

export function schemaLookup(tools: readonly ToolSchema[]): SchemaLookup {
  const schemas = new Map(tools.map((tool) => [tool.function.name, tool.function.parameters]));
  return (toolName) => schemas.get(toolName);
}

export function goldenCalls(task: Task, schemaFor: SchemaLookup): GoldenCall[] {
  return task.goldenActions.map((action) => ({
    name: action.name,
    argumentsJson: action.argumentsJson,
    arguments: canonicalArguments(action.argumentsJson, schemaFor(action.name)),
    isUsed: false,
  }));
}

/** The first unused golden call of equal name and arguments, or undefined. The caller marks it used. */
export function findExactMatch(golden: readonly GoldenCall[], name: string, args: CanonicalArguments): GoldenCall | undefined {
  return golden.find((call) => !call.isUsed && call.name === name && equalArguments(call.arguments, args));
}

/**
 * 0.5 + 0.5 * (equal arguments / golden arguments) against the best golden call of that name, at most 0.99.
 * Null when no golden call has that name, or none shares an argument, or it takes no arguments. arXiv:2604.02869, section 5.3.
 */
export function partialMatch(golden: readonly GoldenCall[], name: string, args: CanonicalArguments): number | null {
  if (args === null) return null;
  const shares = golden.filter((call) => call.name === name).map((call) => sharedArguments(call.arguments, args));
  const best = Math.max(0, ...shares);
  return best === 0 ? null : Math.min(MAX_PARTIAL_MATCH, 0.5 + 0.5 * best);
}

function sharedArguments(golden: CanonicalArguments, args: ReadonlyMap<string, string>): number {
  if (golden === null || golden.size === 0) return 0;
  const equal = [...golden].filter(([key, value]) => args.get(key) === value).length;
  return equal / golden.size;
}
