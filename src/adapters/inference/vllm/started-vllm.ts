// The vLLM that a campaign asks for with policy.start: one process per address, serving the whole weights that the policy at hand needs.
import { join } from "node:path";
import type OpenAI from "openai";
import type { PolicyConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "#core/errors.ts";
import { ADAPTER_CONFIG, type PolicyServer, type ServablePolicy } from "../policy-server.ts";
import type { VllmLaunch } from "./launch.ts";
import { VllmProcess } from "./vllm-process.ts";
import { createVllmServer } from "./vllm-server.ts";

/** What this machine has for starting vLLM. */
export interface VllmHost {
  /** The executable: a path, or a name on PATH. */
  readonly program: string;
  /** Python of the trainer, which keeps vLLM's process group. */
  readonly python: string;
  readonly policyRoot: string;
  readonly logFolder: string;
}

const processes = new Map<string, VllmProcess>();

/** Starts nothing yet: `ensureLoaded` does. Throws config.invalid where vLLM may not be started, contract.invalid for an adapter without its base. */
export function createStartedVllm(
  config: VllmLaunch["config"],
  policy: ServablePolicy,
  { client, host, apiKey }: { client: OpenAI; host: VllmHost | undefined; apiKey: string | null },
): PolicyServer {
  if (host === undefined) throw new CampaignError("config.invalid", "policy.start: vLLM cannot be started from here");
  const whole = wholeWeightsOf(policy);
  const { program, policyRoot } = host;
  const launch = { config, program, policyRoot, modelDirectory: whole.directory, servedName: whole.name, apiKey };
  const server = createVllmServer(client, { baseModel: whole.name, maxAdapters: config.start.maxAdapters });
  return {
    ...server,
    async ensureLoaded(wanted, signal) {
      await processAt(config, host).ensure(launch, signal);
      await server.ensureLoaded(wanted, signal);
    },
  };
}

/** Ends every vLLM that this process has started. They end by themselves when it does. */
export async function stopStartedVllms(): Promise<void> {
  await Promise.all([...processes.values()].map((vllm) => vllm.stop()));
}

function wholeWeightsOf(policy: ServablePolicy): ServablePolicy {
  if (!(ADAPTER_CONFIG in policy.fileHashes)) return policy;
  if (policy.base !== null) return policy.base;
  throw new CampaignError("contract.invalid", `${policy.name} is an adapter whose base the record does not name`);
}

function processAt({ baseUrl }: Extract<PolicyConfig, { type: "vllm" }>, { python, logFolder }: VllmHost): VllmProcess {
  const { host, port } = new URL(baseUrl);
  const known = processes.get(host) ?? new VllmProcess({ python, logPath: join(logFolder, `vllm-${port || "80"}.log`) });
  processes.set(host, known);
  return known;
}
