// Names of the task sets that are known here.
import { TASK_SET_SOURCES } from "#adapters/task-data/task-sets.ts";

export const TASK_SET_NAMES: readonly string[] = TASK_SET_SOURCES.map(({ name }) => name);
