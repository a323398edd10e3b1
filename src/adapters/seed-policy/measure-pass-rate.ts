// Pass rate of a model directory on tasks: real environment, scripted users, sampled policy, the rollout code of campaigns.
import { join } from "node:path";
import type { PassRateReport } from "#contracts/seed-recipe.ts";
import type { Task } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { idleShare, measureIdle } from "#core/environment/do-nothing-floor.ts";
import type { JournalEntry, Policy, TurnJournal } from "#core/ports.ts";
import { deriveSeed } from "#core/rng.ts";
import { runTrajectory } from "#core/rollout/run-trajectory.ts";
import { scriptedSimulator } from "#simulators/scripted.ts";
import { createInferenceClient } from "../inference/client.ts";
import { createTokenPolicy } from "../inference/token-policy.ts";
import { createTokenizer } from "../inference/tokenizer.ts";
import { systemClock } from "../system-clock.ts";
import type { SeedEnvironment } from "./environments/seed-environment.ts";
import { withPolicyServer } from "./policy-server.ts";

const CONCURRENT_ROLLOUTS = 64;
const MODEL = "seed-policy";

export interface MeasureOptions {
  readonly python: string;
  readonly modelDirectory: string;
  readonly workDirectory: string;
  readonly environment: Pick<SeedEnvironment, "world" | "format" | "limits">;
  readonly temperature: number;
  readonly seed: number;
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly onTrajectory?: (trajectory: Trajectory) => void;
}

/** Tasks, and how often each is rolled out. */
export interface Design {
  readonly tasks: readonly Task[];
  readonly trials: number;
}

/** One report for each design, from one server. Same seed and model, same reports. */
export async function measurePassRates(options: MeasureOptions, designs: readonly Design[]): Promise<PassRateReport[]> {
  const { python, modelDirectory, workDirectory, threads, temperature } = options;
  const server = { python, modelDirectory, name: MODEL, logDirectory: workDirectory, threads, slots: CONCURRENT_ROLLOUTS };
  return await withPolicyServer(server, async (baseUrl) => {
    const policy = policyAt(baseUrl, options);
    const reports: PassRateReport[] = [];
    for (const design of designs) {
      const doNothing = await doNothingShare(options, design.tasks);
      reports.push({ ...summarize(await rollOut(policy, design, options), design, temperature), doNothingFloor: doNothing });
    }
    return reports;
  });
}

async function doNothingShare({ environment: { world }, seed, signal }: MeasureOptions, tasks: readonly Task[]): Promise<number | null> {
  const passes: (boolean | null)[] = [];
  const guard = { clock: systemClock, signal, onTrouble: () => {} };
  for (const task of tasks) passes.push(await measureIdle(world, task, deriveSeed(seed, "measure", task.id, "nothing"), guard));
  return idleShare(passes);
}

function policyAt(baseUrl: string, { environment, ...options }: MeasureOptions): Policy {
  return createTokenPolicy({
    client: createInferenceClient({ baseUrl, environment: {}, allowedHosts: [] }),
    ref: { name: MODEL, hash: MODEL, manifest: null },
    format: environment.format,
    tokenizer: createTokenizer(join(options.modelDirectory, "tokenizer.json")),
    temperature: options.temperature,
    maxTokensPerTurn: environment.limits.maxTokensPerTurn,
    maxContextTokens: environment.limits.maxContextTokens,
  });
}

/** The trajectories of every task, in order of tasks and trials. */
async function rollOut(policy: Policy, { tasks, trials }: Design, options: MeasureOptions): Promise<Trajectory[][]> {
  const groups: Trajectory[][] = tasks.map(() => []);
  const jobs = tasks.flatMap((task, index) => Array.from({ length: trials }, (_, trial) => ({ task, index, trial })));
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      const { task, index, trial } = job;
      const { trajectory, error } = await runTrajectory({
        task,
        trial,
        policy,
        environment: options.environment.world,
        simulator: scriptedSimulator,
        journal: memoryJournal(),
        seed: deriveSeed(options.seed, "measure", task.id, trial),
        limits: options.environment.limits,
        clock: systemClock,
        signal: options.signal,
      });
      if (trajectory.outcome.reward === null) throw error;
      (groups[index] as Trajectory[])[trial] = trajectory;
      options.onTrajectory?.(trajectory);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_ROLLOUTS }, work));
  return groups;
}

function memoryJournal(): TurnJournal {
  const entries: JournalEntry[] = [];
  return { read: () => Promise.resolve([...entries]), append: (entry) => Promise.resolve(void entries.push(entry)) };
}

function summarize(
  groups: readonly (readonly Trajectory[])[],
  { tasks, trials }: Design,
  temperature: number,
): Omit<PassRateReport, "doNothingFloor"> {
  const rates = groups.map((group) => mean(group.map(({ outcome }) => (outcome.passed === true ? 1 : 0))));
  const passRate = mean(rates);
  const all = groups.flat();
  const byKind = Map.groupBy(rates.keys(), (index) => (tasks[index] as Task).kind);
  return {
    numTasks: tasks.length,
    trials,
    temperature,
    passRate,
    standardError: Math.sqrt(mean(rates.map((rate) => (rate - passRate) ** 2)) / Math.max(1, rates.length - 1)),
    mixedShare: mean(rates.map((rate) => (rate > 0 && rate < 1 ? 1 : 0))),
    perKind: [...byKind]
      .sort()
      .map(([kind, indices]) => ({ kind, numTasks: indices.length, passRate: mean(indices.map((index) => rates[index] ?? 0)) })),
    stopReasons: countBy(all.map(({ outcome }) => outcome.stopReason)),
    meanTurns: mean(all.map(({ turns }) => turns.length)),
    meanTokens: mean(all.map(({ rows }) => rows.reduce((sum, { tokenIds }) => sum + tokenIds.length, 0))),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

function countBy(values: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(values, (value) => value)].sort().map(([value, group]) => [value, group.length]));
}
