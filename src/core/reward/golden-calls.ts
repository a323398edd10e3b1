// The golden calls of a task and how a call of the agent relates to them. A golden call is matched at most once.
import type { ToldTask } from "#contracts/task.ts";
import type { ToolSchema } from "../ports.ts";
import { type CanonicalArguments, canonicalArguments, equalArguments, type Reading } from "./canonical-arguments.ts";

/** Largest value of a partial match: a call that equals a golden one is gold, or a repetition of it. */
const MAX_PARTIAL_MATCH = 0.99;
/** The right tool, and no argument that certainly equals a golden one. */
export const MIN_PARTIAL_MATCH = 0.5;

export type ArgumentReadings = Readonly<Record<Reading, CanonicalArguments>>;

export interface GoldenCall {
  readonly name: string;
  readonly argumentsJson: string;
  /** Those that are compared. */
  readonly arguments: ArgumentReadings;
  /** Null for all. */
  readonly compared: ReadonlySet<string> | null;
  isUsed: boolean;
}

export type SchemaLookup = (toolName: string) => Readonly<Record<string, unknown>> | undefined;

export function schemaLookup(tools: readonly ToolSchema[]): SchemaLookup {
  const schemas = new Map(tools.map((tool) => [tool.function.name, tool.function.parameters]));
  return (toolName) => schemas.get(toolName);
}

/** None where the golden actions are not known: then no call can be gold. */
export function goldenCalls(task: Pick<ToldTask, "goldenActions">, schemaFor: SchemaLookup): GoldenCall[] {
  return (task.goldenActions ?? []).map(({ name, argumentsJson, compareArguments }) => {
    const compared = compareArguments === undefined ? null : new Set(compareArguments);
    const { exact, lenient } = readArguments(argumentsJson, schemaFor(name));
    return { name, argumentsJson, arguments: { exact: only(exact, compared), lenient: only(lenient, compared) }, compared, isUsed: false };
  });
}

function only(args: CanonicalArguments, compared: ReadonlySet<string> | null): CanonicalArguments {
  return args === null || compared === null ? args : new Map([...args].filter(([key]) => compared.has(key)));
}

export function readArguments(argumentsJson: string, schema: ReturnType<SchemaLookup>): ArgumentReadings {
  return {
    exact: canonicalArguments(argumentsJson, schema, "exact"),
    lenient: canonicalArguments(argumentsJson, schema, "lenient"),
  };
}

/** The first unused golden call of equal name and compared arguments, or undefined. The caller marks it used. */
export function findMatch(
  golden: readonly GoldenCall[],
  name: string,
  args: ArgumentReadings,
  reading: Reading = "exact",
): GoldenCall | undefined {
  const isEqual = ({ arguments: own, compared }: GoldenCall) => equalArguments(own[reading], only(args[reading], compared));
  return golden.find((call) => !call.isUsed && call.name === name && isEqual(call));
}

/**
 * 0.5 + 0.5 * (equal arguments / golden arguments) against the best golden call of that name, at most 0.99.
 * Null when no golden call has that name, or none shares an argument, or it takes no arguments. arXiv:2604.02869, section 5.3.
 */
export function partialMatch(
  golden: readonly GoldenCall[],
  name: string,
  readings: ArgumentReadings,
  reading: Reading = "exact",
): number | null {
  const args = readings[reading];
  if (args === null) return null;
  const shares = golden.filter((call) => call.name === name).map((call) => sharedArguments(call.arguments[reading], args));
  const best = Math.max(0, ...shares);
  return best === 0 ? null : Math.min(MAX_PARTIAL_MATCH, MIN_PARTIAL_MATCH + (1 - MIN_PARTIAL_MATCH) * best);
}

function sharedArguments(golden: CanonicalArguments, args: ReadonlyMap<string, string>): number {
  if (golden === null || golden.size === 0) return 0;
  const equal = [...golden].filter(([key, value]) => args.get(key) === value).length;
  return equal / golden.size;
}
