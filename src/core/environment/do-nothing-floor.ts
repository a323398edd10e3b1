// What an agent gets by saying nothing and calling nothing: without that a pass rate says little.
import type { GoldenTask, Task } from "#contracts/task.ts";
import type { Environment } from "./environment.ts";
import type { World } from "./episode.ts";
import { type GuardOptions, openGuarded } from "./guarded-episode.ts";

/** Share of tasks, 0 to 1, that are passed by doing nothing, in a pure environment. 0 for no tasks. */
export function doNothingFloor<State>(environment: Environment<State>, tasks: readonly GoldenTask[]): number {
  return idleShare(tasks.map((task) => passesUntouched(environment, task))) ?? 0;
}

export function passesUntouched<State>(environment: Environment<State>, task: GoldenTask): boolean {
  return environment.grade(environment.reset(), task, []).reward === 1;
}

/** Share of tasks that are passed by doing nothing; null when it is not known of one of them, 0 for no tasks. */
export function idleShare(passes: readonly (boolean | null)[]): number | null {
  if (passes.includes(null)) return null;
  return passes.filter((passed) => passed === true).length / Math.max(1, passes.length);
}

/**
 * Opens an episode and grades it with no turn. Null where the world cannot say: it throws, or does not answer in time.
 * Throws the signal's reason when aborted.
 */
export async function measureIdle(world: World, task: Task, seed: string, guard: GuardOptions): Promise<boolean | null> {
  try {
    const episode = await openGuarded(world, task, { seed, snapshot: null }, guard);
    try {
      const { passed } = await episode.grade({ firstUserMessage: openingOf(world, task), turns: [], stopReason: "agent-stop" });
      return passed;
    } finally {
      await episode.close();
    }
  } catch (error) {
    guard.signal.throwIfAborted();
    guard.onTrouble(error instanceof Error ? error : new Error(String(error)));
    return null;
  }
}

const openingOf = ({ protocol }: World, task: Task): string => (protocol.opens === "task" ? task.instruction : "");
