import { deriveSeed } from "../rng.ts";

/**
 * Users of the evaluation side: whole users in a seeded order, as long as their tasks fit into the share that is not for training. No user
 * is on both sides; with two or more users neither side is empty.
 *
 * numTasks  by user
 */
export function drawEvaluationUsers(numTasks: ReadonlyMap<string, number>, trainShare: number, seed: number): ReadonlySet<string> {
  const total = Array.from(numTasks.values()).reduce((sum, count) => sum + count, 0);
  const wanted = Math.round(total * (1 - trainShare));
  const drawn = Array.from(numTasks.keys(), (userId) => ({ userId, order: deriveSeed("evaluation-users", seed, userId) }))
    .sort((left, right) => (left.order < right.order ? -1 : 1))
    .map(({ userId }) => userId);
  const held = new Set<string>();
  let size = 0;
  for (const userId of drawn) {
    const count = numTasks.get(userId) ?? 0;
    if (size + count > wanted || held.size === drawn.length - 1) continue;
    held.add(userId);
    size += count;
  }
  const [first] = drawn;
  if (held.size === 0 && drawn.length > 1 && first !== undefined) held.add(first);
  return held;
}
