// What release 0.1.0 wrote is read by the code of today: every manifest, every config that its own files resolve to, through every command.
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { CampaignRecord } from "#adapters/record/campaign-record.ts";
import { openRecord } from "#adapters/record/open-record.ts";
import { REPOSITORY } from "#adapters/settings.ts";
import { rebuildInput } from "#application/campaign/rebuild-state.ts";
import { summarizeCampaign } from "#application/campaign/summary.ts";
import { CampaignConfig } from "#contracts/campaign-config.ts";
import { PolicyRef } from "#contracts/policy.ts";
import { KEEP_EVERYTHING } from "#contracts/retention.ts";
import { StoredCampaignConfig } from "#contracts/upcast/campaign-config.ts";
import { CampaignConfig1 } from "#contracts/upcast/campaign-config-1.ts";
import { StoredEvaluationReport } from "#contracts/upcast/evaluation-report.ts";
import { rebuildState } from "#core/campaign/state.ts";
import { bootstrapDifference } from "#core/evaluation/bootstrap-difference.ts";
import { deriveSeed } from "#core/rng.ts";
import { registerCompare } from "../../../src/cli/commands/compare.ts";
import { registerHistory } from "../../../src/cli/commands/history.ts";
import { present } from "../../fixtures/present.ts";
import { copyReleaseRecord } from "../../fixtures/release-record.ts";
import { runCommand } from "../../fixtures/run-command.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const CAMPAIGNS = ["approved-3", "approved-5", "interrupted", "stopped"];

function releaseHome() {
  const home = temporaryFolder();
  const record = copyReleaseRecord(join(home, "record"));
  const run = async (register: Parameters<typeof runCommand>[0], ...args: string[]) =>
    stripVTControlCharacters(await runCommand(register, args, { TURNWISE_HOME: home, TURNWISE_TEMPORAL_ADDRESS: "127.0.0.1:1" }));
  return { home, root: join(home, "record"), record, run };
}

describe("a record of 0.1.0", () => {
  test("has each kind of manifest, and every one of them is read", async () => {
    const { record } = releaseHome();
    expect(await record.listCampaigns()).toEqual(CAMPAIGNS);
    const seen = new Map<string, number>();
    const count = (kind: string) => seen.set(kind, (seen.get(kind) ?? 0) + 1);
    for (const id of CAMPAIGNS) {
      expect(await record.requireCampaign(id)).toMatchObject({ schemaVersion: 2, parent: null, estimate: null });
      if ((await record.readEnd(id)) !== null) count("end");
      for (const iteration of await record.listIterations(id)) {
        if ((await record.readIteration(id, iteration)) !== null) count("iteration");
        for (const stage of ["rollout", "calibration", "redesign", "training", "selection"] as const)
          if ((await record.readStage(id, iteration, stage)) !== null) count(stage);
        for (const purpose of ["train", "selection"] as const) {
          for (const task of await record.listGroups(id, iteration, purpose)) {
            const group = present(await record.readGroup(id, iteration, purpose, task));
            expect(group).toMatchObject({ purpose, meters: { policy: { calls: group.usage.modelCalls } } });
            expect(await record.readTrajectories(group.trajectories)).toHaveLength(group.outcomes.length);
            count(`${purpose} groups`);
          }
        }
      }
    }
    expect(Object.fromEntries(seen)).toEqual({
      ...{ end: 3, iteration: 6, rollout: 3, calibration: 3, redesign: 2, training: 2, selection: 6 },
      ...{ "train groups": 3 * 32 + 29, "selection groups": 6 * 16 },
    });
  });

  test("ends say that there was no test and why", async () => {
    const { record } = releaseHome();
    expect(await record.readEnd("approved-3")).toMatchObject({ test: null, noTestReason: expect.stringContaining("0.1.0 had no test") });
  });

  test("is listed, shown and queried", async () => {
    const { root, record, run } = releaseHome();
    const history = JSON.parse(await run(registerHistory, "history", "--json")) as { campaignId: string; state: string }[];
    expect(history.map(({ campaignId, state }) => [campaignId, state]).sort()).toEqual([
      ["approved-3", "completed"],
      ["approved-5", "completed"],
      ["interrupted", "open"],
      ["stopped", "stopped"],
    ]);
    expect(await run(registerHistory, "history", "approved-3")).not.toMatch(/NaN|undefined/);
    expect(await summarizeCampaign(record, "approved-3")).toMatchObject({ state: "completed", finalIteration: 1 });
    const opened = await openRecord(root).history.open();
    try {
      const groups = "SELECT campaign_id, count(*)::INTEGER AS n FROM groups GROUP BY campaign_id ORDER BY campaign_id";
      expect((await opened.query(groups)).rows).toEqual([
        ["approved-3", 64],
        ["approved-5", 64],
        ["interrupted", 45],
        ["stopped", 48],
      ]);
      const trajectories = "SELECT count(*)::INTEGER AS n, min(reward)::INTEGER AS low, max(reward)::INTEGER AS high FROM trajectories";
      expect((await opened.query(trajectories)).rows).toEqual([[125 * 4 + 96 * 2, 0, 1]]);
    } finally {
      opened.close();
    }
  });

  test("is queried beside a graded group of today: rewards keep their digits, passes are those that were recorded", async () => {
    const { root, record } = releaseHome();
    const passesOf = "SELECT count(*)::INTEGER, count(*) FILTER (passed)::INTEGER, sum(reward) FROM trajectories";
    const sumsOf = "SELECT sum(num_rollouts)::INTEGER, sum(num_passes)::INTEGER, sum(mean_reward * num_rollouts) FROM groups";
    const ask = async (sql: string) => {
      const opened = await openRecord(root).history.open();
      try {
        return ((await opened.query(sql)).rows[0] ?? []).map(Number);
      } finally {
        opened.close();
      }
    };
    const before = await ask(passesOf);
    const sums = await ask(sumsOf);
    expect(before[1]).toBe(before[2]);
    const { schemaVersion: _, ...older } = present(await record.readGroup("approved-3", 1, "train", "train-0004"));
    const told = present((await record.readTrajectories(older.trajectories))[0]);
    const graded = [0.25, 0.75].map((reward, trial) => ({
      ...told,
      taskId: "graded",
      trial,
      outcome: { ...told.outcome, type: reward > 0.5 ? ("ok" as const) : ("task_failed" as const), reward, passed: reward > 0.5 },
    }));
    await record.putGroup({
      ...older,
      schemaVersion: 3,
      taskId: "graded",
      trajectories: await record.putTrajectories(graded),
      outcomes: graded.map(({ outcome: { type, reward, passed, stopReason }, turns }) => ({
        type,
        reward,
        passed,
        stopReason,
        numTurns: turns.length,
      })),
    });
    expect(await record.readTrajectories(present(await record.readGroup("approved-3", 1, "train", "graded")).trajectories)).toEqual(graded);
    const plus = (all: readonly number[], ...more: readonly number[]) => all.map((value, i) => value + (more[i] ?? 0));
    expect(await ask(passesOf)).toEqual(plus(before, 2, 1, 1));
    expect(await ask(sumsOf)).toEqual(plus(sums, 2, 1, 1));
    expect(await ask("SELECT min(reward), max(reward) FROM turns WHERE task_id = 'graded'")).toEqual([0.25, 0.75]);
  });

  test("its campaigns are compared", async () => {
    const { run } = releaseHome();
    const compared = JSON.parse(await run(registerCompare, "compare", "approved-3", "approved-5", "--json")) as Record<string, unknown>;
    expect(compared).toMatchObject({ a: { campaignId: "approved-3" }, b: { campaignId: "approved-5" } });
    expect(compared["settings"]).toEqual(
      expect.arrayContaining([
        { path: "seed", a: 3, b: 5 },
        { path: "evaluation.seed", a: 3, b: 5 },
      ]),
    );
  });

  test.each(["approved-3", "approved-5"])("%s: the interval that 0.1.0 decided by is drawn again to the last digit", async (id) => {
    const { record } = releaseHome();
    const { config } = await record.requireCampaign(id);
    const results = async (iteration: number) =>
      Promise.all(
        (await record.listGroups(id, iteration, "selection")).map(async (taskId) => {
          const { outcomes } = present(await record.readGroup(id, iteration, "selection", taskId));
          return { taskId, cluster: taskId, kind: "", passes: outcomes.map(({ reward }) => reward === 1) };
        }),
      );
    const report = present((await record.readStage(id, 1, "selection"))?.outputs["report"]);
    const [recorded] = (await record.readJson(StoredEvaluationReport, report)).comparisons.filter(({ against }) => against === "promoted");
    const options = { resamples: 200, confidence: config.evaluation.confidence, seed: deriveSeed(config.seed, "evaluation-bootstrap") };
    expect(bootstrapDifference(await results(1), await results(0), options)).toEqual(present(recorded).difference);
  });

  test("its policies and their moments are there to go on from", async () => {
    const { home, root, record } = releaseHome();
    const policies = createPolicyStore(new LocalArtifactStore(root), join(home, "policies"));
    const stage = present(await record.readStage("approved-3", 1, "training"));
    const policy = await record.readJson(PolicyRef, present(stage.outputs["policy"]));
    await policies.hold(policy, { withMoments: true });
    expect(readdirSync(await policies.directory(policy))).toContain("adapter_model.safetensors");
    expect(await policies.optimizerState(policy)).not.toBeNull();
  });

  test("an interrupted campaign goes on from its last committed iteration", async () => {
    const { record } = releaseHome();
    const { settings, state } = await rebuildInput(record, "interrupted");
    expect(state.progress).toMatchObject({ nextIteration: 1, promoted: { iteration: 0 }, best: { iteration: 0 } });
    expect(state).toEqual(rebuildState(await record.requireCampaign("interrupted"), await record.readIterations("interrupted"), []));
    expect(settings).toMatchObject({ hasTest: false, hasSelection: true, isApproving: true });
  });
});

const FILES = join(REPOSITORY, "tests/fixtures/campaign-files/0.1.0");
const files = readdirSync(FILES).map((name) => {
  const resolved = CampaignConfig1.parse(parseYaml(readFileSync(join(FILES, name), "utf8")));
  return { name, resolved };
});

describe("a config that 0.1.0 stored", () => {
  test("there is one of every campaign file that it shipped", () => {
    expect(files.map(({ name }) => name)).toEqual([
      ...["quickstart.yaml", "qwen3-4b-vllm.yaml", "tau-bench-airline.yaml", "tau-bench-retail.yaml", "tau2-airline.yaml"],
    ]);
  });

  test.each(files)("$name is read, and says of everything that it did not know what 0.1.0 did", ({ resolved }) => {
    const config = StoredCampaignConfig.parse(resolved);
    expect(CampaignConfig.parse(config)).toEqual(config);
    const { tasks, trials, margin, confidence } = resolved.evaluation;
    expect(config).toMatchObject({
      seed: resolved.seed,
      rollout: resolved.rollout,
      stop: resolved.stop,
      budget: resolved.budget,
      training: resolved.training,
      reward: resolved.reward,
      selection: { tasks, trials, promote: "not-worse/1", margin },
      test: null,
      evaluation: { confidence, seed: resolved.seed, userHelp: "judge" },
      environment: { type: resolved.environment.type, splits: "train-evaluation" },
      guards: { ...resolved.guards, gradientNorm: null, userErrorRate: null, passRateCollapse: null, minFreeGb: null },
      retention: KEEP_EVERYTHING,
      pricing: { gpuHourUsd: 0 },
      advantage: { type: resolved.advantage.type },
      calibration: { ...resolved.calibration, rule: "within-task/1" },
    });
    if (config.policy.type === "vllm")
      expect(config.policy).toMatchObject({ sendsReasoning: false, requestFields: {}, tokenLimitField: "max_tokens" });
    if (config.simulator.type === "llm") expect(config.simulator).toMatchObject({ requestFields: {}, tokenLimitField: "max_tokens" });
  });

  test("its rule of promotion goes on as it was", () => {
    const { resolved } = present(files[0]);
    const selectionOf = (promote: "better" | "not-worse" | "always") =>
      StoredCampaignConfig.parse({ ...resolved, evaluation: { ...resolved.evaluation, promote, bootstrapResamples: 300 } }).selection;
    expect(selectionOf("better")).toMatchObject({ promote: "better/1", bootstrapResamples: 300 });
    expect(selectionOf("not-worse")).toMatchObject({ promote: "not-worse/1" });
    expect(selectionOf("always")).toMatchObject({ promote: "always" });
  });

  test("a key that neither release has is refused, as 0.1.0 refused it", () => {
    const { resolved } = present(files[0]);
    for (const wrong of [
      { ...resolved, budgets: {} },
      { ...resolved, guards: { ...resolved.guards, gradientNorm: 1 } },
    ])
      expect(StoredCampaignConfig.safeParse(wrong).success).toBe(false);
  });
});

describe("what a newer release wrote", () => {
  const kinds = [
    ["campaign.json", (record: CampaignRecord) => record.readCampaign("approved-3")],
    ["end.json", (record: CampaignRecord) => record.readEnd("approved-3")],
    ["iterations/0001/iteration.json", (record: CampaignRecord) => record.readIteration("approved-3", 1)],
    ["iterations/0001/training.json", (record: CampaignRecord) => record.readStage("approved-3", 1, "training")],
    ["iterations/0001/groups/train/train-0004.json", (record: CampaignRecord) => record.readGroup("approved-3", 1, "train", "train-0004")],
  ] as const;

  test.each(kinds)("%s is refused by name, and nothing is said to be broken", async (name, read) => {
    const { root } = releaseHome();
    const path = join(root, "campaigns/approved-3", name);
    rewrite(path, (manifest) => ({ ...manifest, schemaVersion: 9, moreOfIt: true }));
    await expect(read(new CampaignRecord(new LocalArtifactStore(root)))).rejects.toMatchObject({
      code: "contract.invalid",
      message: `campaigns/approved-3/${name} was written by a newer release of Turnwise (schema version 9)`,
      next: expect.stringContaining("use that release"),
    });
  });

  test("a config of the future in a manifest of today is told as such, and the other campaigns are listed", async () => {
    const { root, run } = releaseHome();
    rewrite(join(root, "campaigns/approved-3/campaign.json"), (manifest) => ({
      ...manifest,
      schemaVersion: 2,
      estimate: null,
      config: { ...CampaignConfig.parse(StoredCampaignConfig.parse(manifest["config"])), schemaVersion: 3 },
    }));
    const text = await run(registerHistory, "history");
    expect(text).toContain(
      "approved-3 cannot be read: campaigns/approved-3/campaign.json was written by a newer release of Turnwise (schema version 3)",
    );
    expect(text).toMatch(/^approved-5/m);
  });

  test("a policy's manifest", async () => {
    const { home, root } = releaseHome();
    const store = new LocalArtifactStore(root);
    const manifest = await store.putBlob(Buffer.from(JSON.stringify({ schemaVersion: 2, weights: [] })), "PolicyManifest/2");
    const policy: PolicyRef = { name: "later", hash: "a".repeat(64), manifest };
    await expect(createPolicyStore(store, join(home, "policies")).directory(policy)).rejects.toMatchObject({
      code: "contract.invalid",
      message: expect.stringContaining("newer release"),
    });
  });

  test("what no release can have written is broken, not newer", async () => {
    const { root } = releaseHome();
    for (const schemaVersion of ["2", 0, -1, 1.5, null]) {
      rewrite(join(root, "campaigns/approved-3/end.json"), (manifest) => ({ ...manifest, schemaVersion }));
      const record = new CampaignRecord(new LocalArtifactStore(root));
      await expect(record.readEnd("approved-3")).rejects.toThrow(/does not fit its contract: schemaVersion/);
    }
  });
});

function rewrite(path: string, change: (manifest: Record<string, unknown>) => unknown): void {
  chmodSync(path, 0o644);
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>)));
}
