// What must be true of a synthesized task, seen from outside: by playing it. Knows nothing of how it was made.

import type { GoldenAction } from "#contracts/task.ts";
import type { SynthesizedTask } from "#contracts/task-file.ts";
import type { Environment } from "#core/environment/environment.ts";
import { parseArguments } from "#core/exact-json.ts";
import type { DatabaseState } from "#environments/tau/database.ts";

type Played = Pick<SynthesizedTask, "task" | "decisions" | "difficulty">;

/** What is wrong with a task, in words; nothing for a right one. */
export function verifyTask(environment: Environment<DatabaseState>, { task, decisions, difficulty }: Played): string[] {
  const { goldenActions, outputs } = task;
  const writes = goldenActions.filter(({ name }) => environment.isWrite(name));
  const rewardOf = (actions: readonly GoldenAction[], replies: readonly string[] = outputs): 0 | 1 =>
    environment.grade(play(environment, actions), task, replies).reward;
  const decided = decisions.flatMap(({ write }) => write ?? []);
  const problems: readonly (readonly [boolean, string])[] = [
    [goldenActions.some((_, index) => fails(environment, goldenActions.slice(0, index + 1))), "a golden action fails"],
    [rewardOf(goldenActions) !== 1, "the golden actions do not earn the reward"],
    [
      writes.length !== difficulty.writes || decided.length !== difficulty.writes,
      `there are ${writes.length} writes, not ${difficulty.writes}`,
    ],
    [new Set(writes.map(aboutOf)).size < writes.length, "two writes use one tool on one record: a single call might do"],
    [writes.some((write) => rewardOf(goldenActions.filter((action) => action !== write)) === 1), "a write can be left out"],
    [decisions.some(({ forbidden }) => forbidden !== null && rewardOf([...goldenActions, forbidden]) === 1), "giving in is not punished"],
    [outputs.length > 0 && rewardOf(goldenActions, [task.instruction]) === 1, "the instruction holds the answer"],
    [outputs.length > 0 && rewardOf(goldenActions, []) === 1, "the answer need not be given"],
    [(writes.length > 0 || outputs.length > 0) && rewardOf([], []) === 1, "doing nothing passes"],
  ];
  return problems.flatMap(([isProblem, what]) => (isProblem ? [what] : []));
}

/** The tool and the record of a write. */
function aboutOf({ name, argumentsJson }: GoldenAction): string {
  const { reservation_id, order_id, user_id } = parseArguments(argumentsJson) ?? {};
  return JSON.stringify([name, reservation_id ?? order_id ?? user_id]);
}

function play(environment: Environment<DatabaseState>, actions: readonly GoldenAction[]): DatabaseState {
  return actions.reduce((state, action) => environment.step(state, action).state, environment.reset());
}

/** True when the last of these actions is answered with an error. */
function fails(environment: Environment<DatabaseState>, actions: readonly GoldenAction[]): boolean {
  const last = actions.at(-1);
  return last !== undefined && environment.step(play(environment, actions.slice(0, -1)), last).isError;
}
