// Activities that answer at once and note what they were asked, for tests of the workflows' own decisions.
import { ApplicationFailure } from "@temporalio/common";
import type { CanaryReport, GroupSummary, RolloutGroupInput } from "#contracts/activities.ts";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import type { CampaignConfig } from "#contracts/campaign-config.ts";
import { CampaignConfig as CampaignConfigSchema } from "#contracts/campaign-config.ts";
import type { CampaignEnd, IterationManifest, RolloutPurpose } from "#contracts/manifests.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import { addSummaries, NO_GROUPS } from "#core/campaign/group-summary.ts";
import { NO_METERS, NOTHING_METERED } from "#core/campaign/meters.ts";
import { initialState, rebuildState, settingsOf } from "#core/campaign/state.ts";
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

const manifestOf = (id: string, config: CampaignConfig) => ({ id, basePolicy: policyRef("base"), priorTable: ref("prior"), config });

export function campaignInput(campaignId: string, config = testConfig(), rest: Partial<CampaignInput> = {}): CampaignInput {
  return { campaignId, settings: settingsOf(config), state: initialState(manifestOf(campaignId, config)), ...rest };
}

/** What a campaign starts with whose workflow is lost: all that its record holds. */
export function rebuiltInput(campaignId: string, config: CampaignConfig, { iterations, words }: Fakes): CampaignInput {
  return { campaignId, settings: settingsOf(config), state: rebuildState(manifestOf(campaignId, config), iterations, words) };
}

export interface FakeOptions {
  readonly gate?: "accept" | "reject" | "insufficient";
  readonly numLiveRows?: number;
  /** By iteration, as are all lists here. */
  readonly truncationRates?: readonly number[];
  readonly passRates?: readonly number[];
  readonly userErrorRates?: readonly number[];
  readonly gradientNorms?: readonly number[];
  readonly freeGb?: () => number;
  readonly promotion?: "promote" | "keep";
  /** Tasks of a purpose; 4 to train on, 3 to select and to test on unless given. */
  readonly numTasks?: Partial<Record<RolloutPurpose, number>>;
  /** Before every task's id. */
  readonly idPrefix?: string;
  /** Of one group, USD. */
  readonly groupUsd?: number;
  /** Awaited at the start of every group. */
  readonly beforeGroup?: (taskId: string, iteration: number) => Promise<void>;
  /** Awaited before anything but a group or a word is worked on. */
  readonly beforeStage?: (name: string, iteration: number) => Promise<void>;
  /** Told what the stages are given of the server's check. */
  readonly onCanary?: (stage: "rollout" | "selection", iteration: number, canary: CanaryReport | null) => void;
  /** Iterations whose training fails until the set is emptied. */
  readonly brokenTraining?: Set<number>;
  /** Awaited before a word is in the record. */
  readonly beforeWord?: (word: SteeringWord) => Promise<void>;
}

export interface Fakes {
  readonly activities: Activities;
  /** What was worked on, in order: what the record answered again is not among it. */
  readonly calls: string[];
  /** Groups that were begun: each once, when nothing is rolled out twice. */
  readonly begun: string[];
  readonly words: SteeringWord[];
  readonly iterations: IterationManifest[];
  readonly ends: CampaignEnd[];
}

const ID_OF: Readonly<Record<RolloutPurpose, string>> = { train: "t", selection: "s", test: "x" };
const FINISHED_AT = "2026-01-01T00:00:00.000Z";

/** Like the real ones towards the record: what is committed is answered again, words are kept. */
export function fakeActivities(options: FakeOptions = {}): Fakes {
  const calls: string[] = [];
  const begun: string[] = [];
  const words: SteeringWord[] = [];
  const iterations: IterationManifest[] = [];
  const ends: CampaignEnd[] = [];
  const groups = new Map<string, GroupSummary>();
  const stages = new Map<string, unknown>();
  const { gate = "insufficient", numLiveRows = 5, promotion = "promote" } = options;
  const numTasks = { train: 4, selection: 3, test: 3, ...options.numTasks };

  const keyOf = ({ iteration, purpose, taskId }: Omit<RolloutGroupInput, "policy">) => `${iteration} ${purpose} ${taskId}`;
  const commitOnce = async <Result>(name: string, iteration: number, said: string, work: () => Result): Promise<Result> => {
    await options.beforeStage?.(name, iteration);
    const key = `${name} ${iteration}`;
    if (!stages.has(key)) {
      const result = work();
      calls.push(`${key}${said}`);
      stages.set(key, result);
    }
    return stages.get(key) as Result;
  };

  const activities: Activities = {
    async findWorkers({ queue }) {
      return { queue, isPolled: true, busyWith: [] };
    },
    async applyRetention() {
      return { freedBytes: 0, problem: null };
    },
    async planTasks({ iteration, purpose, offset, limit }) {
      const planned = Array.from({ length: numTasks[purpose] }, (_, index) => `${options.idPrefix ?? ""}${ID_OF[purpose]}${index + 1}`);
      const page = planned.slice(offset, offset + limit);
      const found = page.map((taskId) => groups.get(keyOf({ campaignId: "", iteration, purpose, taskId })));
      return {
        taskIds: page.filter((_, index) => found[index] === undefined),
        committed: found.filter((group) => group !== undefined).reduce(addSummaries, NO_GROUPS),
        total: planned.length,
      };
    },
    async recordWord(word) {
      await options.beforeWord?.(word);
      if (words[word.number - 1] === undefined) words.push(word);
    },
    async freeSpace() {
      return { freeGb: options.freeGb?.() ?? 100 };
    },
    async openPolicy({ iteration, policy }) {
      await options.beforeStage?.("open", iteration);
      calls.push(`open ${iteration} ${policy.name}`);
      return { numTurns: 64, numTokens: 640, meanDifference: iteration / 1e6, maxDifference: iteration / 1e5 };
    },
    async rolloutGroup({ policy, ...group }) {
      const key = keyOf(group);
      if (!groups.has(key)) {
        begun.push(key);
        await options.beforeGroup?.(group.taskId, group.iteration);
      }
      if (!groups.has(key)) {
        calls.push(`group ${key} ${policy.name}`);
        const meter = { ...NOTHING_METERED, calls: 10, promptTokens: 100, completionTokens: 10, usd: options.groupUsd ?? 0 };
        groups.set(key, { numGroups: 1, numRollouts: 2, meters: { ...NO_METERS, policy: meter } });
      }
      return groups.get(key) as GroupSummary;
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
      await commitOnce("calibrate", iteration, "", () => null);
      const isRedesigned = stages.has(`redesign ${iteration}`);
      return { report: ref("report"), decision: gate, fittedSha256: ref(`fitted${iteration}`).sha256, isRedesigned, meters: NO_METERS };
    },
    async redesign({ iteration, approval, table }) {
      return commitOnce("redesign", iteration, ` ${approval}`, () => {
        const isAdopted = gate === "accept" && approval !== "rejected";
        return { table: isAdopted ? ref(`table${iteration}`) : table, changed: [] };
      });
    },
    async buildBatch({ iteration, table }) {
      return commitOnce("batch", iteration, ` ${table.uri}`, () => ({
        batch: ref("batch"),
        credit: ref("credit"),
        numRows: 8,
        numActionTokens: 100,
        numLiveRows,
        deadTurnShare: 0,
      }));
    },
    async train({ iteration, policy }) {
      return commitOnce("train", iteration, ` ${policy.name}`, () => {
        if (options.brokenTraining?.has(iteration) === true) {
          const failure = ApplicationFailure.nonRetryable("gradient norm 1e9", "trainer.diverged");
          throw Object.assign(failure, { cause: new Error("exit code 7") });
        }
        return { policy: policyRef(`policy${iteration}`), gradientNorm: options.gradientNorms?.[iteration] ?? 1, meters: NO_METERS };
      });
    },
    async select({ iteration, policy, best, canary }) {
      options.onCanary?.("selection", iteration, canary);
      return commitOnce("select", iteration, ` ${policy.name}${best === null ? "" : ` against ${best}`}`, () => ({
        report: ref("selection"),
        passRate: 0.5 + iteration / 10,
        promotion: best === null ? "none" : promotion,
      }));
    },
    async test({ base, final, finalIteration }) {
      return commitOnce("test", finalIteration, ` ${base.name} ${final.name}`, () => ({
        base: ref("test-base"),
        final: ref("test-final"),
      }));
    },
    async commitIteration(draft) {
      return commitOnce("commit", draft.iteration, ` ${draft.policyAfter.name}`, () => {
        const manifest: IterationManifest = { schemaVersion: 2, ...draft, finishedAt: FINISHED_AT };
        iterations.push(manifest);
        return manifest;
      });
    },
    async commitEnd(draft) {
      if (ends.length === 0) {
        calls.push(`end ${draft.state}`);
        ends.push({ schemaVersion: 2, ...draft, finishedAt: FINISHED_AT });
      }
      return ends[0] as CampaignEnd;
    },
  };
  return { activities, calls, begun, words, iterations, ends };
}
