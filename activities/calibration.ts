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
import { RewardTable, type TierScheme } from "#contracts/reward-table.ts";
import { calibrationMetrics } from "#core/calibration/metrics.ts";
import { calibrateByRule } from "#core/calibration/proposal/propose.ts";
import { redesign } from "#core/calibration/redesign.ts";
import { renderReport } from "#core/calibration/render-report.ts";
import { doNothingFloor } from "#core/environment/do-nothing-floor.ts";
import type { Environment } from "#core/environment/environment.ts";
import { type LabelledRollout, labelRollout } from "#core/reward/label-rollout.ts";
import { carryTable } from "#core/reward/reward-table.ts";
import { deriveSeed } from "#core/rng.ts";
import { canaryMetrics } from "#core/rollout/canary.ts";
import type { ActivityDependencies } from "./dependencies.ts";
import { bufferSha256, type CommittedGroup, readGroups, readManifests } from "./groups.ts";
import { withHeartbeat } from "./heartbeat.ts";
import { summarize } from "./rollout.ts";
import { runStage } from "./stage.ts";

export function createCalibrationActivities(deps: ActivityDependencies) {
  return {
    /** Closes the rollout stage: all groups are there; their sums go into the manifest. */
    async commitRollout(input: CommitRolloutInput): Promise<CommitRolloutResult> {
      const { metrics } = await runStage(deps, "rollout", input, async () => {
        const manifests = await readManifests(deps, input, "train", input.taskIds);
        const { environment, splits } = await deps.openTaskSet(input.config.environment);
        const tasks = splits.train.filter(({ id }) => input.taskIds.includes(id));
        return {
          inputs: { policy: input.policy.hash },
          outputs: {},
          metrics: {
            ...rolloutMetrics(manifests.map(summarize)),
            ...canaryMetrics("rollout", input.canary),
            "rollout/do_nothing_floor": doNothingFloor(environment, tasks),
          },
          decision: null,
        };
      });
      return { passRate: metrics["rollout/pass_rate"] ?? 0, truncationRate: metrics["rollout/truncation_rate"] ?? 0 };
    },

    async calibrate(input: CalibrateInput): Promise<CalibrateResult> {
      const manifest = await withHeartbeat((signal) => runStage(deps, "calibration", input, () => runCalibration(deps, input, signal)));
      const report = outputOf(manifest.outputs, "report");
      const { fittedTable } = await deps.record.readJson(CalibrationReport, report);
      return { report, decision: decisionOf(manifest.decision), fittedSha256: fittedTable.sha256 };
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
  const { environment } = await deps.openTaskSet(input.config.environment);
  const groups = await readGroups(deps, input, "train", input.taskIds);
  const inForceTable = await deps.record.readJson(RewardTable, input.table);
  const { scheme } = inForceTable;
  const { priorTable } = await deps.record.requireCampaign(input.campaignId);
  const authorTable = carryTable(await deps.record.readJson(RewardTable, priorTable), scheme);
  const { proposer } = input.config.calibration;
  const label = (scheme: TierScheme) => groups.flatMap((group) => labelGroup(group, scheme, environment));
  const calibration = {
    rollouts: label(scheme),
    scheme,
    authorTable,
    inForceTable,
    config: input.config.calibration,
    advantage: input.config.advantage,
    seed: deriveSeed(input.config.seed, "calibration", input.iteration),
    iteration: input.iteration,
    bufferSha256: bufferSha256(groups.map(({ manifest }) => manifest)),
  };
  const report = await calibrateByRule(calibration, label, proposer === undefined ? null : deps.openProposer(proposer, signal));
  const markdown = await deps.store.putBlob(new TextEncoder().encode(renderReport(report)), "text/markdown");
  return {
    inputs: { author: priorTable.sha256, table: input.table.sha256, buffer: report.bufferSha256 },
    outputs: { report: await deps.record.putJson(CalibrationReport, report, "CalibrationReport/2"), markdown },
    metrics: calibrationMetrics(report),
    decision: report.gate.decision,
  };
}

/** The labelled rollouts of a group: what calibration and the batch are made from. */
export function labelGroup({ task, trajectories }: CommittedGroup, scheme: TierScheme, environment: Environment): LabelledRollout[] {
  return trajectories.map((trajectory) => labelRollout(trajectory, task, scheme, environment));
}

function rolloutMetrics(groups: readonly ReturnType<typeof summarize>[]): Record<string, number> {
  const sum = (pick: (group: ReturnType<typeof summarize>) => number) => groups.reduce((total, group) => total + pick(group), 0);
  const numRollouts = sum((group) => group.numRollouts);
  return {
    "rollout/pass_rate": sum((group) => group.numPasses) / numRollouts,
    "rollout/truncation_rate": sum((group) => group.numTruncated) / numRollouts,
    "rollout/mixed_group_share":
      groups.filter((group) => group.numPasses > 0 && group.numPasses < group.numRollouts).length / groups.length,
    "rollout/rollouts": numRollouts,
    "rollout/retried_rollouts": sum((group) => group.numRetriedRollouts),
    "rollout/model_calls": sum((group) => group.modelCalls),
    "rollout/prompt_tokens": sum((group) => group.promptTokens),
    "rollout/completion_tokens": sum((group) => group.completionTokens),
  };
}

export function changedTiers(before: RewardTable, after: RewardTable): string[] {
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
