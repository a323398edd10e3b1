// Where this process finds things: environment variables, then what the running stack wrote down, then what `up` would take. The only reader of process.env.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { addressesOf, portsFromEnvironment } from "./services/ports.ts";
import { isAlive } from "./services/process-identity.ts";
import { readState } from "./services/state.ts";

export const REPOSITORY = resolve(fileURLToPath(new URL("../..", import.meta.url)));

export interface Settings {
  /** State of a checkout: record, services, jobs, policies. */
  readonly home: string;
  readonly recordRoot: string;
  readonly policyRoot: string;
  readonly jobRoot: string;
  readonly temporalAddress: string;
  readonly namespace: string;
  readonly policyUrl: string;
  readonly mlflowUrl: string;
  readonly python: string;
  /** The executable that serves policies with vLLM. */
  readonly vllm: string;
  /** Hosts beyond this machine on which a campaign's policy may be served. */
  readonly policyHosts: readonly string[];
  /** Folder with tau-bench's data, or null when none is named. Where 0.1.0 left a link to one, that is it. */
  readonly tauBench: string | null;
}

/** Throws config.invalid for a TURNWISE_*_PORT that is no port number, when no stack runs. */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const home = resolve(environment["TURNWISE_HOME"] ?? join(REPOSITORY, ".turnwise"));
  const linked = join(home, "data", "tau-bench");
  const state = readState(home);
  const running = state !== null && isAlive(state.supervisor) ? state.plan.endpoints : null;
  const found = running ?? addressesOf(portsFromEnvironment(environment));
  return {
    home,
    recordRoot: join(home, "record"),
    policyRoot: join(home, "policies"),
    jobRoot: join(home, "jobs"),
    temporalAddress: environment["TURNWISE_TEMPORAL_ADDRESS"] ?? found.temporalAddress,
    namespace: environment["TURNWISE_NAMESPACE"] ?? running?.namespace ?? "default",
    policyUrl: environment["TURNWISE_POLICY_URL"] ?? found.policyUrl,
    mlflowUrl: environment["TURNWISE_MLFLOW_URL"] ?? found.mlflowUrl,
    python: environment["TURNWISE_PYTHON"] ?? join(REPOSITORY, ".turnwise", "python", "bin", "python"),
    vllm: environment["TURNWISE_VLLM"] ?? "vllm",
    policyHosts: (environment["TURNWISE_POLICY_HOSTS"] ?? "").split(",").flatMap((host) => host.trim() || []),
    tauBench: environment["TURNWISE_TAU_BENCH"] ? resolve(environment["TURNWISE_TAU_BENCH"]) : existsSync(linked) ? linked : null,
  };
}

/** The value of a secret, by the name of its variable. Never stored, never logged. */
export function readSecret(name: string, environment: NodeJS.ProcessEnv = process.env): string | null {
  return environment[name] ?? null;
}
