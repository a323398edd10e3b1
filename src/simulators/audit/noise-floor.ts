// How much of an outcome is the user's doing: the spread of outcomes over replays of the same agent actions.
// Dimensions: S = scripts of a task, K = replays of a script, P = tasks.
import type { AuditedTask, SimulatorAudit } from "#contracts/simulator-audit.ts";
import { bootstrap } from "#core/statistics/bootstrap.ts";
import { wilsonInterval } from "#core/statistics/wilson.ts";
import type { Replay } from "./replay-script.ts";

export interface ReplayedScript {
  readonly taskId: string;
  readonly recordedReward: 0 | 1 | null;
  readonly replays: readonly Pick<Replay, "reward" | "end">[];
}

export interface NoiseOptions {
  readonly confidence: number;
  readonly resamples: number;
  readonly seed: string;
  /** Replays of a user that cannot but repeat itself are no sample: what they show is certain. */
  readonly isDeterministic: boolean;
}

/** The line of one task. `scripts_S` are all of this task. */
export function auditTask(taskId: string, scripts_S: readonly ReplayedScript[], options: NoiseOptions): AuditedTask {
  const outcomes_SK = scripts_S.map(({ replays }) => replays.flatMap(({ reward }) => (reward === null ? [] : [reward])));
  const outcomes = outcomes_SK.flat();
  const numPasses = outcomes.filter((reward) => reward === 1).length;
  const replays = scripts_S.flatMap((script) => script.replays);
  const certain = (share: { value: number; low: number; high: number } | null) =>
    share !== null && options.isDeterministic ? { value: share.value, low: share.value, high: share.value } : share;
  return {
    taskId,
    numScripts: scripts_S.length,
    numReplays: outcomes.length,
    numPasses,
    passRate: certain(wilsonInterval(numPasses, outcomes.length, options.confidence)),
    disagreement: certain(disagreement(outcomes_SK, options.confidence)),
    numEarlyEnds: replays.filter(({ end }) => end === "early-stop").length,
    numOpenEnds: replays.filter(({ end }) => end === "open").length,
    numSimulatorErrors: replays.filter(({ reward }) => reward === null).length,
    numReproduced: scripts_S.some(({ recordedReward }) => recordedReward === null)
      ? null
      : scripts_S.reduce((sum, { recordedReward, replays }) => sum + replays.filter(({ reward }) => reward === recordedReward).length, 0),
  };
}

/**
 * The probability that two replays of the same actions end differently: 2 c (K - c) / (K (K - 1)) for c passes of K replays, the mean
 * over scripts. It is twice the unbiased variance of the outcome. The interval is Wilson's for as many trials as there are disjoint
 * pairs, which is wide enough: all pairs together vary no more than disjoint ones (Hoeffding 1963, section 5). Null without a pair.
 */
function disagreement(outcomes_SK: readonly (readonly number[])[], confidence: number) {
  const scripts = outcomes_SK.filter(({ length }) => length >= 2);
  if (scripts.length === 0) return null;
  const value = mean(scripts.map(pairDisagreement));
  const numPairs = scripts.reduce((sum, { length }) => sum + Math.floor(length / 2), 0);
  const interval = wilsonInterval(value * numPairs, numPairs, confidence);
  return interval === null ? null : { ...interval, value };
}

function pairDisagreement(outcomes: readonly number[]): number {
  const passes = outcomes.reduce((sum, outcome) => sum + outcome, 0);
  return (2 * passes * (outcomes.length - passes)) / (outcomes.length * (outcomes.length - 1));
}

/** Means over tasks, with the bootstrap over tasks. */
export function overallNoise(tasks_P: readonly AuditedTask[], options: NoiseOptions): SimulatorAudit["overall"] {
  const estimate = (pick: (task: AuditedTask) => number | null) => {
    const values = tasks_P.flatMap((task) => pick(task) ?? []);
    if (values.length === 0) return null;
    const rows = Float64Array.from(values.flatMap((value) => [value, 1]));
    const [result] = bootstrap(
      { rows, numRows: values.length, width: 2 },
      1,
      (sums, out) => {
        out[0] = (sums[0] as number) / (sums[1] as number);
      },
      options,
    );
    return result === undefined || result.value === null ? null : { value: result.value, low: result.low, high: result.high };
  };
  const disagreements = tasks_P.flatMap(({ disagreement }) => disagreement?.value ?? []);
  return {
    passRate: estimate(({ passRate }) => passRate?.value ?? null),
    disagreement: estimate((task) => task.disagreement?.value ?? null),
    passRateDeviation:
      disagreements.length === 0 ? null : Math.sqrt(disagreements.reduce((sum, value) => sum + value / 2, 0)) / disagreements.length,
    confidence: options.confidence,
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
