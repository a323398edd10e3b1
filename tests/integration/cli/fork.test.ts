// A fork goes on from what its parent committed: found by its number, held by its hash, paid for by itself.
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { RecordPaths } from "#adapters/record/paths.ts";
import { applyRetention } from "#adapters/retention/collect-garbage.ts";
import { commitFork, planFork } from "#application/campaign/fork-campaign.ts";
import { rebuildInput } from "#application/campaign/rebuild-state.ts";
import type { IterationManifest } from "#contracts/manifests.ts";
import { RetentionConfig } from "#contracts/retention.ts";
import type { SteeringWord } from "#contracts/steering.ts";
import { campaignWorkflowId, iterationWorkflowId, rolloutWorkflowId, testWorkflowId } from "#contracts/workflow-ids.ts";
import { NO_METERS, NOTHING_METERED } from "#core/campaign/meters.ts";
import { initialState } from "#core/campaign/state.ts";
import { present } from "../../fixtures/present.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { type Home, makeOld, openHome, type TrainedOptions, writeTrainedCampaign } from "../../fixtures/trained-campaign.ts";

async function parentHome(options: Partial<TrainedOptions> = {}): Promise<Home> {
  const at = openHome(temporaryFolder());
  await writeTrainedCampaign(at, { id: "parent", numIterations: 3, ...options });
  return at;
}

interface Forking {
  readonly of?: string;
  readonly from?: string;
  readonly set?: readonly string[];
}

async function fork(at: Home, forkId: string, { of = "parent", from, set = [] }: Forking = {}) {
  const planned = await planFork(at.record, of, { forkId, from, overrides: set });
  await commitFork(at.record, createPolicyStore(at.store, at.policyRoot), planned, null);
  return planned.manifest;
}

/** As another process reads it. */
const again = (at: Home) => openHome(at.home).record;

describe("a fork", () => {
  test.each(["0", "1", "3"])("from iteration %s goes on with the next one, from the policy that was promoted then", async (from) => {
    const at = await parentHome();
    await fork(at, "child", { from });
    const record = again(at);
    const { state } = await rebuildInput(record, "child");
    const shared = present(await record.readIteration("parent", Number(from)));
    expect(state.progress).toMatchObject({
      nextIteration: Number(from) + 1,
      promoted: { policy: shared.policyAfter },
      basePolicy: present(await record.readCampaign("parent")).basePolicy,
    });
    expect(await record.readIteration("child", Number(from))).toEqual(shared);
    expect(await record.readIteration("child", Number(from) + 1)).toBeNull();
    expect(await record.listIterations("child")).toEqual(Array.from({ length: Number(from) + 1 }, (_, i) => i));
    expect(await record.readEnd("child")).toBeNull();
  });

  test("without --from goes on from the last committed iteration, of a campaign that is running, paused or ended", async () => {
    const running = await parentHome({ isLastUnfinished: true });
    expect((await fork(running, "child")).parent?.iteration).toBe(2);
    const paused = await parentHome();
    await paused.record.putSteeringWord(word("parent", { word: "pause", iteration: 2 }));
    expect((await fork(paused, "child")).parent?.iteration).toBe(3);
    const ended = await parentHome({ isEnded: true });
    expect((await fork(ended, "child")).parent?.iteration).toBe(3);
    expect(await ended.record.readEnd("child")).toBeNull();
  });

  test("of a fork finds each iteration with the campaign that made it", async () => {
    const at = await parentHome();
    await fork(at, "child", { from: "2" });
    await at.record.putIteration({ ...present(await at.record.readIteration("parent", 3)), campaignId: "child" });
    await fork(at, "late", { of: "child", from: "3" });
    await fork(at, "early", { of: "child", from: "1" });
    const record = again(at);
    const owners = async (id: string) => (await record.readIterations(id)).map(({ campaignId }) => campaignId);
    expect(await owners("late")).toEqual(["parent", "parent", "parent", "child"]);
    expect(await owners("early")).toEqual(["parent", "parent"]);
    expect(await record.ownerOf("early", 1)).toBe("parent");
    expect(await record.ownerOf("early", 2)).toBe("early");
  });

  test("the same one twice is the same campaign, also when its parent has gone on since", async () => {
    const at = await parentHome({ numIterations: 2 });
    const set = ["training.hyperparameters.learningRate=0.001"];
    const first = await fork(at, "child", { set });
    const more = await parentHome();
    await at.record.putIteration(present(await more.record.readIteration("parent", 3)));
    expect(await fork(at, "child", { set })).toEqual(first);
    expect(await again(at).readCampaign("child")).toEqual(first);
    const conflict = (what: string) => ({ code: "store.conflict", message: expect.stringContaining(`is not this fork: ${what}`) });
    await expect(fork(at, "child", { set, from: "1" })).rejects.toMatchObject(conflict("it goes on from iteration 2"));
    await expect(fork(at, "child")).rejects.toMatchObject(conflict("training.hyperparameters.learningRate is 0.001 there and "));
    await expect(fork(at, "parent")).rejects.toMatchObject(conflict("it is none of parent"));
  });

  test("has no words of its parent, and pays for its own iterations only", async () => {
    const at = await parentHome({ isLastUnfinished: true });
    await at.record.putSteeringWord(word("parent", { word: "budget", iteration: 1, budget: { maxUsd: 1 } }));
    await at.record.putSteeringWord({ ...word("parent", { word: "pause", iteration: 2 }), number: 2 });
    const costly: IterationManifest = {
      ...present(await at.record.readIteration("parent", 2)),
      iteration: 3,
      meters: { ...NO_METERS, policy: { ...NOTHING_METERED, calls: 7, usd: 3 } },
      runningSeconds: 500,
    };
    await at.record.putIteration(costly);
    const manifest = await fork(at, "child", { set: ["budget.maxUsd=5"] });
    const fresh = (await rebuildInput(again(at), "child")).state;
    expect(fresh.steering).toEqual(initialState(manifest).steering);
    expect(fresh.steering.budget).toEqual({ maxUsd: 5 });
    expect([fresh.runningSeconds, fresh.progress.meters]).toEqual([0, NO_METERS]);

    await at.record.putIteration({ ...costly, campaignId: "child", iteration: 4 });
    const later = (await rebuildInput(again(at), "child")).state;
    expect([later.runningSeconds, later.progress.meters]).toEqual([500, costly.meters]);
    expect((await rebuildInput(again(at), "parent")).state).toMatchObject({ runningSeconds: 500, progress: { meters: costly.meters } });
  });

  test("works beside its parent: nothing that either writes is called alike", async () => {
    const names = (id: string) => [
      RecordPaths.campaign(id),
      RecordPaths.end(id),
      RecordPaths.steeringWord(id, 1),
      RecordPaths.iteration(id, 3),
      RecordPaths.stage(id, 3, "training"),
      RecordPaths.stage(id, 3, "test"),
      ...(["train", "selection", "test"] as const).flatMap((purpose) => [
        RecordPaths.group(id, 3, purpose, "t"),
        RecordPaths.journal(id, 3, purpose, "t", 0, 0),
        rolloutWorkflowId(id, 3, purpose),
      ]),
      campaignWorkflowId(id),
      iterationWorkflowId(id, 3),
      testWorkflowId(id),
    ];
    const all = ["a", "a-3", "a-fork", "a-fork-fork"].flatMap(names);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe("a fork is refused", () => {
  test.each([
    ["environment.seed=5", "environment"],
    ["policy.temperature=0.5", "policy"],
    ["evaluation.seed=5", "evaluation"],
    ["selection.trials=3", "selection"],
    ["selection=null", "selection"],
    ["reward.table=finer-strict", "reward"],
    ["rollout.maxTurns=5", "rollout.maxTurns"],
    ["training.adapter.rank=2", "training.adapter"],
    ["simulator={type: llm, baseUrl: 'http://127.0.0.1:1', model: m}", "simulator"],
  ])("--set %s: %s is the parent's", async (set, key) => {
    await expect(fork(await parentHome(), "child", { set: [set] })).rejects.toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining(`and ${key} would change`),
    });
  });

  test.each([
    ["rollout.groupsize=4", "--set rollout.groupsize=4: unknown key rollout.groupsize"],
    ["seed.of.it=4", "below a value that has no keys"],
    ["stop.maxIterations=0", "--set stop.maxIterations=0: stop.maxIterations: wanted a number above 0, got 0"],
    ["name=other", "a fork has the name that it is given with --name"],
  ])("--set %s", async (set, message) => {
    const at = await parentHome();
    const refusal = { code: "config.invalid", message: expect.stringContaining(message) };
    await expect(fork(at, "child", { set: [set] })).rejects.toMatchObject(refusal);
    expect(await again(at).readCampaign("child")).toBeNull();
  });

  test.each(["4", "-1", "1.5", "last", ""])("--from %j", async (from) => {
    const refusal = { code: "config.invalid", next: "give --from a number from 0 to 3" };
    await expect(fork(await parentHome(), "child", { from })).rejects.toMatchObject(refusal);
  });

  test("of a campaign that nobody knows, or that has committed nothing", async () => {
    const at = await parentHome({ numIterations: 0, isLastUnfinished: true });
    await expect(fork(at, "child", { of: "nobody" })).rejects.toMatchObject({ code: "campaign.unknown" });
    await expect(fork(at, "child")).rejects.toMatchObject({ code: "config.invalid", message: expect.stringContaining("any iteration") });
  });

  test("when retention let the policy or its moments go, and nothing is written", async () => {
    const at = await parentHome({ retention: RetentionConfig.parse({ policies: { last: 1 } }), isEnded: true });
    makeOld(at);
    await applyRetention("parent", { ...at, now: Date.now() });
    await expect(fork(at, "weights", { from: "1" })).rejects.toMatchObject({ code: "store.dropped" });
    expect(await again(at).readCampaign("weights")).toBeNull();
    await fork(at, "last");
    expect(await again(at).readCampaign("last")).not.toBeNull();
  });
});

describe("a parent that is not what it was", () => {
  test.each([0, 1, 2])("is told when its iteration %d was changed", async (iteration) => {
    const at = await parentHome();
    await fork(at, "child", { from: "2" });
    const path = join(at.recordRoot, RecordPaths.iteration("parent", iteration));
    chmodSync(path, 0o644);
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), selectionPassRate: 0.75 }));
    await expect(rebuildInput(again(at), "child")).rejects.toMatchObject({
      code: "store.corrupt",
      message: "campaign child was forked from iteration 2 of parent, whose iterations are not what they were then",
    });
  });

  test("is told when an iteration is gone; what came after the fork does not matter", async () => {
    const at = await parentHome();
    await fork(at, "child", { from: "2" });
    rmSync(join(at.recordRoot, RecordPaths.iteration("parent", 3)));
    await rebuildInput(again(at), "child");
    rmSync(join(at.recordRoot, RecordPaths.iteration("parent", 1)));
    await expect(rebuildInput(again(at), "child")).rejects.toMatchObject({ code: "store.missing" });
  });
});

type Spoken = Pick<SteeringWord, "iteration"> & ({ word: "pause" } | { word: "budget"; budget: { maxUsd: number } });

function word(campaignId: string, spoken: Spoken): SteeringWord {
  return { schemaVersion: 1, campaignId, number: 1, by: "person", who: "ana", why: "", at: "2026-01-02T03:04:05.000Z", ...spoken };
}
