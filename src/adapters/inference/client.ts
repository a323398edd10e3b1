// The HTTP client for every model endpoint: the openai package without its retries, which are the rollout's business.
import OpenAI from "openai";
import { CampaignError } from "#core/errors.ts";
import { createKeepAliveFetch } from "./keep-alive-fetch.ts";

export interface EndpointOptions {
  /** With the path that comes before /completions, e.g. http://127.0.0.1:8620/v1. */
  readonly baseUrl: string;
  /** Name of the environment variable that holds the key; the key itself is never written down. Absent: no key. */
  readonly apiKeyEnv?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timeoutSeconds?: number;
  /** True for servers of this machine: any other address is refused. */
  readonly isLoopbackOnly?: boolean;
}

const DEFAULT_TIMEOUT_SECONDS = 300;

/** Throws config.invalid for an address that is not allowed, provider.unauthorized when the key's variable is not set. */
export function createInferenceClient(options: EndpointOptions): OpenAI {
  const { baseUrl, apiKeyEnv, environment, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, isLoopbackOnly = false } = options;
  checkAddress(baseUrl, isLoopbackOnly);
  return new OpenAI({
    baseURL: baseUrl,
    apiKey: apiKeyEnv === undefined ? "none" : readKey(apiKeyEnv, environment),
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: timeoutSeconds * 1000,
    fetch: createKeepAliveFetch(),
    logLevel: "off",
  });
}

function readKey(name: string, environment: EndpointOptions["environment"]): string {
  const key = environment[name];
  if (key) return key;
  throw new CampaignError("provider.unauthorized", `the environment variable ${name} is not set`, { next: `export ${name}=…` });
}

/** Throws config.invalid unless the address is http(s), without credentials in it, and, where asked, on this machine. */
export function checkAddress(address: string, isLoopbackOnly: boolean): void {
  const url = URL.parse(address);
  if (url === null || !["http:", "https:"].includes(url.protocol)) throw refused(address, "it is not an http(s) address");
  if (url.username !== "" || url.password !== "")
    throw refused(url.origin, "it contains credentials; name an environment variable with apiKeyEnv instead");
  if (isLoopbackOnly && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname))
    throw refused(address, "the embedded server is only spoken to on this machine");
}

const refused = (address: string, why: string): CampaignError =>
  new CampaignError("config.invalid", `the endpoint ${address} is refused: ${why}`);
