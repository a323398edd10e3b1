// What storing large weights costs in time and room, beside copying them as release 0.1.0 did, and how fast a collection reads the record.
import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { copyTemporary, linkOnce } from "../src/adapters/artifact-store/durable-file.ts";
import { createPolicyStore } from "../src/adapters/policy-store/policy-store.ts";
import { openRecord } from "../src/adapters/record/open-record.ts";
import { collectGarbage } from "../src/adapters/retention/collect-garbage.ts";
import { encodeSafetensors } from "../src/adapters/trainer-process/safetensors.ts";
import type { ArtifactRef } from "../src/contracts/artifact-ref.ts";
import type { ArtifactStore } from "../src/core/ports.ts";
import { type BenchmarkOptions, type BenchmarkReport, type BenchmarkRow, describeDevice, rateRow } from "./report.ts";

const PEER = "a copy of every file, as in 0.1.0";

export async function run({ isQuick }: BenchmarkOptions): Promise<BenchmarkReport> {
  const folder = await mkdtemp(join(tmpdir(), "turnwise-bench-"));
  try {
    const numBytes = isQuick ? 30_000_000 : 300_000_000;
    const rows = [...(await measureWeights(folder, numBytes)), await measureCollection(join(folder, "many"), isQuick ? 1_000 : 10_000)];
    return { benchmark: "record", device: describeDevice(), rows };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A trained policy of one large file: stored, stored again, and put in place for its server. */
async function measureWeights(folder: string, numBytes: number): Promise<BenchmarkRow[]> {
  const model = join(folder, "model");
  await mkdir(model, { recursive: true });
  const weights = new Float32Array(numBytes / 4).map((_, index) => index);
  await writeFile(join(model, "model.safetensors"), encodeSafetensors({ weights }, { format: "pt" }), { flush: true }); // as the trainer does
  for (const name of ["config.json", "tokenizer.json"]) await writeFile(join(model, name), "{}");
  const { store } = openRecord(join(folder, "record"));
  const policies = createPolicyStore(store, join(folder, "policies"));
  const peerRoot = join(folder, "peer");

  const used = async () => await diskUsage(folder);
  const start = await used();
  const first = await timed(() => policies.import(model, { label: "bench", parentHash: null, isFinal: true }));
  const again = await timed(() => policies.import(model, { label: "bench", parentHash: null, isFinal: true }));
  const placed = await timed(() => policies.directory(first.value));
  const ours = (await used()) - start;
  const peerFirst = await timed(() => copyIntoRecord(peerRoot, join(model, "model.safetensors")));
  const peerAgain = await timed(() => copyIntoRecord(peerRoot, join(model, "model.safetensors")));
  const peerPlaced = await timed(() => copyIntoPlace(openRecord(peerRoot).store, peerFirst.value, join(folder, "peer-policy")));
  const peer = (await used()) - start - ours;

  const rate = (name: string, seconds: number, peerSeconds: number) =>
    rateRow(name, "MB/s", numBytes / 1e6 / seconds, { value: numBytes / 1e6 / peerSeconds, name: PEER });
  return [
    rate("a trained policy is stored", first.seconds, peerFirst.seconds),
    rate("the same bytes are stored again", again.seconds, peerAgain.seconds),
    rate("a policy is put in place", placed.seconds, peerPlaced.seconds),
    {
      case: "room taken beside the export, per byte of weights",
      unit: "bytes",
      ours: ours / numBytes,
      peer: peer / numBytes,
      peerName: PEER,
      ratio: peer / Math.max(ours, 1),
    },
  ];
}

async function copyIntoRecord(root: string, source: string): Promise<ArtifactRef> {
  const { path, sha256, numBytes } = await copyTemporary(join(root, "tmp"), source);
  const uri = `blobs/sha256/${sha256.slice(0, 2)}/${sha256}`;
  await linkOnce(path, join(root, uri));
  return { uri, sha256, numBytes, schema: "ModelFile/1" };
}

async function copyIntoPlace(store: ArtifactStore, ref: ArtifactRef, target: string): Promise<void> {
  await mkdir(target);
  await copyFile(await store.localPath(ref), join(target, "model.safetensors"));
}

/** A dry run over groups, each a manifest and a blob that it names: nothing to free, everything to read. */
async function measureCollection(root: string, numGroups: number): Promise<BenchmarkRow> {
  const recordRoot = join(root, "record");
  const blobs = join(recordRoot, "blobs", "sha256", "00");
  const groups = join(recordRoot, "campaigns", "bench", "iterations", "0001", "groups", "train");
  await Promise.all([blobs, groups].map((folder) => mkdir(folder, { recursive: true })));
  for (let index = 0; index < numGroups; index += 1) {
    const sha256 = `00${createHash("sha256").update(randomUUID()).digest("hex").slice(2)}`;
    const trajectories = { uri: `blobs/sha256/00/${sha256}`, sha256, numBytes: 1, schema: "Trajectories/1" };
    await writeFile(join(blobs, sha256), "x");
    await writeFile(join(groups, `task-${index}.json`), JSON.stringify({ schemaVersion: 1, taskId: `task-${index}`, trajectories }));
  }
  const options = { ...openRecord(recordRoot), policyRoot: join(root, "policies"), jobRoot: join(root, "jobs"), now: Date.now() };
  const { seconds } = await timed(() => collectGarbage({ ...options, isDryRun: true }));
  return rateRow("gc reads a record", "groups/s", numGroups / seconds, null);
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; seconds: number }> {
  const start = performance.now();
  const value = await work();
  return { value, seconds: (performance.now() - start) / 1000 };
}

/** Bytes on disk, a file with several names once. */
async function diskUsage(folder: string): Promise<number> {
  const { stdout } = await promisify(execFile)("du", ["-sk", folder]);
  return Number(stdout.split("\t")[0]) * 1024;
}
