import type { Random } from "#core/random-source.ts";

/** What a family makes of one draw. `solution` is a Python program that prints the answer, or passes the tests. */
export interface DraftedTask {
  readonly question: string;
  readonly answer: string | null;
  readonly tests: readonly string[] | null;
  readonly solution: string;
}
/** A task of a difficulty from 1 to 5. The same draws make the same task. */
export type TaskFamily = (random: Random, difficulty: number) => DraftedTask;
