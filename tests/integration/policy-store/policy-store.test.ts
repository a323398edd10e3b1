import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LocalArtifactStore } from "#adapters/artifact-store/local.ts";
import { createPolicyStore } from "#adapters/policy-store/policy-store.ts";
import { encodeSafetensors } from "#adapters/trainer-process/safetensors.ts";
import type { PolicyManifest } from "#contracts/policy.ts";
import { present } from "../../fixtures/present.ts";
import { temporaryFolder } from "../../fixtures/temporary-folder.ts";

const options = { label: "demo", parentHash: null };

function setUp() {
  const folder = temporaryFolder();
  const directory = join(folder, "model");
  mkdirSync(directory);
  const weights = encodeSafetensors({ w: Float32Array.of(1, 2, 3) }, { format: "pt" });
  writeFileSync(join(directory, "config.json"), "{}");
  writeFileSync(join(directory, "tokenizer.json"), "{}");
  writeFileSync(join(directory, "model.safetensors"), weights);
  const policies = createPolicyStore(new LocalArtifactStore(join(folder, "record")), join(folder, "policies"));
  return { folder, directory, weights, policies };
}

/** Bytes on disk; a file with several names counts once, as in du. */
const usedBlocks = (folder: string) => Number(execFileSync("du", ["-sk", folder], { encoding: "utf8" }).split("\t")[0]) * 1024;

describe("a policy", () => {
  test("comes back from the record as the directory that it was", async () => {
    const { directory, policies } = setUp();
    const ref = await policies.import(directory, options);
    const copy = await policies.directory(ref);
    expect(readdirSync(copy).sort()).toEqual(readdirSync(directory).sort());
    for (const name of readdirSync(copy)) expect(readFileSync(join(copy, name))).toEqual(readFileSync(join(directory, name)));
    expect(ref.name).toBe(`demo-${ref.hash.slice(0, 12)}`);
  });

  test("is made again when another process has collected its directory, however often it was asked for before", async () => {
    const { policies, directory } = setUp();
    const ref = await policies.import(directory, options);
    const copy = await policies.directory(ref);
    rmSync(copy, { recursive: true, force: true });
    expect(await Promise.all([policies.directory(ref), policies.directory(ref)])).toEqual([copy, copy]);
    expect(readdirSync(copy).sort()).toEqual(readdirSync(directory).sort());
  });

  test("is the same policy whatever cards, logs and hidden files lie beside it, and another with other weights", async () => {
    const { directory, policies, weights } = setUp();
    const { hash } = await policies.import(directory, options);
    writeFileSync(join(directory, "README.md"), "card");
    writeFileSync(join(directory, ".lock"), "");
    expect((await policies.import(directory, { ...options, label: "other" })).hash).toBe(hash);
    writeFileSync(join(directory, "model.safetensors"), weights.with(weights.length - 1, 7));
    expect((await policies.import(directory, options)).hash).not.toBe(hash);
  });

  test("carries the optimizer's moments beside its hash, and knows its parent", async () => {
    const { directory, policies, folder } = setUp();
    writeFileSync(join(folder, "optimizer.safetensors"), "moments");
    const plain = await policies.import(directory, options);
    const trained = await policies.import(directory, {
      ...options,
      parentHash: "0".repeat(64),
      optimizerState: join(folder, "optimizer.safetensors"),
    });
    expect(trained.hash).toBe(plain.hash);
    expect(await policies.optimizerState(plain)).toBeNull();
    expect(readFileSync((await policies.optimizerState(trained)) as string, "utf8")).toBe("moments");
    expect((await policies.describe(trained)).parentHash).toBe("0".repeat(64));
  });

  test("that is an adapter is stored with its base, and not without", async () => {
    const { directory, policies, folder, weights } = setUp();
    const base = await policies.import(directory, options);
    const adapter = join(folder, "adapter");
    mkdirSync(adapter);
    writeFileSync(join(adapter, "adapter_config.json"), "{}");
    writeFileSync(join(adapter, "adapter_model.safetensors"), weights);
    writeFileSync(join(adapter, "tokenizer.json"), "{}");
    await expect(policies.import(adapter, options)).rejects.toMatchObject({
      code: "config.invalid",
      next: expect.stringContaining("python -m trainer merge"),
    });
    const ref = await policies.import(adapter, { ...options, parentHash: base.hash, base });
    expect(await policies.describe(ref)).toMatchObject({ base, parentHash: base.hash });
    expect((await policies.describe(base)).base).toBeNull();
  });

  test.each([
    { name: "that is not there", spoil: (target: string) => rmSync(target, { recursive: true, force: true }) },
    { name: "that is torn", spoil: (target: string) => writeFileSync(join(target, "config.json"), "torn") },
  ])("$name, asked for many times at once, is put in place once and stays there", async ({ spoil }) => {
    const { policies, directory, folder } = setUp();
    const ref = await policies.import(directory, options);
    const target = await policies.directory(ref);
    const others = () => createPolicyStore(new LocalArtifactStore(join(folder, "record")), join(folder, "policies"));
    for (let round = 0; round < 20; round += 1) {
      spoil(target);
      const asked = Array.from({ length: 4 }, async () => {
        const place = await others().directory(ref);
        return { place, config: readFileSync(join(place, "config.json"), "utf8") };
      });
      const config = readFileSync(join(directory, "config.json"), "utf8");
      expect(await Promise.all(asked)).toEqual(Array.from({ length: 4 }, () => ({ place: target, config })));
      expect(readdirSync(join(folder, "policies"))).toEqual([ref.hash]);
    }
  });

  test("takes no room beside the record: weights are shared with it, read only; small files are a copy that may be edited", async () => {
    const { policies, directory, folder } = setUp();
    const weights = encodeSafetensors({ w: new Float32Array(2_000_000).fill(1) }, { format: "pt" });
    writeFileSync(join(directory, "model.safetensors"), weights);
    const ref = await policies.import(directory, options);
    const usedBefore = usedBlocks(folder);
    const target = await policies.directory(ref);
    const path = join(target, "model.safetensors");
    expect(readFileSync(path)).toEqual(Buffer.from(weights));
    expect(statSync(path).mode & 0o222).toBe(0);
    expect(usedBlocks(folder) - usedBefore).toBeLessThan(1_000_000);
    const record = new LocalArtifactStore(join(folder, "record"));
    chmodSync(join(target, "config.json"), 0o644);
    writeFileSync(join(target, "config.json"), "edited in place");
    const manifest = JSON.parse(Buffer.from(await record.getBlob(present(ref.manifest))).toString()) as PolicyManifest;
    expect(Buffer.from(await record.getBlob(present(manifest.files["config.json"]))).toString()).toBe("{}");
  });

  test("that is held is there for an hour more; one whose weights or moments were let go cannot be held, and says why", async () => {
    const { policies, directory, folder } = setUp();
    writeFileSync(join(folder, "optimizer.safetensors"), "moments");
    const ref = await policies.import(directory, { ...options, optimizerState: join(folder, "optimizer.safetensors") });
    const store = new LocalArtifactStore(join(folder, "record"));
    const manifest = JSON.parse(Buffer.from(await store.getBlob(present(ref.manifest))).toString()) as PolicyManifest;
    const [weights, moments] = [present(manifest.files["model.safetensors"]), present(manifest.optimizerState ?? undefined)];
    const now = Date.now();
    await policies.hold(ref, { withMoments: true });
    expect(await store.removeBlob(weights.sha256, now - 1)).toBe(false);
    const letGo = async ({ sha256, numBytes, schema }: typeof weights) => {
      const note = { schemaVersion: 1, sha256, numBytes, schema, reason: "a test", droppedAt: "2026-01-02T03:04:05.000Z" };
      await store.putOnce(`dropped/${sha256}.json`, note);
      expect(await store.removeBlob(sha256, Date.now() + 1000)).toBe(true);
    };
    await letGo(moments);
    await policies.hold(ref, { withMoments: false });
    await expect(policies.hold(ref, { withMoments: true })).rejects.toMatchObject({ code: "store.dropped" });
    await letGo(weights);
    await expect(policies.hold(ref, { withMoments: false })).rejects.toMatchObject({
      code: "store.dropped",
      message: expect.stringContaining("dropped by retention on 2026-01-02: a test"),
    });
  });

  test("that only an endpoint knows has no directory", async () => {
    const { policies } = setUp();
    await expect(policies.directory({ name: "x", hash: "y", manifest: null })).rejects.toMatchObject({ code: "store.missing" });
  });
});

describe("what is not a policy", () => {
  test("is refused with what is missing", async () => {
    const { policies, folder } = setUp();
    await expect(policies.import(join(folder, "nowhere"), options)).rejects.toMatchObject({ code: "config.file-missing" });
    mkdirSync(join(folder, "empty"));
    await expect(policies.import(join(folder, "empty"), options)).rejects.toThrow(/config.json.*safetensors.*tokenizer.json/);
  });

  test.each([
    ["cut short", (bytes: Uint8Array) => bytes.slice(0, -1)],
    ["cut in its header", (bytes: Uint8Array) => bytes.slice(0, 20)],
    ["nothing", () => new Uint8Array(0)],
    ["something else", () => new TextEncoder().encode("version https://git-lfs.github.com/spec/v1")],
  ])("a checkpoint that is %s is refused as corrupt", async (_name, damage) => {
    const { directory, policies, weights } = setUp();
    writeFileSync(join(directory, "model.safetensors"), damage(weights));
    await expect(policies.import(directory, options)).rejects.toMatchObject({
      code: "contract.invalid",
      message: expect.stringContaining("corrupt"),
    });
  });
});
