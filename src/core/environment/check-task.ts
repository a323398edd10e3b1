// The model-free check of a task: does playing its golden actions earn the full reward?
import type { GoldenTask } from "#contracts/task.ts";
import type { Environment } from "./environment.ts";

export interface TaskCheck {
  readonly taskId: string;
  readonly reward: 0 | 1;
  /** Golden writes that the environment answers with an error, in order. A failing read is part of many tasks: the user errs first. */
  readonly failedWrites: readonly { readonly index: number; readonly name: string; readonly observation: string }[];
}

/** Plays the golden actions on a fresh state and says every required output, then grades. */
export function checkTask<State>(environment: Environment<State>, task: GoldenTask): TaskCheck {
  let state = environment.reset();
  const failedWrites: TaskCheck["failedWrites"][number][] = [];
  for (const [index, call] of task.goldenActions.entries()) {
    const step = environment.step(state, call);
    if (step.isError && environment.isWrite(call.name)) failedWrites.push({ index, name: call.name, observation: step.observation });
    state = step.state;
  }
  return { taskId: task.id, reward: environment.grade(state, task, task.outputs).reward, failedWrites };
}
