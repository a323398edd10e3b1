// From rollouts to a reward table: labels, statistics, gate, redesign. The mathematics is in src/core; this reads and writes.
import type {
  CalibrateInput,
  CalibrateResult,
  CommitRolloutInput,
  CommitRolloutResult,
  RedesignInput,
  RedesignResult,
} from "#contracts/activities.ts";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import { CalibrationReport } from "#contracts/calibration-report.ts";
import type { GroupManifest } from "#contracts/manifests.ts";
import type { Meters } from "#contracts/meters.ts";
import { RewardTable, type TierScheme } from "#contracts/reward-table.ts";
import { calibrationMetrics } from "#core/calibration/metrics.ts";
import { calibrateByRule } from "#core/calibration/proposal/propose.ts";
import { redesign } from "#core/calibration/redesign.ts";
import { NO_METERS, NOTHING_METERED, sumMeters } from "#core/campaign/meters.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import { isTruncation, type LabelledRollout, labelledRollout } from "#core/reward/label-rollout.ts";
import { carryTable } from "#core/reward/reward-table.ts";
import { deriveSeed } from "#core/rng.ts";
import { canaryMetrics } from "#core/rollout/canary.ts";
import { partyMetrics } from "#core/rollout/party-metrics.ts";
import { renderReport } from "#reports/calibration-markdown.ts";
import { openCampaign, plannedTasks } from "./campaign.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { floorMetric, groupPassesIdle, idleFloor } from "./floors.ts";
import { bufferSha256, type CommittedGroup, partiesOf, readGroups, readManifests } from "./groups.ts";
import { withHeartbeat } from "./heartbeat.ts";
import { shapeGroups } from "./shaping.ts";
import { runStage } from "./stage.ts";

export function createCalibrationActivities(deps: ActivityDependencies) {
  return {
    /** Closes the rollout stage: all groups are there; their sums go into the manifest. */
    async commitRollout(input: CommitRolloutInput): Promise<CommitRolloutResult> {
      const { metrics } = await runStage(deps, "rollout", input, async () => {
        const campaign = await openCampaign(deps, input.campaignId);
        const manifests = await readManifests(deps, input, "train", plannedTasks(campaign, "train", input.iteration));
        return {
          inputs: { policy: input.policy.hash },
          outputs: {},
          metrics: {
            ...rolloutMetrics(manifests),
            ...canaryMetrics("rollout", input.canary),
            ...floorMetric("rollout", idleFloor(campaign, "train", manifests)),
          },
          meters: sumMeters(manifests.map(({ meters }) => meters)),
          decision: null,
        };
      });
      return {
        passRate: metrics["rollout/pass_rate"] ?? 0,
        truncationRate: metrics["rollout/truncation_rate"] ?? 0,
        userErrorRate: metrics["rollout/user_error_rate"] ?? 0,
      };
    },

    async calibrate(input: CalibrateInput): Promise<CalibrateResult> {
      const manifest = await withHeartbeat((signal) => runStage(deps, "calibration", input, () => runCalibration(deps, input, signal)));
      const report = outputOf(manifest.outputs, "report");
      const { fittedTable } = await deps.record.readJson(CalibrationReport, report);
      return {
        report,
        decision: decisionOf(manifest.decision),
        fittedSha256: fittedTable.sha256,
        isRedesigned: (await deps.record.readStage(input.campaignId, input.iteration, "redesign")) !== null,
        meters: manifest.meters,
      };
    },

    /** The next table: the fitted one when the gate accepts it (and, in mode approve, a person does), else the one in force. */
    async redesign(input: RedesignInput): Promise<RedesignResult> {
      const manifest = await runStage(deps, "redesign", input, async () => {
        const report = await deps.record.readJson(CalibrationReport, input.report);
        const inForce = await deps.record.readJson(RewardTable, input.table);
        const proposed = redesign(report, inForce);
        const isAdopted = proposed.decision === "accept" && input.approval !== "rejected";
        const table = isAdopted ? proposed.table : inForce;
        return {
          inputs: { report: input.report.sha256, table: input.table.sha256, approval: input.approval ?? "not asked" },
          outputs: { table: isAdopted ? await deps.record.putJson(RewardTable, table, "RewardTable/2") : input.table },
          metrics: { "redesign/tiers_changed": changedTiers(inForce, table).length },
          meters: NO_METERS,
          decision: isAdopted ? "adopt" : "keep",
        };
      });
      const table = outputOf(manifest.outputs, "table");
      const [before, after] = [await deps.record.readJson(RewardTable, input.table), await deps.record.readJson(RewardTable, table)];
      return { table, changed: changedTiers(before, after) };
    },
  };
}

async function runCalibration(deps: ActivityDependencies, input: CalibrateInput, signal: AbortSignal) {
  const campaign = await openCampaign(deps, input.campaignId);
  const { config } = campaign;
  const groups = await readGroups(deps, campaign, input, "train");
  const shaped = await shapeGroups(deps, campaign, groups, signal);
  const inForceTable = await deps.record.readJson(RewardTable, input.table);
  const { scheme } = inForceTable;
  // The author's table is the one that the campaign began with, whatever has been adopted since.
  const authorTable = carryTable(await deps.record.readJson(RewardTable, campaign.manifest.priorTable), scheme);
  const { proposer } = config.calibration;
  const label = (scheme: TierScheme) => groups.flatMap((group) => shaped(labelGroup(group, scheme, campaign)));
  const calibration = {
    rollouts: label(scheme),
    scheme,
    authorTable,
    inForceTable,
    config: config.calibration,
    advantage: config.advantage,
    seed: deriveSeed(config.seed, "calibration", input.iteration),
    iteration: input.iteration,
    bufferSha256: bufferSha256(groups.map(({ manifest }) => manifest)),
  };
  const report = await calibrateByRule(calibration, label, proposer === undefined ? null : deps.openProposer(proposer, signal));
  const markdown = await deps.store.putBlob(new TextEncoder().encode(renderReport(report)), "text/markdown");
  return {
    inputs: { author: campaign.manifest.priorTable.sha256, table: input.table.sha256, buffer: report.bufferSha256 },
    outputs: { report: await deps.record.putJson(CalibrationReport, report, "CalibrationReport/2"), markdown },
    metrics: calibrationMetrics(report),
    meters: proposerMeters(report),
    decision: report.gate.decision,
  };
}

/** The labelled rollouts of a group: what calibration and the batch are made from. */
export function labelGroup(group: CommittedGroup, scheme: TierScheme, taskSet: TaskSet): LabelledRollout[] {
  const { task, trajectories, manifest } = group;
  const passesIdle = groupPassesIdle(taskSet, task, manifest);
  return trajectories.map((trajectory) =>
    labelledRollout(trajectory, task, { turns: taskSet.labeller.label(trajectory, task, scheme), passesIdle }),
  );
}

export function rolloutMetrics(groups: readonly GroupManifest[]): Record<string, number> {
  const sum = (pick: (group: GroupManifest) => number) => groups.reduce((total, group) => total + pick(group), 0);
  const passes = ({ outcomes }: GroupManifest) => outcomes.filter(({ passed }) => passed).length;
  const numRollouts = sum(({ outcomes }) => outcomes.length);
  const isMixed = (group: GroupManifest) => passes(group) > 0 && passes(group) < group.outcomes.length;
  return {
    "rollout/pass_rate": sum(passes) / numRollouts,
    "rollout/truncation_rate": sum(({ outcomes }) => outcomes.filter(({ stopReason }) => isTruncation(stopReason)).length) / numRollouts,
    "rollout/mixed_group_share": groups.filter(isMixed).length / groups.length,
    "rollout/rollouts": numRollouts,
    "rollout/retried_rollouts": sum(({ numRetriedRollouts }) => numRetriedRollouts),
    ...partyMetrics("rollout", groups.map(partiesOf)),
  };
}

function proposerMeters({ proposal }: CalibrationReport): Meters {
  if (proposal === null || proposal === undefined) return NO_METERS;
  const { modelCalls: calls, promptTokens, completionTokens, usd } = proposal.usage;
  return { ...NO_METERS, proposer: { ...NOTHING_METERED, calls, promptTokens, completionTokens, usd } };
}

function changedTiers(before: RewardTable, after: RewardTable): string[] {
  const tiers = [...new Set([...Object.keys(before.values), ...Object.keys(after.values)])].sort();
  return tiers.filter((tier) => before.values[tier] !== after.values[tier]);
}

export function outputOf(outputs: Readonly<Record<string, ArtifactRef>>, name: string): ArtifactRef {
  const ref = outputs[name];
  if (ref === undefined) throw new Error(`stage manifest without output ${name}`);
  return ref;
}

function decisionOf(decision: string | null): CalibrateResult["decision"] {
  return decision === "accept" || decision === "reject" ? decision : "insufficient";
}
