// Which objective an estimator sets out to follow, as credit of turns in the units of rewards and outcomes: no mean, no deviation.
// An estimator that only compared turns fairly would have this gradient in expectation, up to a factor.
import type { AdvantageConfig } from "#contracts/advantage-config.ts";
import { turnReturns } from "../gtpo.ts";
import type { Credit } from "./gradients.ts";

/** Outcome plus the sum of turn rewards, from the turn on: what a campaign with a reward table sets out to raise. */
export const returnCredit: Credit = ({ rewards_T, outcome }) => turnReturns(rewards_T, outcome, { gamma: 1, terminal: "virtual" });

/** The outcome alone: what evaluation measures. */
export const outcomeCredit: Credit = ({ rewards_T, outcome }) => rewards_T.map(() => outcome);

/** The number of turns: its gradient is the direction in which conversations get longer. */
export const lengthCredit: Credit = ({ rewards_T }) => rewards_T.map(() => rewards_T.length);

/** The estimator's own objective, with its discounts and weights. */
export function claimedCredit(config: AdvantageConfig): Credit {
  switch (config.type) {
    case "grpo/1":
    case "a3/1":
      return outcomeCredit;
    case "mt-grpo/1":
      return ({ rewards_T, outcome }) => {
        const rewarded_T = config.lastTurnRewarded ? rewards_T : rewards_T.with(-1, 0);
        return turnReturns(rewarded_T, config.lambda * outcome, {
          gamma: config.alpha,
          terminal: config.lastTurnRewarded ? "virtual" : "last",
        });
      };
    case "mt-grpo/2":
      return plusOutcome(config.lambda, ({ rewards_T }) => turnReturns(rewards_T, 0, { gamma: config.alpha, terminal: "virtual" }));
    case "gtpo/1":
      return ({ rewards_T, outcome }) => turnReturns(rewards_T, outcome, config);
    case "gtpo-hybrid/1":
      return plusOutcome(config.lambda, ({ rewards_T, outcome }) => turnReturns(rewards_T, outcome, config));
    case "gdpo/1":
      return ({ rewards_T, outcome }) => {
        const sum = rewards_T.reduce((total, reward) => total + reward, 0);
        return rewards_T.map(() => config.processWeight * sum + config.outcomeWeight * outcome);
      };
    case "proxmo/1":
      return plusOutcome(1, ({ rewards_T, outcome }) => turnReturns(rewards_T, outcome, config).map((value) => config.omega * value));
  }
}

function plusOutcome(weight: number, credit: Credit): Credit {
  return (trajectory) => credit(trajectory).map((value) => value + weight * trajectory.outcome);
}
