// One campaign without a model: candidates are trained from the policy that is in force, selected by a rule, and the final one is tested.
import type { CampaignSize, MeasuredTasks, SimulatedRule, SimulatedWorld } from "#contracts/selection-testbed-report.ts";
import type { IndexGenerator } from "../../random.ts";
import { type BootstrapEstimate, bootstrap } from "../../statistics/bootstrap.ts";
import { differenceInterval, type Interval, meanOf } from "../../statistics/cluster-mean.ts";
import { decidePromotion, nextBest } from "../promotion.ts";
import { drawTasks, luckOfTheDraw, measure, type SimulatedPolicy, type SimulatedTasks, totalsOf, truePassRate } from "./simulated-tasks.ts";

export interface SimulatedCampaign {
  /** What it reports of its final policy, and what is true. Shares. */
  readonly reported: Reported;
  readonly truth: { readonly passRate: number; readonly difference: number };
  /** Of the final policy's figure on the selection tasks, their luck taken off; null where nothing was selected. */
  readonly selectionError: number | null;
  readonly numPromotions: number;
  readonly isTrueBest: boolean;
}

interface Reported {
  readonly passRate: number;
  readonly difference: Interval;
  /** How much easier than all tasks the measured ones happened to be: taken off where errors are averaged. */
  readonly luck: number;
}

export interface SimulationOptions {
  readonly size: CampaignSize;
  readonly world: SimulatedWorld;
  readonly rule: SimulatedRule;
  readonly tasksPerUser: number;
  readonly confidence: number;
}

/** What one step of training does where effects are planted, in log-odds, and how often it helps. */
const STEP = { helps: 0.15, hurts: -0.45, helpsWithChance: 0.8 } as const;
/** Spread of gains and losses on single tasks, in log-odds. */
const RESHUFFLING = 0.7;
/** How 0.1.0 promoted and drew its intervals (with 10,000 resamples). */
const OLD = { margin: 0.02, resamples: 1000 } as const;

interface Candidate {
  readonly policy: SimulatedPolicy;
  /** Pass rates by selection task; empty where nothing is selected. */
  readonly rates: readonly number[];
  readonly passRate: number;
}

export function simulateCampaign(options: SimulationOptions, generator: IndexGenerator): SimulatedCampaign {
  const { size, world, rule, tasksPerUser, confidence } = options;
  const selection = rule === "none" ? null : size.selection;
  const tasks = selection === null ? null : drawTasks(selection.tasks, tasksPerUser, generator);
  const look = (policy: SimulatedPolicy): Candidate => {
    if (selection === null || tasks === null) return { policy, rates: [], passRate: 0 };
    const rates = measure(policy, tasks, selection.trials, generator);
    return { policy, rates, passRate: rates.reduce((sum, rate) => sum + rate, 0) / rates.length };
  };
  const base = look({ effect: 0, reshuffling: world === "identical" ? 0 : RESHUFFLING });
  let [promoted, best, numPromotions, highest] = [base, base, 0, 0];
  for (let i = 0; i < size.candidates; i += 1) {
    const candidate = look({ ...promoted.policy, effect: promoted.policy.effect + stepOf(world, generator) });
    highest = Math.max(highest, candidate.policy.effect);
    if (!isPromoted(candidate, { promoted, best }, tasks, selection, options)) continue;
    promoted = candidate;
    best = nextBest(best, candidate);
    numPromotions += 1;
  }
  const selectionLuck = tasks === null ? 0 : luckOfTheDraw(tasks);
  const reported =
    rule === "0.1.0"
      ? {
          passRate: promoted.passRate,
          difference: taskBootstrap(promoted.rates, base.rates, confidence, generator),
          luck: selectionLuck,
        }
      : runTest(promoted.policy, base.policy, numPromotions > 0, size.test, options, generator);
  const [final, start] = [truePassRate(promoted.policy), truePassRate(base.policy)];
  return {
    reported,
    truth: { passRate: final, difference: final - start },
    selectionError: selection === null ? null : promoted.passRate - selectionLuck - final,
    numPromotions,
    isTrueBest: promoted.policy.effect >= highest - 1e-9,
  };
}

function stepOf(world: SimulatedWorld, { nextIndex }: IndexGenerator): number {
  if (world !== "planted") return 0;
  return nextIndex(1000) < 1000 * STEP.helpsWithChance ? STEP.helps : STEP.hurts;
}

function isPromoted(
  candidate: Candidate,
  { promoted, best }: { readonly promoted: Candidate; readonly best: Candidate },
  tasks: SimulatedTasks | null,
  selection: MeasuredTasks | null,
  { rule, size, confidence }: SimulationOptions,
): boolean {
  if (tasks === null || selection === null || rule === "none" || rule === "always") return true;
  if (rule === "0.1.0") return candidate.passRate - promoted.passRate >= -OLD.margin;
  const toBest = pairedInterval(candidate.rates, best.rates, tasks, selection.trials, confidence);
  return decidePromotion(toBest, { promote: rule, margin: size.margin }) === "promote";
}

function pairedInterval(
  rates: readonly number[],
  others: readonly number[],
  tasks: SimulatedTasks,
  trials: number,
  confidence: number,
): Interval {
  const differences = totalsOf(tasks, (task) => (rates[task] ?? 0) - (others[task] ?? 0));
  return differenceInterval(differences, 1 / trials, confidence);
}

/** The interval of 0.1.0: percentiles over resamples of tasks. */
function taskBootstrap(rates: readonly number[], others: readonly number[], confidence: number, { nextIndex }: IndexGenerator): Interval {
  const rows = Float64Array.from(rates, (rate, task) => rate - (others[task] ?? 0));
  const mean = (sums: Float64Array, out: Float64Array) => {
    out[0] = (sums[0] ?? 0) / rows.length;
  };
  const options = { resamples: OLD.resamples, confidence, seed: String(nextIndex(2 ** 30)) };
  const [estimate] = bootstrap({ rows, numRows: rows.length, width: 1 }, 1, mean, options) as [BootstrapEstimate];
  return { ...estimate, value: estimate.value ?? 0 };
}

/** Base and final policy on tasks that nobody has looked at. The base policy is not compared with itself. */
function runTest(
  final: SimulatedPolicy,
  base: SimulatedPolicy,
  isOther: boolean,
  { tasks: numTasks, trials }: MeasuredTasks,
  { tasksPerUser, confidence }: SimulationOptions,
  generator: IndexGenerator,
): Reported {
  const tasks = drawTasks(numTasks, tasksPerUser, generator);
  const baseRates = measure(base, tasks, trials, generator);
  const finalRates = isOther ? measure(final, tasks, trials, generator) : baseRates;
  const passRate = meanOf(totalsOf(tasks, (task) => finalRates[task] ?? 0));
  const difference = isOther ? pairedInterval(finalRates, baseRates, tasks, trials, confidence) : { value: 0, low: 0, high: 0 };
  return { passRate, difference, luck: luckOfTheDraw(tasks) };
}
