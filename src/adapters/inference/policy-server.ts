// The servers of policies behind one interface: which weights they hold, how new ones get in, what they say about stored turns.
import type OpenAI from "openai";
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import type { StoredTurn } from "#core/rollout/canary.ts";
import { callModel } from "./provider-error.ts";

/** A model directory that a server should hold, and the hashes of its files. */
export interface ServablePolicy {
  readonly name: string;
  readonly directory: string;
  readonly fileHashes: Readonly<Record<string, string>>;
}

/** Every call throws provider.* errors, and the signal's reason when it is aborted. */
export interface PolicyServer {
  /** Resolves when the server answers. */
  checkHealth(signal: AbortSignal): Promise<void>;
  loadedPolicies(signal: AbortSignal): Promise<string[]>;
  /** Makes the server hold these weights under the policy's name. Safe to repeat. provider.wrong-weights when it holds others. */
  ensureLoaded(policy: ServablePolicy, signal: AbortSignal): Promise<void>;
  /** Log-probabilities of the sampled tokens of stored turns, at a temperature. */
  score(name: string, turn: StoredTurn, temperature: number, signal: AbortSignal): Promise<number[]>;
}

const ModelList = z.object({ data: z.array(z.object({ id: z.string() })) });
const WeightInfo = z.record(z.string(), z.string());
const Loaded = z.object({ name: z.string(), sha256: z.string() });
const Scores = z.object({ logprobs: z.array(z.number()) });

const WEIGHTS = "model.safetensors";

/** `python -m trainer serve`. It loads directories below its policy root and checks the hash of every file before it answers. */
export function createEmbeddedServer(client: OpenAI): PolicyServer {
  const who = `policy server ${client.baseURL}`;
  const root = new URL("/", client.baseURL).href;
  const ask = <Answer>(signal: AbortSignal, schema: z.ZodType<Answer>, call: () => Promise<unknown>) =>
    callModel({ who, signal, canReappear: true }, async () => schema.parse(await call()));
  return {
    async checkHealth(signal) {
      await ask(signal, z.object({}), () => client.get(`${root}health`, { signal }));
    },
    loadedPolicies: (signal) => listModels(client, who, signal),
    async ensureLoaded({ name, directory, fileHashes }, signal) {
      const held = await ask(signal, WeightInfo, () => client.get(`${root}weight_info`, { signal }));
      const { [WEIGHTS]: sha256 = "", ...files } = fileHashes;
      const body = { name, path: directory, sha256, files };
      const actual = held[name] ?? (await ask(signal, Loaded, () => client.post("/load_policy", { body, signal }))).sha256;
      if (actual !== sha256)
        throw wrongWeights(name, `its server holds weights ${actual.slice(0, 12)} under that name, not ${sha256.slice(0, 12)}`);
    },
    async score(name, { tokenIds, start }, temperature, signal) {
      const body = { model: name, token_ids: tokenIds, spans: [[start, tokenIds.length]], temperature };
      return (await ask(signal, Scores, () => client.post("/score", { body, signal }))).logprobs;
    },
  };
}

const PromptScores = z.object({
  choices: z.array(z.object({ prompt_logprobs: z.array(z.record(z.string(), z.object({ logprob: z.number() })).nullable()) })).min(1),
});

/**
 * vLLM, started with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=1. A LoRA directory is loaded under the policy's name; any other
 * directory must be the base model that the server was started with, called `baseModel` (its weights are only checked by re-scoring).
 */
export function createVllmServer(client: OpenAI, baseModel: string): PolicyServer {
  const who = `vLLM at ${client.baseURL}`;
  return {
    async checkHealth(signal) {
      await callModel({ who, signal, canReappear: true }, () => client.get(new URL("/health", client.baseURL).href, { signal }));
    },
    loadedPolicies: (signal) => listModels(client, who, signal),
    async ensureLoaded({ name, directory, fileHashes }, signal) {
      const held = await listModels(client, who, signal);
      if (held.includes(name)) return;
      if ("adapter_config.json" in fileHashes) {
        const body = { lora_name: name, lora_path: directory };
        await callModel({ who, signal, canReappear: true }, () => client.post("/load_lora_adapter", { body, signal }));
      } else if (!held.includes(baseModel)) {
        throw new CampaignError("provider.rejected", `${who} serves ${held.join(", ") || "nothing"}, not ${baseModel}`, {
          next: "start it with the model that the campaign file names",
        });
      }
    },
    async score(name, { tokenIds, start }, temperature, signal) {
      if (temperature !== 1) throw new CampaignError("config.invalid", "vLLM scores prompts at temperature 1 only");
      const body = {
        model: name,
        prompt: tokenIds,
        max_tokens: 1,
        prompt_logprobs: 0,
      } as unknown as OpenAI.CompletionCreateParamsNonStreaming;
      const answer = await callModel({ who, signal, canReappear: true }, async () =>
        PromptScores.parse(await client.completions.create(body, { signal })),
      );
      return tokenIds
        .slice(start)
        .map((id, offset) => answer.choices[0]?.prompt_logprobs[start + offset]?.[String(id)]?.logprob ?? Number.NaN);
    },
  };
}

async function listModels(client: OpenAI, who: string, signal: AbortSignal): Promise<string[]> {
  const answer = await callModel({ who, signal, canReappear: true }, async () => ModelList.parse(await client.get("/models", { signal })));
  return answer.data.map(({ id }) => id);
}

const wrongWeights = (name: string, what: string): CampaignError =>
  new CampaignError("provider.wrong-weights", `${name}: ${what}`, { next: "restart the policy server and resume" });
