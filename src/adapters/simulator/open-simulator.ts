// The user simulator that a campaign names.
import type { SimulatorConfig } from "#contracts/campaign-config.ts";
import type { UserSimulator } from "#core/ports.ts";
import { scriptedSimulator } from "#core/simulator/scripted.ts";
import { createInferenceClient } from "../inference/client.ts";
import { createLlmSimulator } from "./llm.ts";

const opened = new Map<string, UserSimulator>();

/** One per config and process, so that its connections are shared. Throws provider.unauthorized when the key's variable is not set. */
export function openSimulator(config: SimulatorConfig): UserSimulator {
  if (config.type === "scripted") return scriptedSimulator;
  const key = JSON.stringify(config);
  const known = opened.get(key);
  if (known !== undefined) return known;
  const client = createInferenceClient({ baseUrl: config.baseUrl, apiKeyEnv: config.apiKeyEnv, environment: process.env });
  const simulator = createLlmSimulator({ client, model: config.model, temperature: config.temperature, maxTokens: config.maxTokens });
  opened.set(key, simulator);
  return simulator;
}
