// Every estimator on every problem: expected gradient beside the true ones. Exact, so there is nothing to seed.
import { AdvantageConfig } from "#contracts/advantage-config.ts";
import type {
  Agreement,
  EstimatorTestbedCell,
  EstimatorTestbedProblem,
  EstimatorTestbedReport,
} from "#contracts/estimator-testbed-report.ts";
import { estimatorOf } from "../estimators.ts";
import { outcomeCredit, returnCredit } from "../objectives.ts";
import { type EnumeratedTrajectory, enumerateTrajectories } from "./decision-tree.ts";
import { type Credit, countGroups, dot, exactGradient, expectedGradient, lengthCredit } from "./gradients.ts";
import { PROBLEMS, type Problem } from "./problems.ts";

export const GROUP_SIZES = [2, 3, 4, 8];
/** Beyond it a group size is left out for a problem. */
const MOST_GROUPS = 50_000;
/** Gradients are sums of numbers of order 1: smaller components are rounding. */
const ZERO = 1e-9;

/** Groups of equal outcomes are kept unless a setting says otherwise: the formula is judged, not the selection of groups. */
const SETTINGS: readonly Readonly<Record<string, unknown>>[] = [
  { type: "grpo/1" },
  { type: "mt-grpo/1" },
  { type: "mt-grpo/1", missingTurns: "zero" },
  { type: "mt-grpo/2" },
  { type: "mt-grpo/2", degenerateGroups: "outcome_only" },
  { type: "mt-grpo/2", normalizeByStd: true },
  { type: "gtpo/1" },
  { type: "gtpo/1", gamma: 1 },
  { type: "gtpo/1", gamma: 1, missingTurns: "zero" },
  { type: "gtpo/1", gamma: 1, scope: "group" },
  { type: "gtpo-hybrid/1" },
  { type: "gtpo-hybrid/1", gamma: 1 },
  { type: "gtpo-hybrid/1", gamma: 1, degenerateGroups: "outcome_only" },
  { type: "gdpo/1" },
  { type: "proxmo/1" },
  { type: "a3/1" },
];

export interface NamedEstimator {
  readonly name: string;
  readonly config: AdvantageConfig;
}

export const TESTED: readonly NamedEstimator[] = SETTINGS.map((setting) => ({
  name: Object.entries(setting)
    .map(([key, value]) => (key === "type" ? String(value) : `${key}=${String(value)}`))
    .join(" "),
  config: AdvantageConfig.parse({ degenerateGroups: "keep", ...setting }),
}));

export function runEstimatorTestbed(
  groupSizes: readonly number[] = GROUP_SIZES,
  estimators: readonly NamedEstimator[] = TESTED,
): EstimatorTestbedReport {
  const cells: EstimatorTestbedCell[] = [];
  const skipped: EstimatorTestbedReport["skipped"] = [];
  for (const problem of PROBLEMS) {
    const trajectories = enumerateTrajectories(problem.root);
    for (const groupSize of groupSizes) {
      const numGroups = countGroups(trajectories.length, groupSize);
      if (numGroups > MOST_GROUPS) skipped.push({ problem: problem.name, groupSize, numGroups });
      else cells.push(...estimators.map((estimator) => measure(problem.name, trajectories, groupSize, estimator)));
    }
  }
  return {
    schemaVersion: 1,
    groupSizes: [...groupSizes],
    problems: PROBLEMS.map(describe),
    estimators: estimators.map(({ name, config }) => ({ name, config })),
    cells,
    skipped,
  };
}

function describe({ name, question, root }: Problem): EstimatorTestbedProblem {
  const trajectories = enumerateTrajectories(root);
  const mean = (value: (trajectory: EnumeratedTrajectory) => number) =>
    trajectories.reduce((total, trajectory) => total + trajectory.probability * value(trajectory), 0);
  const longer_D = exactGradient(trajectories, lengthCredit);
  return {
    name,
    question,
    numTrajectories: trajectories.length,
    passRate: mean(({ outcome }) => outcome),
    meanReturn: mean((trajectory) => returnCredit(trajectory)[0] ?? 0),
    meanTurns: mean(({ rewards_T }) => rewards_T.length),
    moreTurns: {
      return: signOf(dot(exactGradient(trajectories, returnCredit), longer_D)),
      outcome: signOf(dot(exactGradient(trajectories, outcomeCredit), longer_D)),
    },
  };
}

function measure(
  problem: string,
  trajectories: readonly EnumeratedTrajectory[],
  groupSize: number,
  { name, config }: NamedEstimator,
): EstimatorTestbedCell {
  const { expected_D, variance, numGroups } = expectedGradient(trajectories, groupSize, config);
  const norm = lengthOf(expected_D);
  const isDecided_D = expected_D.map((_, d) => trajectories.some(({ scores_TD }) => scores_TD.some((score_D) => score_D[d] !== 0)));
  const agreement = (credit: Credit) => compare(expected_D, exactGradient(trajectories, credit), isDecided_D);
  return {
    problem,
    estimator: name,
    groupSize,
    numGroups,
    norm,
    noise: norm <= ZERO ? null : Math.sqrt(variance) / norm,
    moreTurns: signOf(dot(expected_D, exactGradient(trajectories, lengthCredit))),
    return: agreement(returnCredit),
    outcome: agreement(outcomeCredit),
    claimed: agreement(estimatorOf(config).objective(config)),
  };
}

function compare(estimated_D: readonly number[], true_D: readonly number[], isDecided_D: readonly boolean[]): Agreement {
  const [estimated, truth] = [lengthOf(estimated_D), lengthOf(true_D)];
  const decided = isDecided_D.flatMap((isDecided, d) => (isDecided ? [d] : []));
  const numRight = decided.filter((d) => signOf(estimated_D[d] ?? 0) === signOf(true_D[d] ?? 0)).length;
  return {
    cosine: estimated <= ZERO || truth <= ZERO ? null : Math.max(-1, Math.min(1, dot(estimated_D, true_D) / (estimated * truth))),
    signs: numRight / decided.length,
  };
}

const lengthOf = (vector_D: readonly number[]): number => Math.sqrt(dot(vector_D, vector_D));
const signOf = (value: number): -1 | 0 | 1 => (Math.abs(value) <= ZERO ? 0 : value > 0 ? 1 : -1);
