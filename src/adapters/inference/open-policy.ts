// The policy that a campaign names, ready to be asked: which server, which format, which weights.
import { join } from "node:path";
import type { PolicyConfig } from "#contracts/campaign-config.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { Policy } from "#core/ports.ts";
import { compactFormat } from "#core/prompt-format/compact.ts";
import type { PolicyStore } from "../policy-store/policy-store.ts";
import { createChatPolicy } from "./chat-policy.ts";
import { createInferenceClient } from "./client.ts";
import { createPolicyServer, type PolicyServer } from "./policy-server.ts";
import { createTokenPolicy } from "./token-policy.ts";
import { createTokenizer } from "./tokenizer.ts";

export interface OpenPolicyOptions {
  readonly policies: PolicyStore;
  /** The embedded server's address, without a path. */
  readonly policyUrl: string;
}

export interface OpenPolicy {
  readonly policy: Policy;
  /** Loads the weights when the server does not have them (it may have restarted) and compares the hash it reports. */
  ensureLoaded(signal: AbortSignal): Promise<void>;
}

const opened = new Map<string, Promise<OpenPolicy>>();

/** One per policy and process: its connections and its tokenizer's memory are shared by all rollouts. */
export function openPolicy(config: PolicyConfig, ref: PolicyRef, options: OpenPolicyOptions): Promise<OpenPolicy> {
  const key = JSON.stringify([config, ref.hash, options.policyUrl]);
  const known = opened.get(key) ?? open(config, ref, options);
  opened.set(key, known);
  known.catch(() => opened.delete(key));
  return known;
}

async function open(config: PolicyConfig, ref: PolicyRef, { policies, policyUrl }: OpenPolicyOptions): Promise<OpenPolicy> {
  const directory = await policies.directory(ref);
  const server = createServer(config, policyUrl);
  const { temperature, maxTokensPerTurn, maxContextTokens } = config;
  const limits = { temperature, maxTokensPerTurn, maxContextTokens };
  const client = createInferenceClient(
    config.type === "embedded"
      ? { baseUrl: `${policyUrl}/v1`, environment: {}, isLoopbackOnly: true }
      : { baseUrl: config.baseUrl, apiKeyEnv: config.apiKeyEnv, environment: process.env },
  );
  const policy =
    config.format === "compact"
      ? createTokenPolicy({ client, ref, format: compactFormat, tokenizer: createTokenizer(join(directory, "tokenizer.json")), ...limits })
      : createChatPolicy({ client, ref, ...limits });
  return { policy, ensureLoaded: (signal) => server.ensureLoaded(ref, directory, signal) };
}
