import type { Task } from "#contracts/task.ts";
import { CampaignError } from "#core/errors.ts";
import { deriveSeed } from "#core/rng.ts";

/**
 * Holds out `evaluationTasks` tasks so that no user is on both sides; which users, the seed decides. Both parts keep the order of the tasks.
 *
 * throws  CampaignError "config.invalid" when no set of whole users has exactly that many tasks and leaves some for training
 */
export function splitByUser(tasks: readonly Task[], options: { readonly evaluationTasks: number; readonly seed: number }) {
  const { evaluationTasks, seed } = options;
  const byUser = Map.groupBy(tasks, (task) => task.userId);
  const drawn = Array.from(byUser.keys(), (userId) => ({ userId, order: deriveSeed("evaluation-users", seed, userId) }))
    .sort((left, right) => (left.order < right.order ? -1 : 1))
    .map(({ userId }) => userId);
  const held = evaluationTasks < tasks.length ? usersWithTasks(drawn, byUser, evaluationTasks) : null;
  if (held === null) {
    throw new CampaignError(
      "config.invalid",
      `cannot hold out ${evaluationTasks} of ${tasks.length} tasks without splitting a user's tasks`,
      {
        next: `set environment.evaluationTasks to a number below ${tasks.length}`,
      },
    );
  }
  return { train: tasks.filter(({ userId }) => !held.has(userId)), evaluation: tasks.filter(({ userId }) => held.has(userId)) };
}

/** The first users in the drawn order whose task counts sum to `wanted`; a user who would exceed it is passed over, or undone when needed. */
function usersWithTasks(
  drawn: readonly string[],
  byUser: ReadonlyMap<string, readonly Task[]>,
  wanted: number,
): ReadonlySet<string> | null {
  // reachable.get(n): users whose tasks sum to n, found with the earliest users first
  const reachable = new Map<number, readonly string[]>([[0, []]]);
  for (const userId of drawn) {
    const size = byUser.get(userId)?.length ?? 0;
    for (const [sum, users] of Array.from(reachable).sort(([left], [right]) => right - left)) {
      if (sum + size <= wanted && !reachable.has(sum + size)) reachable.set(sum + size, [...users, userId]);
    }
  }
  const users = reachable.get(wanted);
  return users === undefined ? null : new Set(users);
}

/** A benchmark's own splits without the training tasks whose user is in an evaluation task. */
export function keepUsersApart(train: readonly Task[], evaluation: readonly Task[]) {
  const held = new Set(evaluation.map(({ userId }) => userId));
  return { train: train.filter(({ userId }) => !held.has(userId)), evaluation };
}
