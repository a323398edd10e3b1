// Small problems whose trajectories can all be written down: a policy of one softmax per decision, on a tree.
// Dimensions: T = turn (ragged), D = logit (all choices of all decisions, in the order of the tree).

/** One turn of the agent: what it reads, and what it can do. A decision with one choice is a turn without a decision. */
export interface Decision {
  readonly observation: string;
  readonly choices: readonly Choice[];
}
export interface Choice {
  readonly action: string;
  /** Of the softmax at which the gradient is taken. */
  readonly logit: number;
  /** Turn reward of the turn that makes this choice. */
  readonly reward: number;
  /** The next turn, or the probability that a trajectory which ends here passes. */
  readonly next: Decision | number;
}

export interface EnumeratedTrajectory {
  readonly probability: number;
  readonly rewards_T: readonly number[];
  readonly outcome: 0 | 1;
  readonly actions_T: readonly string[];
  readonly observations_T: readonly string[];
  /** Gradient of the log-probability of each turn's choice. */
  readonly scores_TD: readonly (readonly number[])[];
}

/** All trajectories that can happen; their probabilities sum to 1. */
export function enumerateTrajectories(root: Decision): EnumeratedTrajectory[] {
  const starts = numberLogits(root);
  const numLogits = [...starts.keys()].reduce((total, { choices }) => total + choices.length, 0);
  return walk(root, { probability: 1, rewards_T: [], outcome: 0, actions_T: [], observations_T: [], scores_TD: [] });

  function walk(decision: Decision, before: EnumeratedTrajectory): EnumeratedTrajectory[] {
    const probabilities = softmax(decision.choices.map(({ logit }) => logit));
    return decision.choices.flatMap((choice, chosen) => {
      const score_D = new Array<number>(numLogits).fill(0);
      for (const [c, probability] of probabilities.entries())
        score_D[(starts.get(decision) ?? 0) + c] = (c === chosen ? 1 : 0) - probability;
      const after = {
        ...before,
        probability: before.probability * (probabilities[chosen] ?? 0),
        rewards_T: [...before.rewards_T, choice.reward],
        actions_T: [...before.actions_T, choice.action],
        observations_T: [...before.observations_T, decision.observation],
        scores_TD: [...before.scores_TD, score_D],
      };
      return typeof choice.next === "number" ? endings(after, choice.next) : walk(choice.next, after);
    });
  }
}

/** The first logit of each decision. */
function numberLogits(root: Decision): Map<Decision, number> {
  const starts = new Map<Decision, number>();
  let next = 0;
  const visit = (decision: Decision): void => {
    starts.set(decision, next);
    next += decision.choices.length;
    for (const { next: after } of decision.choices) if (typeof after !== "number") visit(after);
  };
  visit(root);
  return starts;
}

function endings(trajectory: EnumeratedTrajectory, passes: number): EnumeratedTrajectory[] {
  return ([0, 1] as const)
    .map((outcome) => ({ ...trajectory, outcome, probability: trajectory.probability * (outcome === 1 ? passes : 1 - passes) }))
    .filter(({ probability }) => probability > 0);
}

function softmax(logits: readonly number[]): number[] {
  const highest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - highest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
