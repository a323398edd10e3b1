// What a turn of tool-integrated reasoning earns by itself. The outcome is not in here: estimators take it apart. Dimensions: T = turn.

export interface CodeTurn {
  readonly numCalls: number;
  /** A call that could not be read, names no tool, or whose arguments are none. */
  readonly isMalformed: boolean;
  /** Code of this turn was run and raised, or was ended by a limit. */
  readonly hasExecutionError: boolean;
}

export interface CodeTurnPenalties {
  readonly format: number;
  readonly executionError: number;
}
/** -0.1 for the format is the paper's; an error costs the same, which is ours. */
export const GTPO_PENALTIES: CodeTurnPenalties = { format: -0.1, executionError: -0.1 };

/**
 * r_k of each turn: `format` for a turn that is malformed, and for a first turn that calls nothing, once; `executionError` for a turn whose
 * code failed, however many calls of it did.
 *
 * source   arXiv:2511.14846 (GTPO), Eq. 5
 */
export function codeTurnRewards(turns_T: readonly CodeTurn[], penalties: CodeTurnPenalties = GTPO_PENALTIES): number[] {
  return turns_T.map((turn, k) => {
    const breaksFormat = turn.isMalformed || (k === 0 && turn.numCalls === 0);
    return (breaksFormat ? penalties.format : 0) + (turn.hasExecutionError ? penalties.executionError : 0);
  });
}
