// Rollouts: one activity is one group. A committed group is never made again; turns of an unfinished one come from its journal.
import type { CanaryReport, GroupSummary, OpenPolicyInput, RolloutGroupInput, TaskPage, TaskPageInput } from "#contracts/activities.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import type { GroupManifest } from "#contracts/manifests.ts";
import type { Meters } from "#contracts/meters.ts";
import type { Trajectory, Usage } from "#contracts/trajectory.ts";
import { addSummaries, NO_GROUPS, summaryOf } from "#core/campaign/group-summary.ts";
import { NO_METERS, NOTHING_METERED } from "#core/campaign/meters.ts";
import { groupSeed } from "#core/campaign/plan-tasks.ts";
import { measureIdle } from "#core/environment/do-nothing-floor.ts";
import { CampaignError } from "#core/errors.ts";
import { deriveSeed } from "#core/rng.ts";
import { FREE, metersOf } from "#core/rollout/cost.ts";
import { DEFAULT_GROUP_LIMITS, runGroup } from "#core/rollout/run-group.ts";
import { userHelpFor } from "#core/rollout/user-help.ts";
import { askerFor } from "./asker.ts";
import { groupSizeOf, type OpenedCampaign, openCampaign, plannedTasks, requireTask } from "./campaign.ts";
import type { ActivityDependencies, GroupKey } from "./dependencies.ts";
import { readManifests } from "./groups.ts";
import { withHeartbeat } from "./heartbeat.ts";

export function createRolloutActivities(deps: ActivityDependencies) {
  return {
    /** A page of the tasks that an iteration rolls out for a purpose: what is left to do of them, and what is done. */
    async planTasks({ campaignId, iteration, purpose, offset, limit }: TaskPageInput): Promise<TaskPage> {
      const planned = plannedTasks(await openCampaign(deps, campaignId), purpose, iteration);
      const taskIds = planned.slice(offset, offset + limit);
      const groups = await Promise.all(taskIds.map((taskId) => deps.record.readGroup(campaignId, iteration, purpose, taskId)));
      const committed = groups.filter((group) => group !== null);
      return {
        taskIds: taskIds.filter((_, index) => groups[index] === null),
        committed: committed.map(summaryOf).reduce(addSummaries, NO_GROUPS),
        total: planned.length,
      };
    },

    /**
     * Makes sure that the policy server holds these weights before anything is asked of them, and that it says of stored turns what the
     * trainer said when it left the weights, or, of a policy that no training of the campaign has made, what it said itself when they were
     * sampled: a mismatch means wrong weights or a wrong template, and stops the iteration. Null when there was nothing to compare with.
     */
    async openPolicy(input: OpenPolicyInput): Promise<CanaryReport | null> {
      return withHeartbeat(async (signal, report) => {
        const { config, formats } = await openCampaign(deps, input.campaignId);
        const opened = await deps.openPolicy(config.policy, input.policy, formats);
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
      return summaryOf(committed ?? (await withHeartbeat((signal, report) => rollOut(deps, input, signal, report))));
    },
  };
}

const NUM_CANARY_GROUPS = 16;

/** Some of the selection rollouts of an iteration: more than the canary needs. */
async function storedTrajectories(deps: ActivityDependencies, campaignId: string, iteration: number): Promise<Trajectory[]> {
  const tasks = (await deps.record.listGroups(campaignId, iteration, "selection")).slice(0, NUM_CANARY_GROUPS);
  const manifests = await readManifests(deps, { campaignId, iteration }, "selection", tasks);
  return (await Promise.all(manifests.map(({ trajectories }) => deps.record.readTrajectories(trajectories)))).flat();
}

async function rollOut(
  deps: ActivityDependencies,
  input: RolloutGroupInput,
  signal: AbortSignal,
  report: (details: unknown) => void,
): Promise<GroupManifest> {
  const { campaignId, iteration, purpose, taskId } = input;
  const campaign = await openCampaign(deps, campaignId);
  const { config } = campaign;
  const { policy, ensureLoaded } = await deps.openPolicy(config.policy, input.policy, campaign.formats);
  const key = { campaignId, iteration, purpose, taskId };
  const startedAt = deps.clock.now();
  const group = await runGroup({
    task: requireTask(campaign, key),
    groupSize: groupSizeOf(config, purpose),
    environment: campaign.world,
    policy,
    simulator: deps.openSimulator(config.simulator),
    seed: groupSeed(config, purpose, iteration, taskId),
    journal: (trial, attempt) => deps.openJournal(key, trial, attempt),
    limits: { ...DEFAULT_GROUP_LIMITS, maxTurns: config.rollout.maxTurns },
    userHelp: userHelpFor(purpose, config.evaluation.userHelp),
    ensurePolicy: (whileNeeded) => ensureLoaded(whileNeeded, askerFor(campaignId, report)),
    clock: deps.clock,
    signal,
    onTurn: (trial, turn) => report({ trial, turn: turn.index }),
    onTrouble: (_trial, trouble) => report({ trouble: trouble instanceof Error ? trouble.message : String(trouble) }),
  });
  const idle = await idleOf(deps, campaign, key, signal);
  const seconds = (deps.clock.now() - startedAt) / 1000;
  const manifest: GroupManifest = {
    schemaVersion: 3,
    ...key,
    policy: input.policy,
    trajectories: await deps.record.putTrajectories(group.trajectories),
    outcomes: group.trajectories.map(outcomeOf),
    usage: group.usage,
    meters: groupMeters(config, group.usage, seconds),
    seconds,
    numRetriedRollouts: group.numRetriedRollouts,
    retriedByOutcome: { ...group.retriedByOutcome },
    numFlaggedStops: group.numFlaggedStops,
    numResumedTurns: group.numResumedTurns,
    ...idle,
  };
  const committed = await deps.record.commitGroup(manifest);
  await deps.dropJournals(key);
  return committed;
}

/** Whether doing nothing passes the task, measured where it cannot be computed. */
async function idleOf(
  { clock }: ActivityDependencies,
  campaign: OpenedCampaign,
  key: GroupKey,
  signal: AbortSignal,
): Promise<Pick<GroupManifest, "passesIdle">> {
  if (campaign.environment !== null) return {};
  const seed = deriveSeed(groupSeed(campaign.config, key.purpose, key.iteration, key.taskId), "idle");
  return { passesIdle: await measureIdle(campaign.world, requireTask(campaign, key), seed, { clock, signal, onTrouble: () => {} }) };
}

/** The GPUs of a served policy are shared by the groups that run at once: each has its part of their time. */
function groupMeters({ policy, simulator, rollout, pricing }: CampaignConfig, usage: Usage, seconds: number): Meters {
  const numGpus = policy.type === "vllm" ? (policy.start?.tensorParallelSize ?? 1) : 0;
  const gpuSeconds = (numGpus * seconds) / rollout.concurrentGroups;
  const metered = metersOf(usage, { user: simulator.type === "llm" ? simulator.priceUsdPerMillionTokens : FREE });
  return {
    ...NO_METERS,
    policy: { ...NOTHING_METERED, ...metered.policy, gpuSeconds, usd: metered.policy.usd + (gpuSeconds / 3600) * pricing.gpuHourUsd },
    user: { ...NOTHING_METERED, ...metered.user },
  };
}

function outcomeOf({ outcome, turns }: Trajectory): GroupManifest["outcomes"][number] {
  const { type, reward, passed, stopReason } = outcome;
  if (reward === null || passed === null)
    throw new CampaignError("rollout.incomplete-group", `a rollout without a reward (${type}) reached its group`);
  return { type, reward, passed, numTurns: turns.length, stopReason };
}
