// Dimensions: T = turn (ragged), counted 0..K-1.

export interface ReturnOptions {
  readonly gamma: number;
  /** Where the outcome sits: one step after the last turn (arXiv:2604.02869, Eq. 2), or on it (arXiv:2511.14846). */
  readonly terminal: "virtual" | "last";
}

/** Discounted return from each turn: G[k] = r[k] + gamma * G[k+1], with the outcome at G[K] or on the last turn. */
export function turnReturns(rewards_T: readonly number[], outcome: number, options: ReturnOptions): number[] {
  const returns_T = new Array<number>(rewards_T.length).fill(0);
  let next = options.terminal === "virtual" ? outcome : 0;
  for (let k = rewards_T.length - 1; k >= 0; k -= 1) {
    const isOutcomeTurn = options.terminal === "last" && k === rewards_T.length - 1;
    next = (rewards_T[k] ?? 0) + options.gamma * next + (isOutcomeTurn ? outcome : 0);
    returns_T[k] = next;
  }
  return returns_T;
}
