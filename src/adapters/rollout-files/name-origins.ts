// Rollouts under the names that their tasks have in the whole buffer: also in the entries that they were read from, so that a file that is
// written from several keeps their tasks apart.
import { dict, isDict, isList, type PyDict, type PyValue } from "#environments/tau/python/values.ts";
import type { ImportedRollout, Origin } from "./imported-rollouts.ts";
import { PROVENANCE_KEY, provenanceOf } from "./provenance.ts";

export interface Named {
  readonly rollout: ImportedRollout;
  readonly taskName: string;
  readonly trial: number;
}

export function nameOrigins(all: readonly Named[]): ImportedRollout[] {
  const resultsOf = renamedResults(all);
  return all.map(({ rollout, taskName, trial }) => {
    const { task, trajectory } = rollout;
    const isRenamed = taskName !== trajectory.taskId;
    const origin = withResults(rollout, resultsOf);
    const isTold = isRenamed || (resultsOf.size > 1 && origin?.format === "tau2");
    return {
      ...rollout,
      ...(isRenamed ? { bareId: trajectory.taskId, task: { ...task, id: taskName } } : {}),
      trajectory: { ...trajectory, taskId: taskName, trial },
      origin: origin !== null && isTold ? { ...origin, entry: toldEntry(origin.entry, rollout, isRenamed ? taskName : null) } : origin,
    };
  });
}

function withResults({ origin }: ImportedRollout, resultsOf: ReadonlyMap<PyDict, PyDict>): Origin | null {
  return origin?.format === "tau2" ? { ...origin, results: resultsOf.get(origin.results) ?? origin.results } : origin;
}

/** The entry with a word on where it is from, which neither its new name nor the head of a file of several runs tells. */
function toldEntry(entry: PyDict, { trajectory, task }: ImportedRollout, taskName: string | null): PyDict {
  const info = entry.get("info") ?? null;
  const told = entry.with("info", (isDict(info) ? info : dict()).with(PROVENANCE_KEY, provenanceOf(trajectory, task)));
  return taskName === null ? told : told.with("task_id", taskName);
}

/** The results that tau2 rollouts come from, with tasks under the names that they have here. Tasks of others under such a name are dropped. */
function renamedResults(all: readonly Named[]): Map<PyDict, PyDict> {
  const byResults = Map.groupBy(
    all.filter(({ rollout }) => rollout.origin?.format === "tau2"),
    ({ rollout }) => (rollout.origin as Origin & { format: "tau2" }).results,
  );
  if (byResults.size < 2 && all.every(({ rollout, taskName }) => rollout.trajectory.taskId === taskName)) return new Map();
  const names = new Set(all.map(({ taskName }) => taskName));
  return new Map(
    Array.from(byResults, ([results, members]) => {
      const nameOf = new Map(
        members.map(({ rollout, taskName }) => [
          idText(rollout.origin?.entry.get("task_id")),
          { taskName, bare: rollout.trajectory.taskId },
        ]),
      );
      const tasks = results.get("tasks") ?? [];
      const kept = (isList(tasks) ? tasks : []).flatMap((task): PyValue[] => {
        const id = isDict(task) ? idText(task.get("id")) : "";
        const name = nameOf.get(id);
        if (name === undefined) return names.has(id) ? [] : [task];
        return [name.taskName === name.bare || !isDict(task) ? task : task.with("id", name.taskName)];
      });
      return [results, results.with("tasks", kept)] as const;
    }),
  );
}

const idText = (value: PyValue | undefined): string => String(value ?? "");
