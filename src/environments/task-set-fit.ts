// Whether rollouts were made in an environment: their calls, played in it, should give what they gave. Figures of rollouts that are replayed
// in another one look plausible and mean nothing, so facts are counted first and judged by fixed limits.
import type { ToldTask } from "#contracts/task.ts";
import type { ToolCall, Trajectory } from "#contracts/trajectory.ts";
import type { Environment } from "#core/environment/environment.ts";
import { parseArguments } from "#core/exact-json.ts";
import type { ToolSchema } from "#core/ports.ts";
import { canonicalArguments, equalArguments } from "#core/reward/canonical-arguments.ts";
import { equals } from "./tau/python/operations.ts";
import { parseJson } from "./tau/python/parse-json.ts";
import type { PyValue } from "./tau/python/values.ts";

/** Least share of calls with the stored result; below it the rollouts are of another environment. */
const LEAST_SHARE = 0.5;
/**
 * From this share on nobody looks for a better set. The published airline rollouts of 2024 have 0.90 in today's data, where a field of
 * addresses was renamed since; rollouts of tau-bench's airline have 0.15 in tau2's.
 */
const CLEAR_SHARE = 0.8;

/** Why a call does not give its stored result, the first that holds. */
export const MISSES = {
  "no-such-tool": "are of tools that are not there",
  "unreadable-arguments": "have arguments that are no JSON object",
  "other-arguments": "have arguments that the tools do not take",
  "fails-here": "fail and worked where they were made",
  "works-here": "work and failed where they were made",
  "other-result": "give another result",
} as const;
export type Miss = keyof typeof MISSES;

export interface FitFacts {
  /** Executed calls that say something: those that fail in both places, in different words, do not. */
  readonly calls: number;
  /** Calls with the stored result: the same text, or the same JSON value. */
  readonly same: number;
  readonly misses: Readonly<Record<Miss, number>>;
  /** Tools of calls that worked where they were made, which the environment does not have. Sorted. */
  readonly missingTools: readonly string[];
  readonly tasks: number;
  /** Tasks that the set has: of the same user and golden actions, or of the same instruction. */
  readonly knownTasks: number;
  /** Golden actions of the tasks, each task once. */
  readonly golden: number;
  /** Golden actions whose tool the environment has. */
  readonly goldenKnown: number;
  /** Golden actions that it answers without an error, played in order. */
  readonly goldenWork: number;
}

export interface FitRollout {
  readonly task: ToldTask;
  readonly trajectory: Pick<Trajectory, "turns">;
}

/** Plays every executed call of every rollout, each rollout on a fresh state. */
export function fitFacts(
  rollouts: readonly FitRollout[],
  { environment, tasks }: { readonly environment: Environment; readonly tasks: readonly ToldTask[] },
): FitFacts {
  const misses: Record<Miss, number> = {
    "no-such-tool": 0,
    "unreadable-arguments": 0,
    "other-arguments": 0,
    "fails-here": 0,
    "works-here": 0,
    "other-result": 0,
  };
  const schemas = new Map(environment.tools.map((tool) => [tool.function.name, tool]));
  const missingTools = new Set<string>();
  let same = 0;
  for (const { trajectory } of rollouts) {
    for (const [call, finding] of replayCalls(trajectory, environment, schemas)) {
      if (finding === "same") same += 1;
      else if (finding !== "silent") misses[finding] += 1;
      if (finding === "no-such-tool") missingTools.add(call.name);
    }
  }
  const calls = same + Object.values(misses).reduce((sum, count) => sum + count, 0);
  return { calls, same, misses, missingTools: [...missingTools].sort(), ...taskFacts(rollouts, environment, tasks, schemas) };
}

function* replayCalls(
  { turns }: Pick<Trajectory, "turns">,
  environment: Environment,
  schemas: ReadonlyMap<string, ToolSchema>,
): Generator<readonly [ToolCall, "same" | "silent" | Miss]> {
  let state = environment.reset();
  for (const call of turns.flatMap(({ toolCalls }) => toolCalls)) {
    if (!call.isExecuted) continue;
    const step = environment.step(state, call);
    state = step.state;
    yield [call, isSameResult(step.observation, call.result ?? "") ? "same" : missOf(call, step.isError, schemas.get(call.name))];
  }
}

function missOf(call: ToolCall, failsHere: boolean, schema: ToolSchema | undefined): "silent" | Miss {
  if (call.isError) return failsHere ? "silent" : "works-here";
  if (schema === undefined) return "no-such-tool";
  const args = parseArguments(call.argumentsJson);
  if (args === null) return "unreadable-arguments";
  if (!takes(schema, Object.keys(args))) return "other-arguments";
  return failsHere ? "fails-here" : "other-result";
}

/** Whether the tool has all of these parameters, and needs no others. */
function takes({ function: { parameters } }: ToolSchema, names: readonly string[]): boolean {
  const { properties = {}, required = [] } = parameters as { properties?: object; required?: readonly string[] };
  return names.every((name) => Object.hasOwn(properties, name)) && required.every((name) => names.includes(name));
}

function isSameResult(here: string, there: string): boolean {
  if (here === there) return true;
  const [left, right] = [readJson(here), readJson(there)];
  return left !== null && right !== null && typeof left === "object" && equals(left, right);
}

function readJson(text: string): PyValue {
  try {
    return parseJson(text);
  } catch {
    return null;
  }
}

function taskFacts(
  rollouts: readonly FitRollout[],
  environment: Environment,
  known: readonly ToldTask[],
  schemas: ReadonlyMap<string, ToolSchema>,
): Pick<FitFacts, "tasks" | "knownTasks" | "golden" | "goldenKnown" | "goldenWork"> {
  const distinct = Array.from(new Map(rollouts.map(({ task }) => [`${task.id}\n${JSON.stringify(task.goldenActions)}`, task])).values());
  const names = distinct.flatMap(({ goldenActions }) => goldenActions ?? []).map(({ name }) => name);
  return {
    tasks: distinct.length,
    knownTasks: distinct.filter((task) => known.some((other) => other === task || isSameTask(task, other))).length,
    golden: names.length,
    goldenKnown: names.filter((name) => schemas.has(name)).length,
    goldenWork: distinct.reduce((sum, task) => sum + countWorking(task, environment), 0),
  };
}

function isSameTask(told: ToldTask, other: ToldTask): boolean {
  if (told.instruction !== "" && told.instruction === other.instruction) return true;
  const [own, others] = [told.goldenActions, other.goldenActions];
  if (own === null || others === null || own.length === 0 || told.userId !== other.userId || own.length !== others.length) return false;
  return own.every(({ name, argumentsJson }, index) => {
    const there = others[index];
    return there?.name === name && equalArguments(canonicalArguments(argumentsJson), canonicalArguments(there.argumentsJson));
  });
}

function countWorking({ goldenActions }: ToldTask, environment: Environment): number {
  let state = environment.reset();
  let numWorking = 0;
  for (const action of goldenActions ?? []) {
    const step = environment.step(state, action);
    if (!step.isError) numWorking += 1;
    state = step.state;
  }
  return numWorking;
}

/**
 * clear    the rollouts were made here
 * partly   most calls give their stored result, yet fewer than rollouts of this very data do
 * misfit   they were made elsewhere, or nothing shows that they were made here
 */
export type Fit = "clear" | "partly" | "misfit";

/**
 * The golden actions' tools must be there in any case. Rollouts that call less than their golden actions are judged by the worse of their
 * calls and of both together, those that call nothing by golden actions and tasks. With so few calls nothing is clear: the airlines of
 * tau-bench and tau2 have golden actions in common.
 */
export function judgeFit(facts: FitFacts): Fit {
  if (facts.golden > 0 && facts.goldenKnown / facts.golden < LEAST_SHARE) return "misfit";
  const share = fittingShare(facts);
  return share >= CLEAR_SHARE && facts.calls >= Math.max(1, facts.golden) ? "clear" : share >= LEAST_SHARE ? "partly" : "misfit";
}

/** 0 to 1: of what can be played, what gives its result. */
export function fittingShare({ calls, same, golden, goldenWork, tasks, knownTasks }: FitFacts): number {
  if (calls === 0) return tasks === 0 ? 0 : (goldenWork + knownTasks) / (golden + tasks);
  const ofCalls = same / calls;
  return calls >= golden ? ofCalls : Math.min(ofCalls, (same + goldenWork) / (calls + golden));
}

export interface NamedFacts {
  readonly name: string;
  readonly facts: FitFacts;
}

/** The set that fits best, or null when none fits. */
export function bestFit(sets: readonly NamedFacts[]): NamedFacts | null {
  const fitting = sets.filter(({ facts }) => judgeFit(facts) !== "misfit");
  return fitting.toSorted((a, b) => compareFits(b.facts, a.facts))[0] ?? null;
}

/** Above 0 when `a` fits better: by its share, and by its tasks where that is equal. */
export function compareFits(a: FitFacts, b: FitFacts): number {
  return fittingShare(a) - fittingShare(b) || a.knownTasks - b.knownTasks;
}

/** "75 of 793 calls fit", and for rollouts that call little their golden actions or tasks. */
export function describeShare({ calls, same, golden, goldenWork, tasks, knownTasks }: FitFacts): string {
  const parts = [
    ...(calls > 0 ? [`${same} of ${calls} calls`] : []),
    ...(calls < golden ? [`${goldenWork} of ${golden} golden actions`] : []),
    ...(calls < golden || calls === 0 ? [`${knownTasks} of ${tasks} tasks`] : []),
  ];
  return parts.join(" and ");
}

const SHOWN = 3;

/** Why calls do not fit, the most frequent reason first; empty when all do. */
export function describeMisses({ misses, missingTools }: FitFacts): string {
  const named = missingTools.length <= SHOWN ? missingTools : [...missingTools.slice(0, SHOWN), "…"];
  return (Object.keys(MISSES) as Miss[])
    .filter((miss) => misses[miss] > 0)
    .sort((a, b) => misses[b] - misses[a])
    .map((miss) => `${misses[miss]} ${MISSES[miss]}${miss === "no-such-tool" ? ` (${named.join(", ")})` : ""}`)
    .join(", ");
}
