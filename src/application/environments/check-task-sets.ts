// Checks of environments that need no model: golden actions are played, and recorded vectors of the benchmarks compared.
import { resolve } from "node:path";
import { checkConformance, type FileConformance } from "#adapters/task-data/conformance.ts";
import { findData } from "#adapters/task-data/find-data.ts";
import { TASK_SET_SOURCES, type WholeTaskSet } from "#adapters/task-data/task-sets.ts";
import type { Task } from "#contracts/task.ts";
import { checkTask, type TaskCheck } from "#core/environment/check-task.ts";
import { doNothingFloor } from "#core/environment/do-nothing-floor.ts";
import { CampaignError } from "#core/errors.ts";
import { plainText } from "#core/text.ts";
import { KNOWN_DEFECTS } from "#environments/tau/known-defects.ts";
import { TASK_SET_NAMES } from "../rollouts/task-set-names.ts";
import { readSettings } from "../settings.ts";

export type { FileConformance } from "#adapters/task-data/conformance.ts";

export interface SetCheck {
  readonly taskSet: string;
  readonly numTasks: number;
  readonly numPassed: number;
  readonly doNothingFloor: number;
  /** Tasks without full reward, or with golden writes that fail, or with a defect that is publicly known. */
  readonly exceptions: readonly { readonly taskId: string; readonly reward: 0 | 1; readonly why: string; readonly isKnown: boolean }[];
}

/** Of one task set, or of all that are at hand. `data`: folder with tau-bench's data. Throws config.invalid for an unknown name. */
export async function checkTaskSets(taskSet: string | undefined, given: string | undefined): Promise<SetCheck[]> {
  const data = findData(given, readSettings());
  const wanted = TASK_SET_SOURCES.filter(({ name, needsData }) => (taskSet === undefined ? data !== null || !needsData : name === taskSet));
  if (wanted.length === 0) {
    throw new CampaignError("config.invalid", `unknown task set ${taskSet}`, { next: `choose one of ${TASK_SET_NAMES.join(", ")}` });
  }
  const results: SetCheck[] = [];
  for (const { load } of wanted) results.push(...(await load(data)).map(checkSet));
  return results;
}

function checkSet({ name: taskSet, environment, tasks }: WholeTaskSet): SetCheck {
  const checks = tasks.map((task) => ({ task, result: checkTask(environment, task) }));
  return {
    taskSet,
    numTasks: tasks.length,
    numPassed: checks.filter(({ result }) => result.reward === 1 && result.failedWrites.length === 0).length,
    doNothingFloor: doNothingFloor(environment, tasks),
    exceptions: checks.flatMap(({ task, result }) => describeException(task, result)),
  };
}

function describeException(task: Task, { reward, failedWrites }: TaskCheck): SetCheck["exceptions"] {
  const known = KNOWN_DEFECTS.get(task.id);
  const calls = failedWrites.map(({ index, name, observation }) => `golden action ${index} ${name} fails: ${plainText(observation)}`);
  const found = reward === 1 ? calls : ["the golden actions do not earn the reward", ...calls];
  if (known === undefined && found.length === 0) return [];
  return [{ taskId: task.id, reward, why: [...(known === undefined ? [] : [known]), ...found].join("; "), isKnown: known !== undefined }];
}

/** Golden vectors, any .jsonl below the folder, file by file. Throws what reading them throws. */
export async function* compareVectors(folder: string, given: string | undefined): AsyncGenerator<FileConformance> {
  const directory = resolve(folder);
  yield* checkConformance(directory, findData(given, readSettings(), directory));
}
