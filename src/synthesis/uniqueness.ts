// Orders and subsets of a task's writes: does every order lead to the same database, and does no smaller set lead there?
import type { GoldenAction } from "#contracts/task.ts";
import type { Environment } from "#core/environment/environment.ts";
import type { DatabaseState } from "#environments/tau/database.ts";

export interface WriteSearch {
  /** Some write fails in some order. */
  readonly hasFailure: boolean;
  readonly isOrderFree: boolean;
  /** No proper subset of the writes, in any order, leads to the database of all of them. */
  readonly isShortest: boolean;
}

/** Tries all sequences of distinct writes: 1, 2, 5, 16, 65 and 326 of them for 0 to 5 writes. Compares by state hash. */
export function searchWrites(environment: Environment<DatabaseState>, writes: readonly GoldenAction[]): WriteSearch {
  const complete = new Set<string>();
  const partial = new Set<string>();
  let hasFailure = false;
  const visit = (state: DatabaseState, left: readonly GoldenAction[]): void => {
    (left.length === 0 ? complete : partial).add(environment.stateHash(state));
    for (const [index, write] of left.entries()) {
      const step = environment.step(state, write);
      if (step.isError) hasFailure = true;
      else visit(step.state, left.toSpliced(index, 1));
    }
  };
  visit(environment.reset(), writes);
  return {
    hasFailure,
    isOrderFree: complete.size === 1,
    isShortest: Array.from(complete).every((hash) => !partial.has(hash)),
  };
}
