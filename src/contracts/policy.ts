import { z } from "zod";
import { ArtifactRef, Sha256 } from "./artifact-ref.ts";
import { logprobList, tokenIdList } from "./number-lists.ts";

/** What workflows carry for a policy. `name` is what the server calls it: `<label>-<first 12 digits of the hash>`, never reused for other weights. */
export const PolicyRef = z
  .strictObject({
    name: z.string().min(1),
    hash: z.string().min(1),
    manifest: ArtifactRef.nullable().describe("PolicyManifest/1; null for a policy that only an endpoint knows"),
  })
  .meta({ id: "PolicyRef" });
export type PolicyRef = z.infer<typeof PolicyRef>;

/**
 * A policy version: the files of its directory, each by hash. `hash` is the sha256 of the canonical JSON of `files` (name -> sha256), so
 * equal weights and tokenizer give an equal hash.
 *
 * Full weights are a Hugging Face model directory: config.json, model.safetensors, tokenizer.json, …
 * A LoRA adapter is a directory as peft writes it and vLLM's `/v1/load_lora_adapter` reads it: adapter_config.json (whose
 * `base_model_name_or_path` is the hash of `base`, so that equal adapters of two bases have two hashes), adapter_model.safetensors, and the
 * base's tokenizer files. It is served under the policy's name on top of `base`, which is never an adapter itself.
 */
export const PolicyManifest = z
  .strictObject({
    schemaVersion: z.literal(1),
    hash: Sha256,
    files: z.record(z.string().regex(/^[A-Za-z0-9._-]+$/), ArtifactRef),
    parentHash: Sha256.nullable().describe("policy it was trained from"),
    optimizerState: ArtifactRef.nullable().describe("moments to go on from; not part of the hash"),
    canary: ArtifactRef.optional().describe(
      "PolicyCanary/1: what the trainer says of stored turns under these weights; not part of the hash",
    ),
    base: PolicyRef.optional().describe("the policy whose weights an adapter adds to; absent when the files are whole weights"),
  })
  .meta({ id: "PolicyManifest" });
export type PolicyManifest = z.infer<typeof PolicyManifest>;

/** What the trainer says of stored turns under the weights that it has left, so that whoever serves them can be held to it. */
export const PolicyCanary = z
  .strictObject({
    schemaVersion: z.literal(1),
    temperature: z.number().positive(),
    precision: z.enum(["float32", "bfloat16"]).describe("of the trainer's matrix products"),
    turns: z.array(
      z.strictObject({
        tokenIds: tokenIdList("up to the end of the turn"),
        start: z.int().positive().describe("where the turn's own tokens begin"),
        logprobs: logprobList("of the turn's own tokens, nats"),
      }),
    ),
  })
  .meta({ id: "PolicyCanary" });
export type PolicyCanary = z.infer<typeof PolicyCanary>;
