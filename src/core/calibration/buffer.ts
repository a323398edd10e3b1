// The rollouts of a calibration in canonical order, one entry per task, so that no result depends on the order they came in.
import { CampaignError } from "../errors.ts";
import type { LabelledRollout } from "../reward/label-rollout.ts";
import { deriveSeed } from "../rng.ts";

export interface TaskRollouts {
  readonly taskId: string;
  readonly userId: string;
  readonly rollouts: readonly LabelledRollout[];
}

/** Tasks sorted by id, rollouts by trial. Throws contract.invalid when a trial of a task appears twice. */
export function groupByTask(rollouts: readonly LabelledRollout[]): TaskRollouts[] {
  const byTask = new Map<string, LabelledRollout[]>();
  for (const rollout of rollouts) {
    const members = byTask.get(rollout.taskId);
    if (members === undefined) byTask.set(rollout.taskId, [rollout]);
    else members.push(rollout);
  }
  return [...byTask]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([taskId, members]) => ({ taskId, userId: members[0]?.userId ?? "", rollouts: sortTrials(taskId, members) }));
}

function sortTrials(taskId: string, members: LabelledRollout[]): LabelledRollout[] {
  const sorted = members.sort((a, b) => a.trial - b.trial);
  const repeated = sorted.find((rollout, i) => rollout.trial === sorted[i - 1]?.trial);
  if (repeated !== undefined) throw new CampaignError("contract.invalid", `task ${taskId} has trial ${repeated.trial} twice`);
  return sorted;
}

/**
 * Which tasks only judge: about `share` of them, whole users at a time, chosen by the hash of seed and user.
 * True at the position of a judging task. With a single user nothing judges.
 */
export function chooseJudges(tasks: readonly TaskRollouts[], share: number, seed: string): boolean[] {
  const shuffled = usersInOrder(tasks, seed);
  const isJudge = tasks.map(() => false);
  if (shuffled.length < 2) return isJudge;
  let open = Math.min(tasks.length - 1, Math.max(1, Math.round(share * tasks.length)));
  for (const positions of shuffled) {
    if (positions.length > open) continue;
    open -= positions.length;
    for (const position of positions) isJudge[position] = true;
  }
  const smallest = shuffled.toSorted((a, b) => a.length - b.length)[0];
  if (!isJudge.includes(true)) for (const position of smallest ?? []) isJudge[position] = true;
  return isJudge;
}

/** The fold of each task, of about equal size, whole users at a time; fewer folds when there are fewer users. */
export function chooseFolds(tasks: readonly TaskRollouts[], numFolds: number, seed: string): number[] {
  const users = usersInOrder(tasks, seed);
  const sizes = new Array<number>(Math.min(numFolds, users.length)).fill(0);
  const folds = tasks.map(() => 0);
  for (const positions of users) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold] = (sizes[fold] ?? 0) + positions.length;
    for (const position of positions) folds[position] = fold;
  }
  return folds;
}

/** Positions of the tasks of each user, users ordered by the hash of seed and name. A task without a user stands alone. */
function usersInOrder(tasks: readonly TaskRollouts[], seed: string): number[][] {
  const users = Map.groupBy(tasks.entries(), ([, task]) => (task.userId === "" ? `task:${task.taskId}` : `user:${task.userId}`));
  return [...users]
    .map(([user, members]) => ({ order: deriveSeed(seed, "split", user), positions: members.map(([position]) => position) }))
    .sort((a, b) => (a.order < b.order ? -1 : 1))
    .map(({ positions }) => positions);
}
