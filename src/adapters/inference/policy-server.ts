// The servers of policies behind one interface: which weights they hold, how new ones get in, what they say about stored turns.
// This file: `python -m policy_server`. vLLM is in vllm/.
import type OpenAI from "openai";
import { z } from "zod";
import type { PolicyCanary } from "#contracts/policy.ts";
import { CampaignError } from "#core/errors.ts";
import type { StoredTurn } from "#core/rollout/canary.ts";
import { callModel } from "./provider-error.ts";

/** A directory that a server should hold, and the hashes of its files: whole weights, or an adapter and the policy that it adds to. */
export interface ServablePolicy {
  readonly name: string;
  readonly directory: string;
  readonly fileHashes: Readonly<Record<string, string>>;
  readonly base: ServablePolicy | null;
}

type Precision = PolicyCanary["precision"];

/** For whom a server is asked for, where it is used by turns. */
export interface Asker {
  /** What others who wait are told, e.g. "campaign mine"; the policy's name unless given. */
  readonly holder?: string;
  /** Told who has the server, in a sentence without its full stop, whenever that changes. */
  readonly onWait?: (message: string) => void;
}

/** Every call throws provider.* errors, and the signal's reason when it is aborted. */
export interface PolicyServer {
  /** Resolves when the server answers. */
  checkHealth(signal: AbortSignal): Promise<void>;
  loadedPolicies(signal: AbortSignal): Promise<string[]>;
  /**
   * Makes the server hold these weights under the policy's name. Safe to repeat. provider.wrong-weights when it holds others.
   * A server that is used by turns is waited for.
   */
  ensureLoaded(policy: ServablePolicy, signal: AbortSignal, asker?: Asker): Promise<void>;
  /** Of its matrix products: what the canary's threshold depends on. */
  precision(signal: AbortSignal): Promise<Precision>;
  /** Log-probabilities of the sampled tokens of stored turns, at a temperature. */
  score(name: string, turn: StoredTurn, temperature: number, signal: AbortSignal): Promise<number[]>;
}

export const ADAPTER_CONFIG = "adapter_config.json";
const WEIGHTS = "model.safetensors";
const ADAPTER_WEIGHTS = "adapter_model.safetensors";

const WeightInfo = z.record(z.string(), z.string());
const Health = z.object({ precision: z.enum(["float32", "bfloat16"]) });
const Scores = z.object({ logprobs: z.array(z.number()) });

/** It loads directories below its policy root and checks the hash of every file before it answers. */
export function createEmbeddedServer(client: OpenAI): PolicyServer {
  const who = `policy server ${client.baseURL}`;
  const root = new URL("/", client.baseURL).href;
  const ask = <Answer>(signal: AbortSignal, schema: z.ZodType<Answer>, call: () => Promise<unknown>, canReappear = true) =>
    callModel({ who, signal, canReappear }, async () => schema.parse(await call()));
  // A server without these pages is another program, and stays one.
  const read = <Answer>(signal: AbortSignal, schema: z.ZodType<Answer>, page: string) =>
    ask(signal, schema, () => client.get(`${root}${page}`, { signal }), false);
  const heldWeights = (signal: AbortSignal) => read(signal, WeightInfo, "weight_info");
  const health = (signal: AbortSignal) => read(signal, Health, "health");
  const ensureLoaded = async (policy: ServablePolicy, signal: AbortSignal): Promise<void> => {
    const { name, base, fileHashes } = policy;
    const sha256 = fileHashes[base === null ? WEIGHTS : ADAPTER_WEIGHTS] ?? "";
    if ((await heldWeights(signal))[name] === undefined) {
      if (base !== null) await ensureLoaded(base, signal);
      const [path, body] = base === null ? wholeWeights(policy, sha256) : adapterOf(policy, base, sha256);
      await unlessAlreadyLoaded(() => ask(signal, z.unknown(), () => client.post(path, { body, signal })));
    }
    const held = (await heldWeights(signal))[name];
    if (held !== sha256)
      throw wrongWeights(name, `its server holds weights ${held?.slice(0, 12) ?? "of nobody"} under that name, not ${sha256.slice(0, 12)}`);
  };
  return {
    async checkHealth(signal) {
      await health(signal);
    },
    precision: async (signal) => (await health(signal)).precision,
    loadedPolicies: async (signal) => Object.keys(await heldWeights(signal)),
    ensureLoaded,
    async score(name, { tokenIds, start }, temperature, signal) {
      const body = { model: name, token_ids: tokenIds, spans: [[start, tokenIds.length]], temperature };
      return (await ask(signal, Scores, () => client.post("/score", { body, signal }))).logprobs;
    },
  };
}

function wholeWeights({ name, directory, fileHashes }: ServablePolicy, sha256: string): [string, unknown] {
  const { [WEIGHTS]: _, ...files } = fileHashes;
  return ["/load_policy", { name, path: directory, sha256, files }];
}

function adapterOf({ name, directory, fileHashes }: ServablePolicy, base: ServablePolicy, sha256: string): [string, unknown] {
  const { [ADAPTER_WEIGHTS]: _, ...files } = fileHashes;
  return ["/load_lora_adapter", { lora_name: name, lora_path: directory, base_model_name: base.name, sha256, files }];
}

/** Two who load the same adapter at the same moment: the second one is told so with an error, and it is as good. */
export async function unlessAlreadyLoaded(load: () => Promise<unknown>): Promise<void> {
  try {
    await load();
  } catch (error) {
    if (!(error instanceof CampaignError && /has already been loaded/.test(error.message))) throw error;
  }
}

export const wrongWeights = (name: string, what: string): CampaignError =>
  new CampaignError("provider.wrong-weights", `${name}: ${what}`, { next: "restart the policy server and resume" });
