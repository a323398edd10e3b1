import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { applyRetention, collectGarbage, type GarbageReport } from "#adapters/retention/collect-garbage.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import { KEEP_EVERYTHING, RetentionConfig } from "#contracts/retention.ts";
import { present } from "../../fixtures/present.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";
import { type Home, makeOld, openHome, writeTrainedCampaign } from "../../fixtures/trained-campaign.ts";

const NARROW = RetentionConfig.parse({ policies: { last: 1, best: false } });
const collect = (at: Home, options: { isDryRun?: boolean; campaigns?: string[] } = {}) =>
  collectGarbage({ ...at, now: Date.now(), ...options });
const code = (value: string) => expect.objectContaining({ code: value });

async function stateOf({ store, policyRoot }: Home, ref: PolicyRef): Promise<"whole" | "without moments" | "dropped"> {
  const policies = createPolicyStore(store, join(policyRoot, "..", "elsewhere")); // not from the directories that stand already
  const codeOf = (error: { code: string }) => error.code;
  const weights = await policies.hold(ref, { withMoments: false }).catch(codeOf);
  if (weights !== undefined) return weights === "store.dropped" ? "dropped" : Promise.reject(new Error(weights));
  await policies.directory(ref);
  const moments = await policies.optimizerState(ref).catch(codeOf);
  return moments === "store.dropped" ? "without moments" : "whole";
}
const statesOf = (at: Home, policies: readonly PolicyRef[]) => Promise.all(policies.map((policy) => stateOf(at, policy)));
const freed = ({ rows }: GarbageReport) => Object.fromEntries(rows.map((row) => [row.kind, row.freed.count]));

describe("what a campaign's retention lets go", () => {
  test("weights, moments, policy and job folders of the policies that it keeps no longer, and nothing else", async () => {
    const at = openHome(temporaryFolder());
    const policies = await writeTrainedCampaign(at, { id: "a", numIterations: 4, retention: NARROW });
    makeOld(at);
    const report = await collect(at);
    expect(await statesOf(at, policies)).toEqual(["whole", "dropped", "dropped", "dropped", "whole"]);
    expect(freed(report)).toMatchObject({ weights: 3, moments: 3, "policy folders": 3, "job folders": 4, batches: 0 });
    expect(readdirSync(at.policyRoot)).toEqual([present(policies[4]).hash]);
    expect(readdirSync(join(at.jobRoot, "a")), "an open campaign's trainer may be about to fill it").toEqual([]);
    expect(freed(await collect(at))).toMatchObject({ weights: 0, moments: 0 });
  });

  test("the folder that held a campaign's jobs, once the campaign has ended and it is empty", async () => {
    const at = openHome(temporaryFolder());
    await writeTrainedCampaign(at, { id: "a", numIterations: 1, retention: NARROW, isEnded: true });
    await writeTrainedCampaign(at, { id: "b", numIterations: 1, retention: { ...NARROW, jobFolders: "keep" }, isEnded: true });
    await collect(at, { isDryRun: true });
    expect(readdirSync(at.jobRoot)).toEqual(["a", "b"]);
    await collect(at);
    expect(readdirSync(at.jobRoot)).toEqual(["b"]);
  });

  test("is told to whoever asks for it: when, and whose retention", async () => {
    const at = openHome(temporaryFolder());
    const policies = await writeTrainedCampaign(at, { id: "a", numIterations: 2, retention: NARROW });
    makeOld(at);
    await collect(at);
    const directory = createPolicyStore(at.store, at.policyRoot).directory(present(policies[1]));
    const hash = present(policies[1]).hash.slice(0, 12);
    await expect(directory).rejects.toThrow(
      new RegExp(`dropped by retention on \\d{4}-\\d\\d-\\d\\d: weights of policy ${hash}, which campaign a keeps no longer`),
    );
    await expect(directory).rejects.toEqual(code("store.dropped"));
  });

  test("stays while it is young: somebody may be about to name it", async () => {
    const at = openHome(temporaryFolder());
    const policies = await writeTrainedCampaign(at, { id: "a", numIterations: 3, retention: NARROW });
    expect(freed(await collect(at))).toMatchObject({ weights: 0, moments: 0 });
    makeOld(at);
    await createPolicyStore(at.store, at.policyRoot).hold(present(policies[1]), { withMoments: true });
    await collect(at);
    expect(await statesOf(at, policies)).toEqual(["whole", "whole", "dropped", "whole"]);
  });

  test("the promoted policy stays with its moments, however long ago it was trained", async () => {
    const at = openHome(temporaryFolder());
    const policies = await writeTrainedCampaign(at, { id: "a", numIterations: 5, retention: NARROW, promoted: [2] });
    makeOld(at);
    await collect(at);
    expect(await statesOf(at, policies)).toEqual(["whole", "dropped", "whole", "dropped", "dropped", "without moments"]);
  });

  test("what an unfinished iteration names stays whole, and so does its job folder", async () => {
    const at = openHome(temporaryFolder());
    const batches = { ...NARROW, batches: "none" as const };
    const policies = await writeTrainedCampaign(at, { id: "a", numIterations: 3, retention: batches, isLastUnfinished: true });
    rmSync(join(at.recordRoot, "campaigns/a/iterations/0003/training.json"));
    await at.store.putOnce("campaigns/a/iterations/0003/later-kind.json", { names: [{ deep: present(policies[3]).manifest }] });
    makeOld(at);
    await collect(at);
    expect(await statesOf(at, policies)).toEqual(["whole", "dropped", "whole", "whole"]);
    expect(readdirSync(join(at.jobRoot, "a"))).toEqual(["0003"]);
  });

  test("batches go when the retention says so, once their iteration is complete", async () => {
    const at = openHome(temporaryFolder());
    const retention = { ...KEEP_EVERYTHING, batches: "none" as const };
    await writeTrainedCampaign(at, { id: "a", numIterations: 3, retention, isLastUnfinished: true });
    makeOld(at);
    expect(freed(await collect(at))).toMatchObject({ batches: 2 });
    const batchOf = async (iteration: number) => present((await at.record.readStage("a", iteration, "training"))?.outputs["batch"]);
    await expect(at.store.getBlob(await batchOf(1))).rejects.toEqual(code("store.dropped"));
    expect(Buffer.from(await at.store.getBlob(await batchOf(3))).toString()).toBe("batch of a 3");
  });

  test("what a fork began with stays, with its moments, and so does what any other manifest names", async () => {
    const at = openHome(temporaryFolder());
    const policies = await writeTrainedCampaign(at, { id: "a", numIterations: 5, retention: NARROW, isEnded: true });
    await writeTrainedCampaign(at, { id: "b", numIterations: 1, retention: NARROW, parent: { campaignId: "a", iteration: 2 } });
    await at.store.putOnce("evaluations/e/evaluation.json", { policy: policies[3] });
    makeOld(at);
    await collect(at);
    expect(await statesOf(at, policies)).toEqual(["whole", "dropped", "whole", "whole", "dropped", "whole"]);
  });

  test("what a fork keeps of its parent's iterations the parent keeps for it", async () => {
    const at = openHome(temporaryFolder());
    const policies = await writeTrainedCampaign(at, { id: "a", numIterations: 4, retention: NARROW, isEnded: true });
    const fork = { id: "b", numIterations: 0, retention: KEEP_EVERYTHING, parent: { campaignId: "a", iteration: 3 } };
    await writeTrainedCampaign(at, fork);
    makeOld(at);
    await collect(at);
    expect(await statesOf(at, policies)).toEqual(["whole", "whole", "whole", "whole", "whole"]);
  });

  test("a campaign that says nothing of it keeps everything, and is named", async () => {
    const at = openHome(temporaryFolder());
    const policies = await writeTrainedCampaign(at, { id: "a", numIterations: 3, retention: KEEP_EVERYTHING, isEnded: true });
    makeOld(at);
    const report = await collect(at);
    expect(report.freedBytes).toBe(0);
    expect(await statesOf(at, policies)).toEqual(["whole", "whole", "whole", "whole"]);
    expect(report.notes.join()).toContain("a: its retention keeps everything");
  });

  test("equal weights stay for the one campaign that keeps them", async () => {
    const at = openHome(temporaryFolder());
    const policies = await writeTrainedCampaign(at, { id: "a", numIterations: 2, retention: NARROW });
    await at.store.putOnce("campaigns/z/campaign.json", { weights: present(policies[1]).manifest });
    makeOld(at);
    const report = await collect(at);
    expect(await statesOf(at, policies)).toEqual(["whole", "whole", "whole"]);
    expect(report.notes.join()).toContain("campaign z cannot be read and keeps all");
  });

  test("applyRetention lets go what its own campaign keeps no longer, and nothing of others", async () => {
    const at = openHome(temporaryFolder());
    const own = await writeTrainedCampaign(at, { id: "a", numIterations: 2, retention: NARROW });
    const other = await writeTrainedCampaign(at, { id: "b", numIterations: 2, retention: NARROW });
    const orphan = await at.store.putBlob(Buffer.from("orphan"), "Text/1");
    makeOld(at);
    await applyRetention("a", { ...at, now: Date.now() });
    expect(await statesOf(at, own)).toEqual(["whole", "dropped", "whole"]);
    expect(await statesOf(at, other)).toEqual(["whole", "whole", "whole"]);
    expect(await at.store.touchBlob(orphan.sha256)).toBe(true);
    expect(readdirSync(join(at.jobRoot, "b"))).toHaveLength(2);
    await expect(collect(at, { campaigns: ["nobody"] })).rejects.toEqual(code("campaign.unknown"));
  });
});

test("a record of 0.1.0 keeps everything, also what was stored in it for a campaign that was never finished", async () => {
  const at = openHome(temporaryFolder());
  cpSync(fileURLToPath(new URL("../../fixtures/records/0.1.0", import.meta.url)), at.recordRoot, { recursive: true });
  makeOld(at);
  const blobs = await at.store.list("blobs");
  const { rows, notes } = await collect(at);
  expect(rows.filter(({ kind, freed }) => kind !== "temporary files" && freed.count > 0)).toEqual([]);
  expect(await at.store.list("blobs")).toEqual(blobs);
  expect(blobs.length).toBeGreaterThan(100);
  expect(notes.join()).not.toContain("cannot be");
});

describe("what no manifest names", () => {
  test("goes after a day, unless a campaign that has not ended may know it", async () => {
    const at = openHome(temporaryFolder());
    const put = (text: string) => at.store.putBlob(Buffer.from(text), "Text/1");
    const [old, known] = [await put("before every campaign"), await put("since the last commit")];
    const { createdAt } = { createdAt: "2026-01-02T03:04:05.000Z" };
    await writeTrainedCampaign(at, { id: "a", numIterations: 1, retention: NARROW });
    makeOld(at);
    const before = new Date(Date.parse(createdAt) - 7_200_000);
    utimesSync(join(at.recordRoot, old.uri), before, before);
    const young = await put("a moment ago");
    const report = await collect(at);
    expect(freed(report)).toMatchObject({ orphans: 1 });
    expect(report.notes.join()).toContain("1 orphans may be known to a campaign that has not ended");
    await expect(at.store.getBlob(old)).rejects.toEqual(code("store.missing"));
    expect(await Promise.all([known, young].map(({ sha256 }) => at.store.touchBlob(sha256)))).toEqual([true, true]);
  });

  test("with every campaign ended the rest goes too", async () => {
    const at = openHome(temporaryFolder());
    await writeTrainedCampaign(at, { id: "a", numIterations: 1, retention: NARROW, isEnded: true });
    const orphan = await at.store.putBlob(Buffer.from("orphan"), "Text/1");
    makeOld(at);
    expect(freed(await collect(at, { isDryRun: true }))).toMatchObject({ orphans: 1 });
    expect(await at.store.touchBlob(orphan.sha256)).toBe(true);
    makeOld(at);
    expect(freed(await collect(at))).toMatchObject({ orphans: 1 });
    await expect(at.store.getBlob(orphan)).rejects.toEqual(code("store.missing"));
  });

  test("whatever manifests are planted, of kinds that nobody knows, through whatever blobs: what they reach stays, the rest goes", async () => {
    const graph = fc.record({
      // Blob n names blobs of lower numbers; a manifest names any; values stand at odd places.
      edges: fc.array(fc.array(fc.nat(30), { maxLength: 3 }), { minLength: 1, maxLength: 12 }),
      manifests: fc.array(
        fc.record({
          name: fc
            .stringMatching(/^(campaigns\/[a-c]\/|studies\/|x\/y\/|)[a-z]{1,6}(\.json)?$/)
            .filter((name) => !/^(blobs|tmp|trash)/.test(name)),
          roots: fc.array(fc.nat(30), { maxLength: 2 }),
        }),
        { maxLength: 4 },
      ),
      schema: fc.constantFrom("Unheard/1", "EvaluationReport/9", "Manifest/3", "unknown"),
    });
    await fc.assert(
      fc.asyncProperty(graph, async ({ edges, manifests, schema }) => {
        const at = openHome(temporaryFolder());
        const refs: Awaited<ReturnType<typeof at.store.putBlob>>[] = [];
        const reach: Set<number>[] = [];
        for (const [index, targets] of edges.entries()) {
          const inner = targets.filter((target) => target < index);
          const body = { index, nested: [{ here: inner.map((target) => ({ one: refs[target] })) }] };
          refs.push(await at.store.putBlob(Buffer.from(JSON.stringify(body)), schema));
          reach.push(new Set([index, ...inner.flatMap((target) => [...present(reach[target])])]));
        }
        const reached = new Set<number>();
        for (const [index, { name, roots }] of manifests.entries()) {
          const inside = roots.filter((root) => root < refs.length);
          await at.store.putOnce(`${name}${index}`, { [`key${index}`]: { list: inside.map((root) => [refs[root]]) } }).catch(() => {});
          if ((await at.store.read(`${name}${index}`)) === null) continue;
          for (const root of inside) for (const blob of present(reach[root])) reached.add(blob);
        }
        makeOld(at);
        // What stands in campaigns/ is no campaign that can be read here, so nothing unnamed may go, and everything named stays.
        const hasCampaign = manifests.some(({ name }) => name.startsWith("campaigns/"));
        await collect(at);
        for (const [index, ref] of refs.entries()) {
          const isThere = await at.store.touchBlob(ref.sha256);
          expect(isThere).toBe(hasCampaign || reached.has(index));
        }
        rmSync(at.home, { recursive: true, force: true });
      }),
      { numRuns: 60 },
    );
  });

  test("while something that is named cannot be followed, no blob is removed, and it is told", async () => {
    const at = openHome(temporaryFolder());
    const policies = await writeTrainedCampaign(at, { id: "a", numIterations: 3, retention: NARROW, isEnded: true });
    const orphan = await at.store.putBlob(Buffer.from("orphan"), "Text/1");
    const manifest = join(at.recordRoot, present(present(policies[1]).manifest).uri);
    renameSync(manifest, join(at.home, "lost"));
    makeOld(at);
    const report = await collect(at);
    expect(freed(report)).toMatchObject({ weights: 0, moments: 0, orphans: 0 });
    expect(report.notes.join()).toContain("no blob is removed");
    renameSync(join(at.home, "lost"), manifest);
    expect(await stateOf(at, present(policies[1]))).toBe("whole");
    makeOld(at);
    expect(freed(await collect(at))).toMatchObject({ orphans: 1 });
    await expect(at.store.getBlob(orphan)).rejects.toEqual(code("store.missing"));
  });

  test("a manifest that is no JSON stops the removal of blobs, whatever it is called", async () => {
    const at = openHome(temporaryFolder());
    await at.store.putOnce("somewhere/new.json", {});
    chmodSync(join(at.recordRoot, "somewhere/new.json"), 0o644);
    writeFileSync(join(at.recordRoot, "somewhere/new.json"), '{"torn": ');
    const orphan = await at.store.putBlob(Buffer.from("orphan"), "Text/1");
    makeOld(at);
    expect((await collect(at)).notes.join()).toContain("somewhere/new.json");
    expect(await at.store.touchBlob(orphan.sha256)).toBe(true);
  });
});

describe("beside the record", () => {
  test("journals of complete iterations go, those of one that runs stay", async () => {
    const at = openHome(temporaryFolder());
    await writeTrainedCampaign(at, { id: "a", numIterations: 2, retention: NARROW, isLastUnfinished: true });
    for (const iteration of ["0001", "0002"]) {
      const folder = join(at.recordRoot, "campaigns/a/iterations", iteration, "turns/train/t1");
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "0-1.jsonl"), "{}");
    }
    const test = join(at.recordRoot, "campaigns/a/test/default/turns/test/t1");
    mkdirSync(test, { recursive: true });
    writeFileSync(join(test, "0-1.jsonl"), "{}");
    expect(freed(await collect(at))).toMatchObject({ journals: 1 });
    expect(existsSync(join(test, "0-1.jsonl"))).toBe(true);
    expect(existsSync(join(at.recordRoot, "campaigns/a/iterations/0001/turns"))).toBe(false);
    expect(existsSync(join(at.recordRoot, "campaigns/a/iterations/0002/turns/train/t1/0-1.jsonl"))).toBe(true);
  });

  test("temporary files of dead processes go after an hour, of anybody after a day; those of the living and names that are not ours stay", async () => {
    const at = openHome(temporaryFolder());
    const folder = join(at.recordRoot, "tmp");
    mkdirSync(folder, { recursive: true });
    const uuid = "0b0e7f0c-4b0a-4a39-a2f5-1d2f6e1f3f10";
    const hoursAgo = (name: string, hours: number) => {
      writeFileSync(join(folder, name), "x");
      const time = new Date(Date.now() - hours * 3_600_000);
      utimesSync(join(folder, name), time, time);
    };
    const dead = 2 ** 22 + 1; // above the highest number that Linux gives
    hoursAgo(`${dead}-${uuid}`, 2);
    hoursAgo(`${dead + 1}-${uuid}`, 0.5);
    hoursAgo(`${process.pid}-${uuid}`, 2);
    hoursAgo(`1-${uuid}`, 30);
    hoursAgo("notes.txt", 100);
    const report = await collect(at);
    expect(freed(report)["temporary files"]).toBe(2);
    expect(readdirSync(folder).sort()).toEqual([`${dead + 1}-${uuid}`, `${process.pid}-${uuid}`, "notes.txt"].sort());
  });

  test("a dry run says the same and touches nothing", async () => {
    const at = openHome(temporaryFolder());
    await writeTrainedCampaign(at, { id: "a", numIterations: 3, retention: NARROW, isEnded: true });
    await at.store.putBlob(Buffer.from("orphan"), "Text/1");
    makeOld(at);
    const names = () =>
      readdirSync(at.home, { recursive: true, withFileTypes: true })
        .map((entry) => join(entry.parentPath, entry.name))
        .sort();
    const before = names();
    const dry = await collect(at, { isDryRun: true });
    expect(names()).toEqual(before);
    const wet = await collect(at);
    expect({ ...dry, isDryRun: false }).toEqual(wet);
    expect(dry.freedBytes).toBeGreaterThan(0);
  });

  test("what is there is read, manifests and reports included, after everything that can go has gone", async () => {
    const at = openHome(temporaryFolder());
    await writeTrainedCampaign(at, {
      id: "a",
      numIterations: 3,
      retention: { ...NARROW, optimizerState: "none", batches: "none" },
      isEnded: true,
    });
    const manifests = await at.store.listManifests();
    const texts = manifests.map((name) => readFileSync(join(at.recordRoot, name), "utf8"));
    makeOld(at);
    await collect(at);
    expect(manifests.map((name) => readFileSync(join(at.recordRoot, name), "utf8"))).toEqual(texts);
    expect((await at.store.listManifests()).filter((name) => !manifests.includes(name)).every((name) => name.startsWith("dropped/"))).toBe(
      true,
    );
  });
});
