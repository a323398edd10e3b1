// The command line and the environment of `vllm serve` for one set of whole weights.
import type { PolicyConfig } from "#contracts/campaign-config.ts";

type VllmConfig = Extract<PolicyConfig, { type: "vllm" }>;

export interface VllmLaunch {
  readonly config: VllmConfig & { readonly start: NonNullable<VllmConfig["start"]> };
  /** The executable: a path, or a name on PATH. */
  readonly program: string;
  readonly modelDirectory: string;
  /** What requests call the model: the policy's name, which contains its hash. */
  readonly servedName: string;
  /** Adapters are loaded from below this folder only. */
  readonly policyRoot: string;
  /** The key that requests must carry, from the environment variable that the campaign file names. It never stands on a command line. */
  readonly apiKey: string | null;
}

/** `vllm serve …`, on the address of `baseUrl`. */
export function vllmCommand({ config, program, modelDirectory, servedName }: VllmLaunch): [string, ...string[]] {
  const { start, weights, maxContextTokens } = config;
  const { hostname, port } = new URL(config.baseUrl);
  const held = String(start.maxAdapters);
  const adapters =
    weights === "lora"
      ? ["--enable-lora", "--max-loras", held, "--max-cpu-loras", held, "--max-lora-rank", String(start.maxAdapterRank)]
      : [];
  return [
    ...([program, "serve", modelDirectory, "--served-model-name", servedName] as const),
    ...["--host", hostname.replace(/^\[|\]$/g, ""), "--port", port || "80"],
    ...["--dtype", start.dtype, "--max-model-len", String(maxContextTokens)],
    ...["--gpu-memory-utilization", String(start.gpuMemoryUtilization), "--tensor-parallel-size", String(start.tensorParallelSize)],
    // Log-probabilities of the distribution that was sampled from, and no sampling defaults of the model's own (top_k, top_p, …).
    ...["--logprobs-mode", "processed_logprobs", "--generation-config", "vllm"],
    ...["--enable-prefix-caching", "--enable-auto-tool-choice", "--tool-call-parser", start.toolCallParser],
    ...adapters,
  ];
}

export function vllmEnvironment({ config, policyRoot, apiKey }: VllmLaunch): Record<string, string> {
  return {
    ...(config.weights === "lora" ? { VLLM_ALLOW_RUNTIME_LORA_UPDATING: "1", VLLM_RUNTIME_LORA_ALLOWED_PATH_PREFIXES: policyRoot } : {}),
    ...(config.start.isBatchInvariant ? { VLLM_BATCH_INVARIANT: "1" } : {}),
    ...(apiKey === null ? {} : { VLLM_API_KEY: apiKey }),
    VLLM_NO_USAGE_STATS: "1",
    DO_NOT_TRACK: "1",
    HF_HUB_OFFLINE: "1",
  };
}
