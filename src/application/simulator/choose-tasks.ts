// Which tasks an audit plays. A plain number is always how many, whatever the tasks are called: files number their tasks, too.
import type { GoldenTask } from "#contracts/task.ts";
import { CampaignError } from "#core/errors.ts";
import { shorten } from "#core/text.ts";

export interface TaskChoice {
  /** How many, spread over the tasks; or ids with commas between, unless it is a plain number. */
  readonly tasks?: string;
  /** Ids with commas between, whatever they look like. */
  readonly taskIds?: string;
}

export interface ChosenTasks {
  readonly tasks: readonly GoldenTask[];
  /** What the choice might be taken for otherwise. */
  readonly notes: readonly string[];
}

const MAX_ID = 60;

/** `tasks` have an id each. `defaultCount`: null for all of them. Throws config.invalid for no task, an unknown one, and two ways of choosing at once. */
export function chooseTasks(tasks: readonly GoldenTask[], { tasks: which, taskIds }: TaskChoice, defaultCount: number | null): ChosenTasks {
  if (which !== undefined && taskIds !== undefined) throw invalid("--tasks and --task-ids both choose tasks", "give one of the two");
  if (taskIds !== undefined) return { tasks: named(tasks, taskIds, "--task-ids"), notes: [] };
  if (which === undefined) return { tasks: spread(tasks, defaultCount ?? tasks.length), notes: [] };
  if (!/^\d+$/.test(which)) return { tasks: named(tasks, which, "--tasks"), notes: [] };
  const count = Number(which);
  if (count === 0) throw invalid("--tasks: choose at least one task", "give a number from 1 on, or leave --tasks out");
  const isId = tasks.some(({ id }) => id === which);
  const notes = [
    ...(isId ? [`--tasks ${which} is a number of tasks; the task of this id is chosen by --task-ids ${which}`] : []),
    ...(count > tasks.length ? [`--tasks ${which}: there are ${tasks.length}, and all are taken`] : []),
  ];
  return { tasks: spread(tasks, count), notes };
}

/** At equal distances. */
function spread(tasks: readonly GoldenTask[], wanted: number): GoldenTask[] {
  const count = Math.min(wanted, tasks.length);
  return Array.from({ length: count }, (_, index) => tasks[Math.floor((index * tasks.length) / count)] as GoldenTask);
}

/** In the order that they are named in, each once. An id may hold commas where it is the only one. */
function named(tasks: readonly GoldenTask[], ids: string, option: string): GoldenTask[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const names = byId.has(ids) ? [ids] : [...new Set(ids.split(",").map((id) => id.trim()))];
  return names.map((id) => {
    const task = byId.get(id);
    if (task !== undefined) return task;
    throw invalid(
      `${option}: there is no task ${shorten(id, MAX_ID)}; the first is ${tasks[0]?.id}`,
      "take ids of the set, which stand in the column task of an audit without this option",
    );
  });
}

const invalid = (message: string, next: string): CampaignError => new CampaignError("config.invalid", message, { next });
