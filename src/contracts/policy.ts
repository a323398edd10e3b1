import { z } from "zod";
import { ArtifactRef, Sha256 } from "./artifact-ref.ts";

/**
 * A policy version: the files of a Hugging Face model directory (config.json, model.safetensors, tokenizer.json, …), each by hash.
 * `hash` is the sha256 of the canonical JSON of `files` (name -> sha256), so equal weights and tokenizer give an equal hash.
 */
export const PolicyManifest = z
  .strictObject({
    schemaVersion: z.literal(1),
    hash: Sha256,
    files: z.record(z.string().regex(/^[A-Za-z0-9._-]+$/), ArtifactRef),
    parentHash: Sha256.nullable().describe("policy it was trained from"),
    optimizerState: ArtifactRef.nullable().describe("moments to go on from; not part of the hash"),
  })
  .meta({ id: "PolicyManifest" });
export type PolicyManifest = z.infer<typeof PolicyManifest>;

/** What workflows carry for a policy. `name` is what the server calls it: `<label>-<first 12 digits of the hash>`, never reused for other weights. */
export const PolicyRef = z
  .strictObject({
    name: z.string().min(1),
    hash: z.string().min(1),
    manifest: ArtifactRef.nullable().describe("PolicyManifest/1; null for a policy that only an endpoint knows"),
  })
  .meta({ id: "PolicyRef" });
export type PolicyRef = z.infer<typeof PolicyRef>;
