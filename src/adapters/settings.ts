// Where this process finds things: environment variables, then what the running stack wrote down, then what `up` would take. The only reader of process.env.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CampaignError } from "#core/errors.ts";
import { variable } from "../../infra/setup/places.mjs";
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
  /** Whether the address is one that a person has given, rather than that of the local stack. */
  readonly isTemporalGiven: boolean;
  readonly namespace: string;
  readonly policyUrl: string;
  readonly mlflowUrl: string;
  readonly python: string;
  /** The executable that serves policies with vLLM. */
  readonly vllm: string;
  /** Hosts beyond this machine on which a campaign's policy may be served. */
  readonly policyHosts: readonly string[];
  /** Hosts beyond this machine on which an environment may be served. */
  readonly environmentHosts: readonly string[];
  /** Folder with tau-bench's data, or null when none is named. Where 0.1.0 left a link to one, that is it. */
  readonly tauBench: string | null;
  /** How much the workers say in their logs. */
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** The variables of the shell that this process runs in, for what settings cannot say: names that a file gives (keys), proxies, what a terminal shows. */
export function shellVariables(): NodeJS.ProcessEnv {
  return process.env;
}

/** An empty variable counts as unset. Throws config.invalid for a TURNWISE_*_PORT that is no port number, when no stack runs, and for an unknown log level. */
export function readSettings(environment: NodeJS.ProcessEnv = shellVariables()): Settings {
  const given = (name: string) => variable(name, environment);
  const home = resolve(given("TURNWISE_HOME") ?? join(REPOSITORY, ".turnwise"));
  const tauBench = given("TURNWISE_TAU_BENCH");
  const linked = join(home, "data", "tau-bench");
  const state = readState(home);
  const running = state !== null && isAlive(state.supervisor) ? state.plan.endpoints : null;
  const found = running ?? addressesOf(portsFromEnvironment(environment));
  return {
    home,
    recordRoot: join(home, "record"),
    policyRoot: join(home, "policies"),
    jobRoot: join(home, "jobs"),
    temporalAddress: given("TURNWISE_TEMPORAL_ADDRESS") ?? found.temporalAddress,
    isTemporalGiven: given("TURNWISE_TEMPORAL_ADDRESS") !== undefined,
    namespace: given("TURNWISE_NAMESPACE") ?? running?.namespace ?? "default",
    policyUrl: given("TURNWISE_POLICY_URL") ?? found.policyUrl,
    mlflowUrl: given("TURNWISE_MLFLOW_URL") ?? found.mlflowUrl,
    python: given("TURNWISE_PYTHON") ?? join(REPOSITORY, ".turnwise", "python", "bin", "python"),
    vllm: given("TURNWISE_VLLM") ?? "vllm",
    policyHosts: listOf(given("TURNWISE_POLICY_HOSTS")),
    environmentHosts: listOf(given("TURNWISE_ENVIRONMENT_HOSTS")),
    tauBench: tauBench !== undefined ? resolve(tauBench) : existsSync(linked) ? linked : null,
    logLevel: logLevel(given("TURNWISE_LOG_LEVEL")),
  };
}

const listOf = (text = ""): string[] => text.split(",").flatMap((item) => item.trim() || []);

function logLevel(text = "info"): Settings["logLevel"] {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level !== undefined) return level;
  throw new CampaignError("config.invalid", `TURNWISE_LOG_LEVEL is "${text}", wanted one of ${LOG_LEVELS.join(", ")}`, {
    next: "set TURNWISE_LOG_LEVEL to one of them, or unset it",
  });
}

/** The value of a secret, by the name of its variable. Never stored, never logged. Throws provider.unauthorized where there is none. */
export function readSecret(name: string, environment: Readonly<Record<string, string | undefined>> = shellVariables()): string {
  const secret = environment[name];
  if (secret?.trim()) return secret;
  const what = secret === undefined ? "not set" : "empty";
  throw new CampaignError("provider.unauthorized", `the environment variable ${name} is ${what}`, { next: `export ${name}=…` });
}
