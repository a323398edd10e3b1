// Activities that answer at once and note what they were asked, for tests of the workflows' own decisions.
import { ApplicationFailure } from "@temporalio/common";
import type { CanaryReport } from "#contracts/activities.ts";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { CampaignConfig as CampaignConfigSchema } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { initialProgress } from "#core/campaign/progress.ts";
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
    schemaVersion: 1,
    name: "test",
    seed: 1,
    environment: { type: "synthetic-airline" },
    policy: { type: "embedded", checkpoint: "none" },
    rollout: { tasksPerIteration: 4, groupSize: 2, concurrentGroups: 2 },
    reward: { table: "finer-prior" },
    advantage: { type: "gtpo-hybrid/1" },
    training: { hyperparameters: { learningRate: 1e-3 } },
    evaluation: { tasks: 3, trials: 1 },
    stop: { maxIterations: 2 },
    ...overrides,
  });
}

export function campaignInput(campaignId: string, config = testConfig()): CampaignInput {
  return { campaignId, config, progress: initialProgress({ basePolicy: policyRef("base"), priorTable: ref("prior") }) };
}

export interface FakeOptions {
  readonly gate?: "accept" | "reject" | "insufficient";
  readonly numLiveRows?: number;
  readonly truncationRates?: readonly number[];
  readonly promotion?: "promote" | "keep";
  /** Awaited at the start of every group. */
  readonly beforeGroup?: (taskId: string, iteration: number) => Promise<void>;
  /** Told what the stages are given of the server's check. */
  readonly onCanary?: (stage: "rollout" | "evaluation", iteration: number, canary: CanaryReport | null) => void;
  /** Iterations whose training fails until the set is emptied. */
  readonly brokenTraining?: Set<number>;
}

export function fakeActivities(options: FakeOptions = {}): { activities: Activities; calls: string[] } {
  const calls: string[] = [];
  const { gate = "insufficient", numLiveRows = 5, promotion = "promote" } = options;
  const activities: Activities = {
    async findWorkers({ queue }) {
      return { queue, isPolled: true, busyWith: [] };
    },
    async applyRetention() {
      return { freedBytes: 0, problem: null };
    },
    async planTasks({ iteration }) {
      return { train: iteration === 0 ? [] : ["t1", "t2", "t3", "t4"], evaluation: ["e1", "e2", "e3"] };
    },
    async openPolicy({ iteration, policy }) {
      calls.push(`open ${iteration} ${policy.name}`);
      return { numTurns: 64, numTokens: 640, meanDifference: iteration / 1e6, maxDifference: iteration / 1e5 };
    },
    async rolloutGroup({ iteration, purpose, taskId, policy }) {
      await options.beforeGroup?.(taskId, iteration);
      calls.push(`group ${iteration} ${purpose} ${taskId} ${policy.name}`);
      return {
        numRollouts: 2,
        numPasses: 1,
        numTruncated: 0,
        numRetriedRollouts: 0,
        modelCalls: 10,
        promptTokens: 100,
        completionTokens: 10,
      };
    },
    async commitRollout({ iteration, canary }) {
      options.onCanary?.("rollout", iteration, canary);
      return { passRate: 0.5, truncationRate: options.truncationRates?.[iteration] ?? 0 };
    },
    async calibrate({ iteration }) {
      calls.push(`calibrate ${iteration}`);
      return { report: ref("report"), decision: gate, fittedSha256: ref(`fitted${iteration}`).sha256 };
    },
    async redesign({ iteration, approval, table }) {
      calls.push(`redesign ${iteration} ${approval}`);
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
      return { policy: policyRef(`policy${iteration}`) };
    },
    async evaluate({ iteration, policy, promoted, canary }) {
      options.onCanary?.("evaluation", iteration, canary);
      calls.push(`evaluate ${iteration} ${policy.name}`);
      return { report: ref("evaluation"), passRate: 0.5 + iteration / 10, promotion: promoted === null ? "none" : promotion };
    },
    async commitIteration(draft) {
      calls.push(`commit ${draft.iteration} ${draft.policyAfter.name}`);
      return { schemaVersion: 1, ...draft, finishedAt: "2026-01-01T00:00:00.000Z" };
    },
    async commitEnd(draft) {
      calls.push(`end ${draft.state}`);
      return { schemaVersion: 1, ...draft, finishedAt: "2026-01-01T00:00:00.000Z" };
    },
  };
  return { activities, calls };
}
