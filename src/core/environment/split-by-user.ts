// Held-out tasks, always by whole users: no user of a task that measures or chooses a policy is in a task that trains it.
import { CampaignError } from "../errors.ts";
import { deriveSeed } from "../rng.ts";

/** A task whose user is known. */
export interface OwnedTask {
  readonly userId: string;
}

/** Name of a draw of users: draws of different names are independent. */
export type UserDraw = "evaluation-users" | "selection-users";

export interface HoldOutOptions {
  readonly draw: UserDraw;
  readonly seed: number;
  /** The key of the config that asks for so many, for the error. */
  readonly key: string;
}

/**
 * Holds out exactly `count` tasks of whole users; which users, draw and seed decide. Both parts keep the order of the tasks.
 *
 * throws  CampaignError "config.invalid" when no set of whole users has exactly that many tasks and leaves some
 */
export function holdOut<Owned extends OwnedTask>(
  tasks: readonly Owned[],
  count: number,
  { draw, seed, key }: HoldOutOptions,
): { rest: Owned[]; held: Owned[] } {
  const byUser = Map.groupBy(tasks, ({ userId }) => userId);
  const users = count < tasks.length ? usersWithTasks(inDrawnOrder(byUser.keys(), draw, seed), byUser, count) : null;
  if (users === null) {
    throw new CampaignError("config.invalid", `cannot hold out ${count} of ${tasks.length} tasks without splitting a user's tasks`, {
      next: `set ${key} to a number below ${tasks.length}`,
    });
  }
  return { rest: tasks.filter(({ userId }) => !users.has(userId)), held: tasks.filter(({ userId }) => users.has(userId)) };
}

/** The first users in the drawn order whose task counts sum to `wanted`; a user who would exceed it is passed over, or undone when needed. */
function usersWithTasks(
  drawn: readonly string[],
  byUser: ReadonlyMap<string, readonly OwnedTask[]>,
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

/**
 * About `share` of the tasks: whole users in the drawn order, as long as their tasks fit. With two or more users neither side is empty; a
 * single user is not drawn. Tasks need no more than a user.
 */
export function drawUsers(
  tasks: readonly OwnedTask[],
  share: number,
  { draw, seed }: Pick<HoldOutOptions, "draw" | "seed">,
): ReadonlySet<string> {
  const byUser = Map.groupBy(tasks, ({ userId }) => userId);
  const wanted = Math.round(tasks.length * share);
  const drawn = inDrawnOrder(byUser.keys(), draw, seed);
  const held = new Set<string>();
  let size = 0;
  for (const userId of drawn) {
    const count = byUser.get(userId)?.length ?? 0;
    if (size + count > wanted || held.size === drawn.length - 1) continue;
    held.add(userId);
    size += count;
  }
  const [first] = drawn;
  if (held.size === 0 && drawn.length > 1 && first !== undefined) held.add(first);
  return held;
}

function inDrawnOrder(userIds: Iterable<string>, draw: UserDraw, seed: number): string[] {
  return Array.from(userIds, (userId) => ({ userId, order: deriveSeed(draw, seed, userId) }))
    .sort((left, right) => (left.order < right.order ? -1 : 1))
    .map(({ userId }) => userId);
}

/** The tasks whose user is in none of the others. */
export function withoutUsersOf<Owned extends OwnedTask>(tasks: readonly Owned[], others: readonly OwnedTask[]): Owned[] {
  const taken = new Set(others.map(({ userId }) => userId));
  return tasks.filter(({ userId }) => !taken.has(userId));
}
