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
  const users = new Map<string, number[]>();
  tasks.forEach((task, position) => {
    const user = task.userId === "" ? `task:${task.taskId}` : `user:${task.userId}`;
    users.set(user, [...(users.get(user) ?? []), position]);
  });
  const shuffled = [...users]
    .map(([user, positions]) => ({ order: deriveSeed(seed, "split", user), positions }))
    .sort((a, b) => (a.order < b.order ? -1 : 1));
  const isJudge = tasks.map(() => false);
  if (shuffled.length < 2) return isJudge;
  let open = Math.min(tasks.length - 1, Math.max(1, Math.round(share * tasks.length)));
  for (const { positions } of shuffled) {
    if (positions.length > open) continue;
    open -= positions.length;
    for (const position of positions) isJudge[position] = true;
  }
  const smallest = shuffled.toSorted((a, b) => a.positions.length - b.positions.length)[0];
  if (!isJudge.includes(true)) for (const position of smallest?.positions ?? []) isJudge[position] = true;
  return isJudge;
}
