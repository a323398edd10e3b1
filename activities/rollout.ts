// Rollouts: one activity is one group. A committed group is never made again; turns of an unfinished one come from its journal.
import type { CanaryReport, GroupSummary, IterationContext, OpenPolicyInput, RolloutGroupInput, TaskPlan } from "#contracts/activities.ts";
import type { GroupManifest } from "#contracts/manifests.ts";
import type { Task } from "#contracts/task.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { groupSeed, planSelectionTasks, planTrainTasks } from "#core/campaign/plan-tasks.ts";
import type { TaskSet } from "#core/environment/environment.ts";
import { CampaignError } from "#core/errors.ts";
import { isTruncation } from "#core/reward/label-rollout.ts";
import { DEFAULT_GROUP_LIMITS, runGroup } from "#core/rollout/run-group.ts";
import { userHelpFor } from "#core/rollout/user-help.ts";
import { askerFor } from "./asker.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { readManifests } from "./groups.ts";
import { withHeartbeat } from "./heartbeat.ts";

export function createRolloutActivities(deps: ActivityDependencies) {
  return {
    /** Which tasks the iteration trains on and which it is measured on. */
    async planTasks({ config, iteration }: IterationContext): Promise<TaskPlan> {
      const { splits } = await deps.openTaskSet(config.environment);
      const ids = (tasks: readonly Task[]) => tasks.map(({ id }) => id);
      return {
        train: iteration === 0 ? [] : planTrainTasks(ids(splits.train), config.rollout.tasksPerIteration, config.seed, iteration),
        evaluation: planSelectionTasks(ids(splits.selection), config.evaluation.tasks, config),
      };
    },

    /**
     * Makes sure that the policy server holds these weights before anything is asked of them, and that it says of stored turns what the
     * trainer said when it left the weights, or, of a policy that no training of the campaign has made, what it said itself when they were
     * sampled: a mismatch means wrong weights or a wrong template, and stops the iteration. Null when there was nothing to compare with.
     */
    async openPolicy(input: OpenPolicyInput): Promise<CanaryReport | null> {
      return withHeartbeat(async (signal, report) => {
        const opened = await deps.openPolicy(input.config.policy, input.policy);
        await opened.ensureLoaded(signal, askerFor(input.campaignId, report));
        report(null);
        const trained = await opened.checkTrainedTurns(signal);
        if (trained !== null || input.sampledIn === null) return trained;
        return opened.checkStoredTurns(await storedTrajectories(deps, input.campaignId, input.sampledIn), signal);
      });
    },

    async rolloutGroup(input: RolloutGroupInput): Promise<GroupSummary> {
      const { campaignId, iteration, purpose, taskId } = input;
      const committed = await deps.record.readGroup(campaignId, iteration, purpose, taskId);
      return summarize(committed ?? (await withHeartbeat((signal, report) => rollOut(deps, input, signal, report))));
    },
  };
}

const NUM_CANARY_GROUPS = 16;

/** Some of the evaluation rollouts of an iteration: more than the canary needs. */
async function storedTrajectories(deps: ActivityDependencies, campaignId: string, iteration: number): Promise<Trajectory[]> {
  const tasks = (await deps.record.listGroups(campaignId, iteration, "evaluation")).slice(0, NUM_CANARY_GROUPS);
  const manifests = await readManifests(deps, { campaignId, iteration }, "evaluation", tasks);
  return (await Promise.all(manifests.map(({ trajectories }) => deps.record.readTrajectories(trajectories)))).flat();
}

async function rollOut(
  deps: ActivityDependencies,
  input: RolloutGroupInput,
  signal: AbortSignal,
  report: (details: unknown) => void,
): Promise<GroupManifest> {
  const { campaignId, config, iteration, purpose, taskId } = input;
  const taskSet = await deps.openTaskSet(config.environment);
  const task = findTask(taskSet, input);
  const { policy, ensureLoaded } = await deps.openPolicy(config.policy, input.policy);
  const key = { campaignId, iteration, purpose, taskId };
  const startedAt = deps.clock.now();
  const group = await runGroup({
    task,
    groupSize: purpose === "train" ? config.rollout.groupSize : config.evaluation.trials,
    environment: taskSet.environment,
    policy,
    simulator: deps.openSimulator(config.simulator),
    seed: groupSeed(config, purpose === "train" ? "train" : "selection", iteration, taskId),
    journal: (trial, attempt) => deps.openJournal(key, trial, attempt),
    limits: { ...DEFAULT_GROUP_LIMITS, maxTurns: config.rollout.maxTurns },
    userHelp: userHelpFor(purpose, config.evaluation.userHelp),
    ensurePolicy: (whileNeeded) => ensureLoaded(whileNeeded, askerFor(campaignId, report)),
    clock: deps.clock,
    signal,
    onTurn: (trial, turn) => report({ trial, turn: turn.index }),
  });
  const manifest: GroupManifest = {
    schemaVersion: 1,
    ...key,
    policy: input.policy,
    trajectories: await deps.record.putTrajectories(group.trajectories),
    outcomes: group.trajectories.map(outcomeOf),
    usage: group.usage,
    seconds: (deps.clock.now() - startedAt) / 1000,
    numRetriedRollouts: group.numRetriedRollouts,
    numResumedTurns: group.numResumedTurns,
  };
  const committed = await deps.record.commitGroup(manifest);
  await deps.dropJournals(key);
  return committed;
}

function findTask({ splits }: TaskSet, { purpose, taskId }: RolloutGroupInput): Task {
  const task = splits[purpose === "train" ? "train" : "selection"].find(({ id }) => id === taskId);
  if (task === undefined) throw new CampaignError("environment.data-missing", `the ${purpose} split has no task ${taskId}`);
  return task;
}

function outcomeOf({ outcome, turns }: Trajectory): GroupManifest["outcomes"][number] {
  if (outcome.reward === null)
    throw new CampaignError("rollout.incomplete-group", `a rollout without a reward (${outcome.type}) reached its group`);
  return { type: outcome.type, reward: outcome.reward, numTurns: turns.length, stopReason: outcome.stopReason };
}

export function summarize(group: GroupManifest): GroupSummary {
  return {
    numRollouts: group.outcomes.length,
    numPasses: group.outcomes.filter(({ reward }) => reward === 1).length,
    numTruncated: group.outcomes.filter(({ stopReason }) => isTruncation(stopReason)).length,
    numRetriedRollouts: group.numRetriedRollouts,
    modelCalls: group.usage.modelCalls,
    promptTokens: group.usage.promptTokens,
    completionTokens: group.usage.completionTokens,
  };
}
