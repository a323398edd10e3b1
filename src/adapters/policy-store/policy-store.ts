// Policies in the record and as model directories: what training writes is stored by hash, and what servers and trainers read is put back.
import { constants } from "node:fs";
import { chmod, copyFile, link, mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ArtifactRef } from "#contracts/artifact-ref.ts";
import { PolicyCanary, PolicyManifest, type PolicyRef } from "#contracts/policy.ts";
import { canonicalJson, hashJson } from "#core/canonical-json.ts";
import { CampaignError } from "#core/errors.ts";
import type { ArtifactStore } from "#core/ports.ts";
import { hashFile } from "../artifact-store/hash.ts";
import { parseContractJson } from "../record/parse-contract.ts";
import { checkSafetensors } from "./check-safetensors.ts";

/** What makes a policy; cards, logs and licences beside it do not change what it says. */
const MODEL_FILE =
  /^((generation_|tokenizer_|adapter_)?config|tokenizer|special_tokens_map|added_tokens|vocab|[\w.-]+\.safetensors\.index)\.json$|^merges\.txt$|\.(safetensors|jinja)$/;
const MANIFEST_SCHEMA = "PolicyManifest/1";

export interface ImportOptions {
  /** First part of the policy's name, e.g. the campaign's name. */
  readonly label: string;
  readonly parentHash: string | null;
  /** Path of the optimizer's moments, or null when there are none. */
  readonly optimizerState?: string | null;
  /** The policy that an adapter adds to; left out for whole weights. */
  readonly base?: PolicyRef | undefined;
  /** Path of what the trainer says of stored turns under these weights (PolicyCanary). */
  readonly canary?: string | undefined;
  /** These files are never written again, only replaced or removed: the record may share them instead of copying. */
  readonly isFinal?: boolean;
}

export interface PolicyDescription {
  /** sha256 of every file by name. */
  readonly fileHashes: Readonly<Record<string, string>>;
  /** The policy it was trained from: null for the one that a campaign began with. */
  readonly parentHash: string | null;
  /** The policy whose weights an adapter adds to; null for whole weights. */
  readonly base: PolicyRef | null;
}

export interface PolicyStore {
  /** A read-only model directory with the policy's files, each of which has its hash. */
  directory(ref: PolicyRef): Promise<string>;
  describe(ref: PolicyRef): Promise<PolicyDescription>;
  import(directory: string, options: ImportOptions): Promise<PolicyRef>;
  /** What the trainer says of stored turns under these weights, or null for a policy that it has not made. */
  canary(ref: PolicyRef): Promise<PolicyCanary | null>;
  /** A local path of the moments to go on from, or null. */
  optimizerState(ref: PolicyRef): Promise<string | null>;
  /**
   * Sees that a policy's weights are there, and with `withMoments` what to go on training from, and keeps them from being removed for the
   * next hour: for whoever is about to name it in a manifest anew (a fork, an evaluation). Throws store.dropped when retention let them go.
   */
  hold(ref: PolicyRef, options: { readonly withMoments: boolean }): Promise<void>;
}

/** `root` holds one directory per policy hash; everything in it can be made again from the record. Its files are hashed once a process. */
export function createPolicyStore(store: ArtifactStore, root: string): PolicyStore {
  const verified = new Map<string, Promise<string>>();
  return {
    async directory({ hash, manifest }) {
      const known = verified.get(hash);
      if (known !== undefined && (await isStillThere(known))) return known;
      const made = readManifest(store, manifest, hash).then((policy) => materialize(store, root, policy));
      verified.set(hash, made);
      made.catch(() => verified.delete(hash));
      return made;
    },
    async describe({ hash, manifest }) {
      const { files, parentHash, base = null } = await readManifest(store, manifest, hash);
      return { fileHashes: hashesOf(files), parentHash, base };
    },
    import: (directory, options) => importPolicyDirectory(store, directory, options),
    async canary({ hash, manifest }) {
      const { canary } = await readManifest(store, manifest, hash);
      return canary === undefined ? null : parseContractJson(PolicyCanary, await store.getBlob(canary), canary.uri);
    },
    async optimizerState({ hash, manifest }) {
      const { optimizerState } = await readManifest(store, manifest, hash);
      return optimizerState === null ? null : await store.localPath(optimizerState);
    },
    hold: (ref, options) => hold(store, ref, options.withMoments),
  };
}

/** Another process may have collected a directory that this one has verified. */
async function isStillThere(directory: Promise<string>): Promise<boolean> {
  return directory.then(stat).then(
    () => true,
    () => false,
  );
}

async function hold(store: ArtifactStore, { hash, manifest }: PolicyRef, withMoments: boolean): Promise<void> {
  if (manifest === null) return; // only its endpoint knows it
  const { files, optimizerState, canary, base } = await readManifest(store, manifest, hash);
  const moments = withMoments && optimizerState !== null ? [optimizerState] : [];
  for (const ref of [manifest, ...Object.values(files), ...moments, ...(canary === undefined ? [] : [canary])]) {
    if (!(await store.touchBlob(ref.sha256))) await store.localPath(ref); // says why it is not there
  }
  if (base !== undefined) await hold(store, base, false);
}

/** Stores the files of a model directory. Throws config.file-missing when it is none, contract.invalid when its weights are torn. */
export async function importPolicyDirectory(store: ArtifactStore, directory: string, options: ImportOptions): Promise<PolicyRef> {
  const names = await modelFiles(directory);
  const files: Record<string, ArtifactRef> = {};
  const { isFinal = false } = options;
  for (const name of names) files[name] = await store.putBlobFile(join(directory, name), "ModelFile/1", { isFinal });
  if (names.includes("adapter_config.json") && options.base === undefined) throw isNoWholePolicy(directory);
  const { label, parentHash, optimizerState = null, base, canary } = options;
  const hash = policyHash(files);
  const manifest: PolicyManifest = {
    schemaVersion: 1,
    hash,
    files,
    parentHash,
    optimizerState: optimizerState === null ? null : await store.putBlobFile(optimizerState, "OptimizerState/1", { isFinal }),
    ...(base === undefined ? {} : { base }),
    ...(canary === undefined ? {} : { canary: await store.putBlobFile(canary, "PolicyCanary/1") }),
  };
  const bytes = new TextEncoder().encode(canonicalJson(manifest));
  return { name: `${label}-${hash.slice(0, 12)}`, hash, manifest: await store.putBlob(bytes, MANIFEST_SCHEMA) };
}

const isNoWholePolicy = (directory: string): CampaignError =>
  new CampaignError("config.invalid", `${directory} is an adapter: by itself it says nothing`, {
    next: "add it into the weights of its base with `python -m trainer merge BASE ADAPTER OUTPUT`, and name OUTPUT as the checkpoint",
  });

const policyHash = (files: PolicyManifest["files"]): string => hashJson(hashesOf(files));

function hashesOf(files: PolicyManifest["files"]): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, { sha256 }]) => [name, sha256]));
}

/** The files that make the policy. Throws config.file-missing when it is no model directory, contract.invalid when its weights are torn. */
export async function modelFiles(directory: string): Promise<string[]> {
  const all = await readdir(directory).catch(() => {
    throw new CampaignError("config.file-missing", `there is no model directory ${directory}`, {
      next: "check policy.checkpoint",
    });
  });
  const names = all.filter((name) => MODEL_FILE.test(name)).sort();
  const missing = [/^(adapter_)?config\.json$/, /\.safetensors$/, /^tokenizer\.json$/].filter(
    (pattern) => !names.some((name) => pattern.test(name)),
  );
  if (missing.length > 0) {
    throw new CampaignError(
      "config.file-missing",
      `${directory} is not a model directory: it has no ${missing.map((pattern) => pattern.source.replace(/[\\^$]/g, "")).join(", ")}`,
    );
  }
  for (const name of names.filter((name) => name.endsWith(".safetensors"))) await checkSafetensors(join(directory, name));
  return names;
}

async function readManifest(store: ArtifactStore, ref: ArtifactRef | null, hash: string): Promise<PolicyManifest> {
  if (ref === null) throw new CampaignError("store.missing", `policy ${hash} has no files in the record: only its endpoint knows it`);
  const manifest = parseContractJson(PolicyManifest, await store.getBlob(ref), ref.uri);
  if (manifest.hash === hash && policyHash(manifest.files) === hash) return manifest;
  throw new CampaignError("store.corrupt", `the manifest of policy ${hash} describes other files`);
}

/** The policy's directory: as it is when all its files have their hashes, else made anew and moved into place. */
async function materialize(store: ArtifactStore, root: string, policy: PolicyManifest): Promise<string> {
  const target = join(root, policy.hash);
  if ((await tornFiles(target, policy)).length === 0) return target;
  await mkdir(root, { recursive: true });
  const temporary = await mkdtemp(join(root, ".making-"));
  try {
    for (const [name, ref] of Object.entries(policy.files)) await share(await store.localPath(ref), join(temporary, name), ref.numBytes);
    await putInPlace(temporary, target, policy);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return target;
}

/** Smaller files are copied: people do edit a config.json, and nobody edits weights. */
const SHARED_FROM_BYTES = 1_000_000;

/** A read-only file of the blob's bytes that takes no room where the file system can: blocks in common, else another name, else a copy. */
async function share(blob: string, target: string, numBytes: number): Promise<void> {
  if (numBytes < SHARED_FROM_BYTES) return await copyFile(blob, target);
  const cloned = await succeeds(copyFile(blob, target, constants.COPYFILE_FICLONE_FORCE));
  if (!cloned && !(await succeeds(link(blob, target)))) await copyFile(blob, target);
  await chmod(target, 0o444);
}

const succeeds = (work: Promise<void>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

/**
 * The whole directory at once where there is none. Where there is one, another process was faster, or it is torn: what is torn is
 * replaced file by file. Nothing is ever removed, so no process takes away what another one has just put there.
 */
async function putInPlace(temporary: string, target: string, policy: PolicyManifest): Promise<void> {
  const isMoved = await succeeds(rename(temporary, target));
  if (isMoved) return;
  for (const name of await tornFiles(target, policy)) await rename(join(temporary, name), join(target, name)).catch(() => undefined);
  const torn = await tornFiles(target, policy);
  if (torn.length > 0)
    throw new CampaignError("store.unavailable", `cannot put ${torn.join(", ")} of policy ${policy.hash} into ${target}`, {
      next: "remove that directory: it is made again from the record",
    });
}

/** Names of the files that are missing or have another hash. */
async function tornFiles(directory: string, { files }: PolicyManifest): Promise<string[]> {
  const checks = Object.entries(files).map(async ([name, { sha256, numBytes }]) => {
    const path = join(directory, name);
    const info = await stat(path).catch(() => null);
    const isIntact = info?.size === numBytes && (await hashFile(path)).sha256 === sha256;
    return isIntact ? [] : [name];
  });
  return (await Promise.all(checks)).flat();
}
