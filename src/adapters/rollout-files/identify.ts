// The buffer that several sources make together: which of their tasks are one, which rollouts count, what everything is called. Neither the
// order of the sources nor a copy among them changes it.
import type { Trajectory } from "#contracts/trajectory.ts";
import { sha256Hex } from "#core/canonical-json.ts";
import { conversationHash } from "./conversation-hash.ts";
import { countOnce } from "./count-once.ts";
import { canonicalKnown, type Known, unify } from "./task-identity.ts";

export interface Sourced {
  readonly trajectory: Trajectory;
  /** What its source tells of the task. */
  readonly known: Known;
  /** What its source tells of who made it. */
  readonly maker: Known;
  /** Written by an export of ours: of two that are the same the original is kept. */
  readonly isExport: boolean;
}

interface Placed<Rollout> {
  readonly rollout: Rollout;
  readonly source: number;
  readonly taskName: string;
  /** Its task's set, where any source names it. */
  readonly taskSet: string | null;
  readonly trial: number;
}

export interface Identified<Rollout> {
  readonly placed: Placed<Rollout>[];
  readonly numRepeats: number;
  readonly notes: Readonly<Record<string, number>>;
}

interface Item<Rollout> {
  readonly rollout: Rollout;
  readonly source: number;
  readonly content: string;
  readonly maker: Known;
  readonly task: TaskClass;
}

interface TaskClass {
  readonly id: string;
  readonly known: Known;
}

/** `sources` are the rollouts of each; the result is in their order. */
export function identify<Rollout extends Sourced>(sources: readonly (readonly Rollout[])[]): Identified<Rollout> {
  const hashes = new Map(sources.flat().map((rollout) => [rollout, conversationHash(rollout.trajectory)]));
  const { taskOf, numUndecided } = findTasks(sources, hashes);
  const items = sources.flatMap((rollouts, source) =>
    rollouts.map((rollout, position): Item<Rollout> => {
      const task = (taskOf[source] as TaskClass[])[position] as TaskClass;
      return { rollout, source, maker: rollout.maker, task, content: `${classKey(task)} ${hashes.get(rollout)}` };
    }),
  );
  const sizes = sources.map(({ length }) => length);
  const counted = countOnce(items, (a, b) => preference(a, b, sizes));
  const kept = items.filter((_, position) => counted.has(position));
  const names = nameTasks(kept.map(({ task }) => task));
  const trials = numberTrials(kept);
  return {
    placed: kept.map((item, position) => ({
      rollout: item.rollout,
      source: item.source,
      taskName: names.get(item.task) as string,
      taskSet: item.task.known["taskSet"] ?? null,
      trial: trials[position] as number,
    })),
    numRepeats: items.length - kept.length,
    notes: {
      "ids that several tasks have: told apart by what they ask": numShared(kept),
      "descriptions of a task that fit several tasks of their id: each a task of its own": numUndecided,
      "tasks of several files that only their id makes one: name task_set": numById(kept),
      "tasks with one trial number twice in one file: numbered anew": numTrialsTwice(kept),
    },
  };
}

/** First what one source says of a task in several ways, then what the sources say: a source does not contradict itself. */
function findTasks<Rollout extends Sourced>(sources: readonly (readonly Rollout[])[], hashes: ReadonlyMap<Rollout, string>) {
  const taskOf = sources.map((rollouts): TaskClass[] => new Array(rollouts.length));
  let numUndecided = 0;
  const spots = sources.flatMap((rollouts, source) => rollouts.map((rollout, position) => ({ rollout, source, position })));
  for (const [id, members] of Map.groupBy(spots, ({ rollout }) => rollout.trajectory.taskId)) {
    const parts = [...Map.groupBy(members, ({ source }) => source).values()].flatMap((own) => {
      const told = [...Map.groupBy(own, ({ rollout }) => canonicalKnown(rollout.known)).values()];
      return classesOf(told.map((same) => ({ known: same[0]?.rollout.known ?? {}, spots: same })));
    });
    const classes = classesOf(parts);
    numUndecided += classes.filter(({ isUndecided }) => isUndecided).length;
    for (const { known, spots: own } of classes) {
      const task: TaskClass = { id, known };
      for (const { source, position } of own) (taskOf[source] as TaskClass[])[position] = task;
    }
  }
  return { taskOf, numUndecided };

  type Part = { readonly known: Known; readonly spots: readonly (typeof spots)[number][] };
  function classesOf(parts: readonly Part[]): (Part & { readonly isUndecided: boolean })[] {
    const evidence = (part: Part) => new Set(part.spots.map(({ rollout }) => hashes.get(rollout) as string));
    const { classOf, known, undecided } = unify(parts.map((part) => ({ known: part.known, evidence: evidence(part) })));
    return known.map((all, one) => ({
      known: all,
      spots: parts.flatMap((part, position) => (classOf[position] === one ? part.spots : [])),
      isUndecided: parts.some((_, position) => classOf[position] === one && undecided.has(position)),
    }));
  }
}

/** Originals before exports, then who knows most, then the larger source: a run before its checkpoint. */
function preference<Rollout extends Sourced>(a: Item<Rollout>, b: Item<Rollout>, sizes: readonly number[]): number {
  const knows = ({ rollout }: Item<Rollout>) => Object.keys(rollout.known).length + Object.keys(rollout.maker).length;
  return (
    Number(a.rollout.isExport) - Number(b.rollout.isExport) ||
    knows(b) - knows(a) ||
    (sizes[b.source] ?? 0) - (sizes[a.source] ?? 0) ||
    a.source - b.source
  );
}

const keys = new WeakMap<TaskClass, string>();
function classKey(task: TaskClass): string {
  const key = keys.get(task) ?? JSON.stringify([task.id, canonicalKnown(task.known)]);
  keys.set(task, key);
  return key;
}

/** Ids as they are where one task has them; else `set/id` where the sets tell them apart, else the id and a hash of what is asked. */
function nameTasks(tasks: readonly TaskClass[]): Map<TaskClass, string> {
  const byId = Map.groupBy(new Set(tasks), ({ id }) => id);
  const names = new Map([...byId.values()].flatMap((same) => (same.length === 1 ? same.map((task) => [task, task.id] as const) : [])));
  const taken = new Set(names.values());
  for (const [id, same] of byId) {
    if (same.length === 1) continue;
    for (const task of same) {
      const set = task.known["taskSet"];
      const isDistinct = set !== undefined && same.filter((other) => other.known["taskSet"] === set).length === 1;
      const name = isDistinct && !taken.has(`${set}/${id}`) ? `${set}/${id}` : `${id}#${askedHash(task, same)}`;
      taken.add(name);
      names.set(task, name);
    }
  }
  return names;
}

/** Of what is asked where that tells the tasks apart: it stays when another source adds what else it knows. */
function askedHash(task: TaskClass, same: readonly TaskClass[]): string {
  const asked = ({ known }: TaskClass) => JSON.stringify([known["instruction"] ?? null, known["goldenActions"] ?? null]);
  const isDistinct = new Set(same.map(asked)).size === same.length;
  return sha256Hex(isDistinct ? asked(task) : classKey(task)).slice(0, 6);
}

/** As the sources number them, unless a task would have one number twice: then anew, in the order of number and content. */
function numberTrials<Rollout extends Sourced>(items: readonly Item<Rollout>[]): number[] {
  const trials = items.map(({ rollout }) => rollout.trajectory.trial);
  for (const positions of Map.groupBy(items.keys(), (position) => items[position]?.task).values()) {
    if (new Set(positions.map((position) => trials[position])).size === positions.length) continue;
    const order = (position: number) => {
      const { rollout, content } = items[position] as Item<Rollout>;
      return `${content} ${canonicalKnown(rollout.maker)} ${rollout.trajectory.policy.name}`;
    };
    const sorted = positions
      .map((position) => ({ position, trial: trials[position] as number, order: order(position) }))
      .sort((a, b) => a.trial - b.trial || (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
    for (const [trial, { position }] of sorted.entries()) trials[position] = trial;
  }
  return trials;
}

/** A run that was resumed, or files that were joined. Two files number their trials each for itself, which says nothing. */
function numTrialsTwice<Rollout extends Sourced>(items: readonly Item<Rollout>[]): number {
  const trialOf = ({ rollout }: Item<Rollout>) => rollout.trajectory.trial;
  return [...Map.groupBy(items, ({ task }) => task).values()].filter((members) =>
    [...Map.groupBy(members, ({ source }) => source).values()].some((own) => new Set(own.map(trialOf)).size < own.length),
  ).length;
}

function numShared<Rollout>(items: readonly Item<Rollout>[]): number {
  const tasks = new Set(items.map(({ task }) => task));
  return [...Map.groupBy(tasks, ({ id }) => id).values()].filter(({ length }) => length > 1).length;
}

/** Tasks whose sources have not a single aspect in common that could have told them apart. */
function numById<Rollout extends Sourced>(items: readonly Item<Rollout>[]): number {
  return [...Map.groupBy(items, ({ task }) => task).values()].filter((members) => {
    const bySource = [...Map.groupBy(members, ({ source }) => source).values()];
    const [first = [], ...others] = bySource.map((own) => new Set(own.flatMap(({ rollout }) => Object.keys(rollout.known))));
    return others.length > 0 && ![...first].some((aspect) => others.every((aspects) => aspects.has(aspect)));
  }).length;
}
