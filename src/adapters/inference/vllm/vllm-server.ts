// A running vLLM: adapters go in and out by /v1/load_lora_adapter under names that contain their policy's hash; whole weights are what it
// was started with. It must run with --enable-lora, VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 and --logprobs-mode processed_logprobs.
import { basename } from "node:path";
import type OpenAI from "openai";
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import { ADAPTER_CONFIG, type PolicyServer, type ServablePolicy, unlessAlreadyLoaded, wrongWeights } from "../policy-server.ts";
import { callModel } from "../provider-error.ts";

export interface VllmServerOptions {
  /** What the server calls the whole weights that it was started with. */
  readonly baseModel: string;
  /** Adapters that this process has loaded and leaves loaded; the least recently used ones beyond are unloaded. */
  readonly maxAdapters: number;
}

const ModelCard = z.object({ id: z.string(), root: z.string().nullish(), parent: z.string().nullish() });
type ModelCard = z.infer<typeof ModelCard>;
const ModelList = z.object({ data: z.array(ModelCard) });
const PromptScores = z.object({
  choices: z.array(z.object({ prompt_logprobs: z.array(z.record(z.string(), z.object({ logprob: z.number() })).nullable()) })).min(1),
});

/** Names that this process has loaded, by server; the one used last comes last. */
const loadedAdapters = new Map<string, Set<string>>();

export function createVllmServer(client: OpenAI, { baseModel, maxAdapters }: VllmServerOptions): PolicyServer {
  const who = `vLLM at ${client.baseURL}`;
  const ask = <Answer>(signal: AbortSignal, call: () => Promise<Answer>) => callModel({ who, signal, canReappear: true }, call);
  // A 404 for a model may heal, one for the list of models is a wrong address.
  const cards = (signal: AbortSignal) =>
    callModel({ who, signal, canReappear: false }, async () => ModelList.parse(await client.get("/models", { signal })).data);
  const cardOf = async (name: string, signal: AbortSignal) => (await cards(signal)).find(({ id }) => id === name);
  const loaded = adaptersAt(client.baseURL);

  const loadAdapter = async ({ name, directory }: ServablePolicy, signal: AbortSignal): Promise<ModelCard> => {
    const body = { lora_name: name, lora_path: directory };
    await unlessAlreadyLoaded(() => ask(signal, () => client.post("/load_lora_adapter", { body, signal })));
    const card = await cardOf(name, signal);
    if (card === undefined) throw wrongWeights(name, `${who} says that it has loaded the adapter, and does not list it`);
    return card;
  };
  const unloadOldest = async (signal: AbortSignal): Promise<void> => {
    const oldest = [...loaded].slice(0, Math.max(0, loaded.size - maxAdapters));
    for (const name of oldest) {
      loaded.delete(name);
      const body = { lora_name: name };
      await ask(signal, () => client.post("/unload_lora_adapter", { body, signal })).catch(ignoreMissing);
    }
  };

  return {
    async checkHealth(signal) {
      await ask(signal, () => client.get(new URL("/health", client.baseURL).href, { signal }));
    },
    // It does not say. Its float32 would be held to the wider threshold, too.
    precision: async () => "bfloat16",
    loadedPolicies: async (signal) => (await cards(signal)).map(({ id }) => id),
    async ensureLoaded(policy, signal) {
      checkName(policy);
      if (!(ADAPTER_CONFIG in policy.fileHashes)) return checkBase(policy, await cards(signal), { baseModel, who });
      const card = (await cardOf(policy.name, signal)) ?? (await loadAdapter(policy, signal));
      checkRoot(policy, card);
      loaded.delete(policy.name);
      loaded.add(policy.name);
      await unloadOldest(signal);
    },
    async score(name, { tokenIds, start }, temperature, signal) {
      if (temperature !== 1) throw new CampaignError("config.invalid", "vLLM scores prompts at temperature 1 only");
      const body = {
        model: name,
        prompt: tokenIds,
        max_tokens: 1,
        prompt_logprobs: 0,
      } as unknown as OpenAI.CompletionCreateParamsNonStreaming;
      const answer = await ask(signal, async () => PromptScores.parse(await client.completions.create(body, { signal })));
      return tokenIds
        .slice(start)
        .map((id, offset) => answer.choices[0]?.prompt_logprobs[start + offset]?.[String(id)]?.logprob ?? Number.NaN);
    },
  };
}

function adaptersAt(address: string): Set<string> {
  const names = loadedAdapters.get(address) ?? new Set();
  loadedAdapters.set(address, names);
  return names;
}

/** Whole weights cannot be put into a running vLLM: they must be what it was started with. Re-scoring tells whether they are. */
function checkBase(policy: ServablePolicy, cards: readonly ModelCard[], { baseModel, who }: { baseModel: string; who: string }): void {
  const card = cards.find(({ id }) => id === baseModel);
  if (card === undefined) {
    throw new CampaignError("provider.rejected", `${who} serves ${cards.map(({ id }) => id).join(", ") || "nothing"}, not ${baseModel}`, {
      next: "start it with the model that the campaign file names",
    });
  }
  if (baseModel === policy.name) checkRoot(policy, card);
}

/** A name is all by which requests tell one set of weights from another. */
function checkName({ name, directory }: ServablePolicy): void {
  const digits = basename(directory).slice(0, 12);
  if (!name.includes(digits))
    throw new CampaignError("contract.invalid", `${name} does not contain the digits of its policy's hash, ${digits}`);
}

/** A policy's directory is called by its hash, and vLLM lists the directory from which it loaded a name. */
function checkRoot({ name, directory }: ServablePolicy, { root }: ModelCard): void {
  if (root && basename(root) !== basename(directory))
    throw wrongWeights(name, `its server has loaded ${root} under that name, not ${directory}`);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof CampaignError && error.code === "provider.model-missing")) throw error;
}
