// What the activities are given. Built once per worker process in workers/dependencies.ts; types only here.

import type { OpenedPolicy } from "#adapters/inference/open-policy.ts";
import type { PolicyDescription } from "#adapters/policy-store/policy-store.ts";
import type { CampaignRecord } from "#adapters/record/campaign-record.ts";
import type { EnvironmentConfig, PolicyConfig, ProposerConfig, SimulatorConfig } from "#contracts/campaign-config.ts";
import type { RolloutPurpose } from "#contracts/manifests.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { TrainingEvent, TrainingJob, TrainingResult, TrainingUsage } from "#contracts/training.ts";
import type { CodeEmbedder } from "#core/advantage/shaping/embedding-similarity.ts";
import type { Proposer } from "#core/calibration/proposal/propose.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import type { ArtifactStore, Clock, TurnJournal, UserSimulator } from "#core/ports.ts";
import type { TrainingBatch } from "#core/training/build-batch.ts";

/** One group of the record. */
export interface GroupKey {
  readonly campaignId: string;
  readonly iteration: number;
  readonly purpose: RolloutPurpose;
  readonly taskId: string;
}

export interface ActivityDependencies {
  readonly store: ArtifactStore;
  readonly record: CampaignRecord;
  readonly versions: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Free space of the record's disk, bytes. */
  freeBytes(): Promise<number>;
  /** With the hash of a campaign's manifest: its very data, or environment.data-changed. */
  openTaskSet(config: EnvironmentConfig, dataSha256?: string): Promise<TaskSet>;
  /** `formats`: of the task set that it plays. */
  openPolicy(config: PolicyConfig, ref: PolicyRef, formats: TaskSet["formats"]): Promise<OpenedPolicy>;
  openSimulator(config: SimulatorConfig): UserSimulator;
  /** The model that proposes reward tables. */
  openProposer(config: ProposerConfig, signal: AbortSignal): Proposer;
  /** The model that says which programs are alike, by the name that a campaign has for it. */
  openEmbedder(model: string): CodeEmbedder;
  openJournal(key: GroupKey, trial: number, attempt: number): TurnJournal;
  dropJournals(key: GroupKey): Promise<void>;
  /** Deterministic safetensors bytes of a training batch. */
  encodeBatch(batch: TrainingBatch): Uint8Array;
  /** Removes what the campaign's retention keeps no longer; answers how many bytes that freed. */
  applyRetention(campaignId: string): Promise<number>;
  trainer: {
    /** The job's own folder: the same for every attempt, so that a retry finds the checkpoints. */
    jobDirectory(campaignId: string, iteration: number): string;
    /** Removes that folder: for a job whose result is in the record. */
    dropJob(campaignId: string, iteration: number): Promise<void>;
    run(options: {
      jobDirectory: string;
      job: TrainingJob;
      /** The engine of a campaign that names one (training.command). */
      engine: readonly string[] | undefined;
      stallTimeoutSeconds: number;
      signal: AbortSignal;
      onEvent(event: TrainingEvent): void;
    }): Promise<TrainingResult>;
    /** For how long a job has computed, and on how many GPUs; null where 0.1.0 ran it. */
    usage(jobDirectory: string): Promise<TrainingUsage | null>;
  };
  policies: {
    /** The model directory of a policy, materialized and verified. */
    directory(ref: PolicyRef): Promise<string>;
    /** Stores what a finished training job left (model and optimizer state, by the hashes of its result) as a policy. */
    import(
      jobDirectory: string,
      result: TrainingResult,
      options: { label: string; parentHash: string | null; base: PolicyRef | undefined },
    ): Promise<PolicyRef>;
    describe(ref: PolicyRef): Promise<PolicyDescription>;
    optimizerState(ref: PolicyRef): Promise<string | null>;
  };
}
