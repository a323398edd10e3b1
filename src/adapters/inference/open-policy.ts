// The policy that a campaign names, with the server that holds it: config -> client, format, tokenizer.
import { join } from "node:path";
import type OpenAI from "openai";
import type { CanaryReport } from "#contracts/activities.ts";
import type { PolicyConfig } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { Trajectory } from "#contracts/trajectory.ts";
import { CampaignError } from "#core/errors.ts";
import type { Policy } from "#core/ports.ts";
import { promptFormat } from "#core/prompt-format/formats.ts";
import type { PromptFormat } from "#core/prompt-format/prompt-format.ts";
import { compareScores, pickStoredTurns, type StoredTurn } from "#core/rollout/canary.ts";
import type { PolicyStore } from "../policy-store/policy-store.ts";
import { readSecret, shellVariables } from "../settings.ts";
import { createChatPolicy } from "./chat-policy.ts";
import { createInferenceClient } from "./client.ts";
import { ADAPTER_CONFIG, type Asker, createEmbeddedServer, type PolicyServer, type ServablePolicy } from "./policy-server.ts";
import { createTokenPolicy } from "./token-policy.ts";
import { createTokenizer } from "./tokenizer.ts";
import { createStartedVllm, type VllmHost } from "./vllm/started-vllm.ts";
import { createVllmServer } from "./vllm/vllm-server.ts";

export interface OpenedPolicy {
  readonly policy: Policy;
  readonly server: PolicyServer;
  /** Makes the server hold these very weights; it may have restarted, or another campaign may have its turn. */
  ensureLoaded(signal: AbortSignal, asker?: Asker): Promise<void>;
  /**
   * Scores up to 64 turns again that this policy sampled in these trajectories (others are passed over).
   * throws  provider.wrong-weights when the server no longer says what it said then
   */
  checkStoredTurns(trajectories: readonly Trajectory[], signal: AbortSignal): Promise<CanaryReport>;
  /**
   * Scores the turns again that the trainer scored with the weights it left; null for a policy that it has not made.
   * throws  provider.wrong-weights when the server does not say what the trainer said
   */
  checkTrainedTurns(signal: AbortSignal): Promise<CanaryReport | null>;
}

export interface OpenPolicyContext {
  readonly policies: PolicyStore;
  /** Of the embedded policy server, without /v1. */
  readonly policyUrl: string;
  /** For keys; those of this process unless given. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Those of the task set that it plays, by name. */
  readonly formats: Readonly<Record<string, PromptFormat>>;
  /** Hosts beyond this machine where a policy may be served. */
  readonly policyHosts?: readonly string[];
  /** What starting vLLM needs; absent where it may not be started. */
  readonly vllm?: VllmHost;
  /** Told once what an endpoint is sent otherwise than it was set. */
  readonly onWarning?: (message: string) => void;
}

const NUM_CANARY_TURNS = 64;
/** Mean nats per token, by device: fp32 on a CPU repeats itself to 1e-6; bf16 kernels on a GPU differ among themselves by about 0.01. */
const CANARY_THRESHOLD = { float32: 1e-5, bfloat16: 2e-2 } as const;
/** Adapters that a vLLM which somebody else has started is left with. */
const NUM_KEPT_ADAPTERS = 4;
const MAX_OPEN = 16;

const opened = new Map<string, Promise<OpenedPolicy>>();
const clients = new Map<string, OpenAI>();

/** One per policy and process, so that connections and tokenized texts are shared. Does not speak to the server yet. */
export function openPolicy(config: PolicyConfig, ref: PolicyRef, context: OpenPolicyContext): Promise<OpenedPolicy> {
  const format = promptFormat(config.format, context.formats);
  const key = JSON.stringify([config, ref.name, ref.hash, context.policyUrl, format?.id ?? null]);
  const known = opened.get(key);
  if (known !== undefined) return known;
  const opening = config.type === "embedded" ? openEmbedded(config, ref, format, context) : openVllm(config, ref, context);
  if (opened.size >= MAX_OPEN) opened.clear();
  opened.set(key, opening);
  opening.catch(() => opened.delete(key));
  return opening;
}

async function openEmbedded(
  config: Extract<PolicyConfig, { type: "embedded" }>,
  ref: PolicyRef,
  format: PromptFormat | null,
  context: OpenPolicyContext,
): Promise<OpenedPolicy> {
  const client = clientOf({ baseUrl: new URL("/v1", context.policyUrl).href, allowedHosts: [] }, context);
  const files = await servable(ref, context);
  const { temperature, maxTokensPerTurn, maxContextTokens } = config;
  const limits = { temperature, maxTokensPerTurn, maxContextTokens };
  const tokenPolicy = (own: PromptFormat) =>
    createTokenPolicy({ client, ref, format: own, tokenizer: createTokenizer(join(files.directory, "tokenizer.json")), ...limits });
  const policy = format === null ? createChatPolicy({ client, ref, ...limits }) : tokenPolicy(format);
  return withServer(policy, createEmbeddedServer(client), { temperature, servedName: ref.name, context });
}

async function openVllm(
  config: Extract<PolicyConfig, { type: "vllm" }>,
  ref: PolicyRef,
  context: OpenPolicyContext,
): Promise<OpenedPolicy> {
  const client = clientOf({ baseUrl: config.baseUrl, apiKeyEnv: config.apiKeyEnv, allowedHosts: context.policyHosts ?? [] }, context);
  const files = await servable(ref, context);
  const isAdapter = ADAPTER_CONFIG in files.fileHashes;
  // A vLLM of our own calls its whole weights by the policy's name; one that runs already has its own name for them.
  const model = isAdapter || config.start !== undefined ? ref.name : config.model;
  const { temperature, maxTokensPerTurn, maxContextTokens, tokenLimitField, requestFields, sendsReasoning } = config;
  const limits = { temperature, maxTokensPerTurn, maxContextTokens, tokenLimitField };
  const policy = createChatPolicy({ client, ref, model, ...limits, requestFields, sendsReasoning, onWarning: context.onWarning });
  const served = { temperature, servedName: model, context };
  if (config.start === undefined) return withServer(policy, await connectedVllm(config, ref, { client, isAdapter, context }), served);
  const apiKey = keyOf(config, context);
  const server = createStartedVllm({ ...config, start: config.start }, files, { client, host: context.vllm, apiKey });
  return withServer({ ...policy, respond: (...turn) => server.use(() => policy.respond(...turn)) }, server, served);
}

async function connectedVllm(
  config: Extract<PolicyConfig, { type: "vllm" }>,
  ref: PolicyRef,
  { client, isAdapter, context }: { client: OpenAI; isAdapter: boolean; context: OpenPolicyContext },
): Promise<PolicyServer> {
  if (!isAdapter && (await context.policies.describe(ref)).parentHash !== null) {
    throw new CampaignError("provider.rejected", `${ref.name} has full weights, which a vLLM that runs already cannot take`, {
      next: "train adapters (policy.weights: lora), or let the worker start vLLM (policy.start: {})",
    });
  }
  return createVllmServer(client, { baseModel: config.model, maxAdapters: NUM_KEPT_ADAPTERS });
}

async function servable(ref: PolicyRef, context: OpenPolicyContext): Promise<ServablePolicy> {
  const [directory, { fileHashes, base }] = await Promise.all([context.policies.directory(ref), context.policies.describe(ref)]);
  return { name: ref.name, directory, fileHashes, base: base === null ? null : await servable(base, context) };
}

function keyOf({ apiKeyEnv }: { apiKeyEnv?: string | undefined }, { environment = shellVariables() }: OpenPolicyContext): string | null {
  return apiKeyEnv === undefined ? null : readSecret(apiKeyEnv, environment);
}

interface Served {
  readonly temperature: number;
  readonly servedName: string;
  readonly context: OpenPolicyContext;
}

function withServer(policy: Policy, server: PolicyServer, { temperature, servedName, context }: Served): OpenedPolicy {
  const { name, hash } = policy.ref;
  const compare = async (turns: readonly StoredTurn[], at: number, threshold: number, signal: AbortSignal) => {
    const scores = await Promise.all(turns.map((turn) => server.score(servedName, turn, at, signal)));
    return compareScores(name, turns, scores, threshold);
  };
  return {
    policy,
    server,
    // Its directory may have been collected since the policy was opened.
    ensureLoaded: async (signal, asker) => server.ensureLoaded(await servable(policy.ref, context), signal, asker),
    async checkStoredTurns(trajectories, signal) {
      const threshold = CANARY_THRESHOLD[await server.precision(signal)];
      return compare(pickStoredTurns(trajectories, hash, NUM_CANARY_TURNS), temperature, threshold, signal);
    },
    async checkTrainedTurns(signal) {
      const canary = await context.policies.canary(policy.ref);
      if (canary === null) return null;
      const threshold = Math.max(CANARY_THRESHOLD[await server.precision(signal)], CANARY_THRESHOLD[canary.precision]);
      return compare(canary.turns.slice(0, NUM_CANARY_TURNS), canary.temperature, threshold, signal);
    },
  };
}

function clientOf(
  endpoint: { baseUrl: string; apiKeyEnv?: string | undefined; allowedHosts: readonly string[] },
  context: OpenPolicyContext,
): OpenAI {
  const key = JSON.stringify(endpoint);
  const client = clients.get(key) ?? createInferenceClient({ ...endpoint, environment: context.environment ?? shellVariables() });
  clients.set(key, client);
  return client;
}
