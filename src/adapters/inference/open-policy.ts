// The policy that a campaign names, with the server that holds it: config -> client, format, tokenizer.
import { join } from "node:path";
import type OpenAI from "openai";
import type { PolicyConfig } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { CampaignError } from "#core/errors.ts";
import type { Policy } from "#core/ports.ts";
import { compactFormat } from "#core/prompt-format/compact.ts";
import { type CanaryReport, compareScores, pickStoredTurns } from "#core/rollout/canary.ts";
import type { PolicyStore } from "../policy-store/policy-store.ts";
import { createChatPolicy } from "./chat-policy.ts";
import { createInferenceClient } from "./client.ts";
import { createEmbeddedServer, createVllmServer, type PolicyServer } from "./policy-server.ts";
import { createTokenPolicy } from "./token-policy.ts";
import { createTokenizer } from "./tokenizer.ts";

export interface OpenedPolicy {
  readonly policy: Policy;
  readonly server: PolicyServer;
  /** Makes the server hold these very weights; it may have restarted. */
  ensureLoaded(signal: AbortSignal): Promise<void>;
  /**
   * Scores up to 64 turns again that this policy sampled in these trajectories (others are passed over).
   * throws  provider.wrong-weights when the server no longer says what it said then
   */
  checkStoredTurns(trajectories: readonly Trajectory[], signal: AbortSignal): Promise<CanaryReport>;
}

export interface OpenPolicyContext {
  readonly policies: PolicyStore;
  /** Of the embedded policy server, without /v1. */
  readonly policyUrl: string;
  /** For keys; process.env unless given. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

const NUM_CANARY_TURNS = 64;
/** Mean nats per token: fp32 on one machine repeats itself; bf16 stacks differ by about 0.01 between kernels. */
const CANARY_THRESHOLD = { embedded: 1e-4, vllm: 2e-2 } as const;
const MAX_OPEN = 16;

const opened = new Map<string, Promise<OpenedPolicy>>();
const clients = new Map<string, OpenAI>();

/** One per policy and process, so that connections and tokenized texts are shared. Does not speak to the server yet. */
export function openPolicy(config: PolicyConfig, ref: PolicyRef, context: OpenPolicyContext): Promise<OpenedPolicy> {
  const key = JSON.stringify([config, ref.name, ref.hash, context.policyUrl]);
  const known = opened.get(key);
  if (known !== undefined) return known;
  const opening = config.type === "embedded" ? openEmbedded(config, ref, context) : openVllm(config, ref, context);
  if (opened.size >= MAX_OPEN) opened.clear();
  opened.set(key, opening);
  opening.catch(() => opened.delete(key));
  return opening;
}

async function openEmbedded(
  config: Extract<PolicyConfig, { type: "embedded" }>,
  ref: PolicyRef,
  context: OpenPolicyContext,
): Promise<OpenedPolicy> {
  const client = clientOf({ baseUrl: new URL("/v1", context.policyUrl).href, isLoopbackOnly: true }, context);
  const { directory, fileHashes } = await filesOf(ref, context);
  const { temperature, maxTokensPerTurn, maxContextTokens } = config;
  const limits = { temperature, maxTokensPerTurn, maxContextTokens };
  const tokenPolicy = () =>
    createTokenPolicy({ client, ref, format: compactFormat, tokenizer: createTokenizer(join(directory, "tokenizer.json")), ...limits });
  const policy = config.format === "compact" ? tokenPolicy() : createChatPolicy({ client, ref, ...limits });
  return withServer(policy, ref.name, createEmbeddedServer(client), { directory, fileHashes }, temperature, CANARY_THRESHOLD.embedded);
}

async function openVllm(
  config: Extract<PolicyConfig, { type: "vllm" }>,
  ref: PolicyRef,
  context: OpenPolicyContext,
): Promise<OpenedPolicy> {
  const client = clientOf({ baseUrl: config.baseUrl, apiKeyEnv: config.apiKeyEnv }, context);
  const files = await filesOf(ref, context);
  const isAdapter = "adapter_config.json" in files.fileHashes;
  if (!isAdapter && files.parentHash !== null) {
    throw new CampaignError("provider.rejected", `${ref.name} has full weights, which a running vLLM cannot take`, {
      next: "train adapters: policy.weights: lora",
    });
  }
  const model = isAdapter ? ref.name : config.model;
  const { temperature, maxTokensPerTurn, maxContextTokens } = config;
  const policy = createChatPolicy({ client, ref, model, temperature, maxTokensPerTurn, maxContextTokens });
  return withServer(policy, model, createVllmServer(client, config.model), files, temperature, CANARY_THRESHOLD.vllm);
}

async function filesOf(ref: PolicyRef, { policies }: OpenPolicyContext) {
  return { directory: await policies.directory(ref), ...(await policies.describe(ref)) };
}

function withServer(
  policy: Policy,
  servedName: string,
  server: PolicyServer,
  files: { directory: string; fileHashes: Readonly<Record<string, string>> },
  temperature: number,
  threshold: number,
): OpenedPolicy {
  const { name, hash } = policy.ref;
  return {
    policy,
    server,
    ensureLoaded: (signal) => server.ensureLoaded({ name, ...files }, signal),
    async checkStoredTurns(trajectories, signal) {
      const turns = pickStoredTurns(trajectories, hash, NUM_CANARY_TURNS);
      const scores = await Promise.all(turns.map((turn) => server.score(servedName, turn, temperature, signal)));
      return compareScores(name, turns, scores, threshold);
    },
  };
}

function clientOf(
  endpoint: { baseUrl: string; apiKeyEnv?: string | undefined; isLoopbackOnly?: boolean },
  context: OpenPolicyContext,
): OpenAI {
  const key = JSON.stringify(endpoint);
  const client = clients.get(key) ?? createInferenceClient({ ...endpoint, environment: context.environment ?? process.env });
  clients.set(key, client);
  return client;
}
