// The model-free check of a task: does playing its golden actions earn the full reward?
import type { Task } from "#contracts/task.ts";
import type { Environment } from "./environment.ts";

export interface TaskCheck {
  readonly taskId: string;
  readonly reward: 0 | 1;
  /** Golden calls that the environment answers with an error, in order. */
  readonly failedCalls: readonly { readonly index: number; readonly name: string; readonly observation: string }[];
}

/** Plays the golden actions on a fresh state and says every required output, then grades. */
export function checkTask<State>(environment: Environment<State>, task: Task): TaskCheck {
  let state = environment.reset();
  const failedCalls: TaskCheck["failedCalls"][number][] = [];
  for (const [index, call] of task.goldenActions.entries()) {
    const step = environment.step(state, call);
    if (step.isError) failedCalls.push({ index, name: call.name, observation: step.observation });
    state = step.state;
  }
  return { taskId: task.id, reward: environment.grade(state, task, task.outputs).reward, failedCalls };
}
