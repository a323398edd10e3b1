// Objectives that several estimators follow, as credit of turns.
import type { Objective } from "./estimator.ts";
import { turnReturns } from "./returns.ts";

/** Outcome plus the sum of turn rewards, from the turn on: what a campaign with a reward table sets out to raise. */
export const returnCredit: Objective = ({ rewards_T, outcome }) => turnReturns(rewards_T, outcome, { gamma: 1, terminal: "virtual" });

/** The outcome alone: what evaluation measures. */
export const outcomeCredit: Objective = ({ rewards_T, outcome }) => rewards_T.map(() => outcome);

/** The credit, and the outcome times `weight` on every turn. */
export function plusOutcome(weight: number, credit: Objective): Objective {
  return (rollout) => credit(rollout).map((value) => value + weight * rollout.outcome);
}
