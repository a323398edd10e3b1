// Activities that answer at once and note what they were asked, for tests of the workflows' own decisions.
import { ApplicationFailure } from "@temporalio/common";
import type { CanaryReport } from "#contracts/activities.ts";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { CampaignConfig as CampaignConfigSchema } from "#contracts/campaign-config.ts";
import type { IterationManifest, RolloutPurpose } from "#contracts/manifests.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import { NO_METERS, NOTHING_METERED } from "#core/campaign/meters.ts";
import { initialState, settingsOf } from "#core/campaign/state.ts";
import type { Activities } from "../../activities/index.ts";
import type { CampaignInput } from "../../workflows/messages.ts";

export const ref = (name: string): ArtifactRef => ({
  uri: `blobs/${name}`,
  sha256: name.padEnd(64, "0").replace(/[^0-9a-f]/g, "a"),
  numBytes: 1,
  schema: "Test/1",
});
export const policyRef = (name: string): PolicyRef => ({ name, hash: name, manifest: ref(name) });

export function testConfig(overrides: Partial<CampaignConfig> = {}): CampaignConfig {
  return CampaignConfigSchema.parse({
    schemaVersion: 2,
    name: "test",
    seed: 1,
    environment: { type: "synthetic-airline" },
    policy: { type: "embedded", checkpoint: "none" },
    rollout: { tasksPerIteration: 4, groupSize: 2, concurrentGroups: 2 },
    reward: { table: "finer-prior" },
    advantage: { type: "gtpo-hybrid/1" },
    training: { hyperparameters: { learningRate: 1e-3 } },
    selection: { tasks: 3, trials: 1 },
    test: null,
    stop: { maxIterations: 2 },
    ...overrides,
  });
}

export function campaignInput(campaignId: string, config = testConfig(), rest: Partial<CampaignInput> = {}): CampaignInput {
  const manifest = { basePolicy: policyRef("base"), priorTable: ref("prior"), config };
  return { campaignId, settings: settingsOf(config), state: initialState(manifest), ...rest };
}

export interface FakeOptions {
  readonly gate?: "accept" | "reject" | "insufficient";
  readonly numLiveRows?: number;
  readonly truncationRates?: readonly number[];
  readonly passRates?: readonly number[];
  readonly userErrorRates?: readonly number[];
  readonly gradientNorms?: readonly number[];
  readonly freeGb?: () => number;
  readonly promotion?: "promote" | "keep";
  /** Tasks of a purpose; 4 to train on, 3 to select and to test on unless given. */
  readonly numTasks?: Partial<Record<RolloutPurpose, number>>;
  /** Of one group, USD. */
  readonly groupUsd?: number;
  /** Awaited at the start of every group. */
  readonly beforeGroup?: (taskId: string, iteration: number) => Promise<void>;
  /** Told what the stages are given of the server's check. */
  readonly onCanary?: (stage: "rollout" | "selection", iteration: number, canary: CanaryReport | null) => void;
  /** Iterations whose training fails until the set is emptied. */
  readonly brokenTraining?: Set<number>;
  /** Awaited before a word is in the record. */
  readonly beforeWord?: (word: SteeringWord) => Promise<void>;
}

export interface Fakes {
  readonly activities: Activities;
  readonly calls: string[];
  readonly words: SteeringWord[];
  readonly iterations: IterationManifest[];
}

const ID_OF: Readonly<Record<RolloutPurpose, string>> = { train: "t", selection: "s", test: "x" };

/** Like the real ones towards the record: what is committed is answered again, words are kept. */
export function fakeActivities(options: FakeOptions = {}): Fakes {
  const calls: string[] = [];
  const words: SteeringWord[] = [];
  const iterations: IterationManifest[] = [];
  const redesigned = new Set<number>();
  const { gate = "insufficient", numLiveRows = 5, promotion = "promote" } = options;
  const numTasks = { train: 4, selection: 3, test: 3, ...options.numTasks };
  const activities: Activities = {
    async findWorkers({ queue }) {
      return { queue, isPolled: true, busyWith: [] };
    },
    async applyRetention() {
      return { freedBytes: 0, problem: null };
    },
    async planTasks({ purpose, offset, limit }) {
      const ids = Array.from({ length: numTasks[purpose] }, (_, index) => `${ID_OF[purpose]}${index + 1}`);
      return { taskIds: ids.slice(offset, offset + limit), total: ids.length };
    },
    async recordWord(word) {
      await options.beforeWord?.(word);
      if (words[word.number - 1] === undefined) words.push(word);
    },
    async freeSpace() {
      return { freeGb: options.freeGb?.() ?? 100 };
    },
    async openPolicy({ iteration, policy }) {
      calls.push(`open ${iteration} ${policy.name}`);
      return { numTurns: 64, numTokens: 640, meanDifference: iteration / 1e6, maxDifference: iteration / 1e5 };
    },
    async rolloutGroup({ iteration, purpose, taskId, policy }) {
      await options.beforeGroup?.(taskId, iteration);
      calls.push(`group ${iteration} ${purpose} ${taskId} ${policy.name}`);
      const policyMeter = { ...NOTHING_METERED, calls: 10, promptTokens: 100, completionTokens: 10, usd: options.groupUsd ?? 0 };
      return { numGroups: 1, numRollouts: 2, meters: { ...NO_METERS, policy: policyMeter } };
    },
    async commitRollout({ iteration, canary }) {
      options.onCanary?.("rollout", iteration, canary);
      return {
        passRate: options.passRates?.[iteration] ?? 0.5,
        truncationRate: options.truncationRates?.[iteration] ?? 0,
        userErrorRate: options.userErrorRates?.[iteration] ?? 0,
      };
    },
    async calibrate({ iteration }) {
      calls.push(`calibrate ${iteration}`);
      const isRedesigned = redesigned.has(iteration);
      return { report: ref("report"), decision: gate, fittedSha256: ref(`fitted${iteration}`).sha256, isRedesigned, meters: NO_METERS };
    },
    async redesign({ iteration, approval, table }) {
      calls.push(`redesign ${iteration} ${approval}`);
      redesigned.add(iteration);
      const isAdopted = gate === "accept" && approval !== "rejected";
      return { table: isAdopted ? ref(`table${iteration}`) : table, changed: [] };
    },
    async buildBatch({ iteration, table }) {
      calls.push(`batch ${iteration} ${table.uri}`);
      return { batch: ref("batch"), credit: ref("credit"), numRows: 8, numActionTokens: 100, numLiveRows, deadTurnShare: 0 };
    },
    async train({ iteration, policy }) {
      if (options.brokenTraining?.has(iteration) === true) throw ApplicationFailure.nonRetryable("gradient norm 1e9", "trainer.diverged");
      calls.push(`train ${iteration} ${policy.name}`);
      return { policy: policyRef(`policy${iteration}`), gradientNorm: options.gradientNorms?.[iteration] ?? 1, meters: NO_METERS };
    },
    async select({ iteration, policy, best, canary }) {
      options.onCanary?.("selection", iteration, canary);
      calls.push(`select ${iteration} ${policy.name}${best === null ? "" : ` against ${best}`}`);
      return { report: ref("selection"), passRate: 0.5 + iteration / 10, promotion: best === null ? "none" : promotion };
    },
    async test({ base, final, finalIteration }) {
      calls.push(`test ${base.name} ${final.name} ${finalIteration}`);
      return { base: ref("test-base"), final: ref("test-final") };
    },
    async commitIteration(draft) {
      calls.push(`commit ${draft.iteration} ${draft.policyAfter.name}`);
      const manifest: IterationManifest = { schemaVersion: 2, ...draft, finishedAt: "2026-01-01T00:00:00.000Z" };
      iterations.push(manifest);
      return manifest;
    },
    async commitEnd(draft) {
      calls.push(`end ${draft.state}`);
      return { schemaVersion: 2, ...draft, finishedAt: "2026-01-01T00:00:00.000Z" };
    },
  };
  return { activities, calls, words, iterations };
}
