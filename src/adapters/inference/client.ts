// The HTTP client for every model endpoint: the openai package without its retries, which are the rollout's business.
import OpenAI from "openai";
import { checkAddress } from "../http/check-address.ts";
import { chooseProxy } from "../http/choose-proxy.ts";
import { createKeepAliveFetch } from "../http/keep-alive-fetch.ts";
import { readSecret } from "../settings.ts";
import { cleanWords, readServerError, type ServerError } from "./server-words.ts";

export interface EndpointOptions {
  /** With the path that comes before /completions, e.g. http://127.0.0.1:8620/v1. */
  readonly baseUrl: string;
  /** Name of the environment variable that holds the key; the key itself is never written down. Absent: no key. */
  readonly apiKeyEnv?: string | undefined;
  /** With the key, and the variables of proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timeoutSeconds?: number;
  /** Hosts beyond this machine that may be spoken to. Absent: any. */
  readonly allowedHosts?: readonly string[] | undefined;
}

const DEFAULT_TIMEOUT_SECONDS = 300;

/** Said with every request: what a request leaves open, vLLM takes from the model's generation_config.json (Qwen3: top_k 20, top_p 0.95). */
export const WHOLE_DISTRIBUTION = { top_p: 1, top_k: -1, min_p: 0, repetition_penalty: 1 } as const;

/** Throws config.invalid for an address that is not allowed or a proxy that is none, provider.unauthorized when the key's variable is not set. */
export function createInferenceClient(options: EndpointOptions): OpenAI {
  const { baseUrl, apiKeyEnv, environment, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, allowedHosts } = options;
  checkAddress(baseUrl, allowedHosts);
  return new OpenAI({
    baseURL: baseUrl,
    apiKey: apiKeyEnv === undefined ? "none" : readSecret(apiKeyEnv, environment),
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: timeoutSeconds * 1000,
    fetch: restatingErrors(createKeepAliveFetch(chooseProxy(new URL(baseUrl), environment))),
    logLevel: "off",
  });
}

/** The openai package reads errors of OpenAI's own shape only, so every other is restated in it. A key that a server says back is hidden. */
function restatingErrors(ask: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await ask(input, init);
    if (response.ok || response.body === null) return response;
    const { status, headers } = response;
    const found = redirected(response) ?? readServerError(parsed(await response.text()));
    const key = new Headers(init?.headers).get("authorization")?.replace(/^Bearer /, "") ?? "";
    const error = found === null ? {} : { error: { ...found, message: key === "" ? found.message : found.message.replaceAll(key, "…") } };
    headers.set("content-type", "application/json");
    return new Response(JSON.stringify(error), { status, headers });
  };
}

/** Redirects are not followed: where they lead may be another host, which would be given the key. */
function redirected({ status, headers }: Response): ServerError | null {
  const to = headers.get("location");
  if (status < 300 || status > 399 || to === null) return null;
  return { message: `it sends on to ${cleanWords(to)}, and redirects are not followed`, code: null, type: null, param: null, status: null };
}

/** The JSON, or the text that is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
