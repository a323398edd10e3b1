// The vLLM that a campaign asks for with policy.start: one process per address, serving the whole weights that the policy at hand needs.
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type OpenAI from "openai";
import type { PolicyConfig } from "#contracts/campaign-config.ts";
import { CampaignError } from "#core/errors.ts";
import { ADAPTER_CONFIG, type PolicyServer, type ServablePolicy } from "../policy-server.ts";
import { type VllmLaunch, vllmCommand } from "./launch.ts";
import { Turns } from "./turns.ts";
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
  /** So long unused, the server is given to another campaign that waits for it. */
  readonly idleSeconds?: number;
}

/** A server that campaigns use by turns. */
export interface SharedServer extends PolicyServer {
  /** Does something that uses the server, which it keeps meanwhile. */
  use<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** The server of an address in this process. */
interface Started {
  readonly process: VllmProcess;
  readonly turns: Turns;
}

const IDLE_SECONDS = 15;
const started = new Map<string, Started>();

/** Starts nothing yet: `ensureLoaded` does. Throws config.invalid where vLLM may not be started, contract.invalid for an adapter without its base. */
export function createStartedVllm(
  config: VllmLaunch["config"],
  policy: ServablePolicy,
  { client, host, apiKey }: { client: OpenAI; host: VllmHost | undefined; apiKey: string | null },
): SharedServer {
  if (host === undefined) throw new CampaignError("config.invalid", "policy.start: vLLM cannot be started from here");
  const whole = wholeWeightsOf(policy);
  const { program, policyRoot } = host;
  const launch = { config, program, policyRoot, modelDirectory: whole.directory, servedName: whole.name, apiKey };
  const server = createVllmServer(client, { baseModel: whole.name, maxAdapters: config.start.maxAdapters });
  const need = vllmCommand(launch).join("\0");
  const at = () => startedAt(config, host);
  const use: SharedServer["use"] = (work) => at().turns.use(need, work);
  return {
    ...server,
    use,
    score: (...question) => use(() => server.score(...question)),
    async ensureLoaded(wanted, signal, { holder = wanted.name, onWait = () => {} } = {}) {
      const lock = await at().turns.enter({ need, purpose: wanted.name, holder, onWait }, signal);
      await use(async () => {
        await at().process.ensure(launch, lock.file, signal);
        await server.ensureLoaded(wanted, signal, {});
      });
    },
  };
}

/** Ends every vLLM that this process has started. They end by themselves when it does. */
export async function stopStartedVllms(): Promise<void> {
  await Promise.all([...started.values()].map(({ turns }) => turns.stop()));
}

function wholeWeightsOf(policy: ServablePolicy): ServablePolicy {
  if (!(ADAPTER_CONFIG in policy.fileHashes)) return policy;
  if (policy.base !== null) return policy.base;
  throw new CampaignError("contract.invalid", `${policy.name} is an adapter whose base the record does not name`);
}

function startedAt(
  { baseUrl }: Extract<PolicyConfig, { type: "vllm" }>,
  { python, logFolder, idleSeconds = IDLE_SECONDS }: VllmHost,
): Started {
  const { host, port } = new URL(baseUrl);
  const known = started.get(host);
  if (known !== undefined) return known;
  const process = new VllmProcess({ python, logPath: join(logFolder, `vllm-${port || "80"}.log`) });
  const turns = new Turns({ address: baseUrl, lockPath: lockPathOf(host), python, end: () => process.stop(), idleSeconds });
  const made = { process, turns };
  started.set(host, made);
  return made;
}

/** One per address and machine, whatever checkout or home asks for it. */
function lockPathOf(host: string): string {
  return join(tmpdir(), `turnwise-${userInfo().uid}`, "servers", `${host.replace(/[^a-zA-Z0-9.-]/g, "_")}.lock`);
}
