// Asks an OpenAI-compatible endpoint for its models before a campaign that needs it is written.
import OpenAI from "openai";
import { CampaignError } from "#core/errors.ts";
import { checkAddress } from "../http/check-address.ts";
import { chooseProxy, describeProxy } from "../http/choose-proxy.ts";
import { rootMessage } from "../http/root-message.ts";
import { shellVariables } from "../settings.ts";
import { createInferenceClient } from "./client.ts";
import { cleanWords } from "./server-words.ts";

/** Of the whole answer, its last byte included. */
const TIMEOUT_MILLISECONDS = 5_000;

interface Endpoint {
  readonly baseUrl: string;
  readonly apiKeyEnv?: string | undefined;
  /** Hosts beyond this machine that may be spoken to. Absent: any. */
  readonly allowedHosts?: readonly string[];
}

/** Throws config.invalid for an address that is not allowed or a proxy that is none, config.unreachable, or provider.unauthorized when the key is missing or refused. */
export async function checkEndpoint({ baseUrl, apiKeyEnv, allowedHosts }: Endpoint): Promise<void> {
  checkAddress(baseUrl, allowedHosts);
  const client = createInferenceClient({ baseUrl, apiKeyEnv, environment: shellVariables(), allowedHosts });
  try {
    await client.get("/models", { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) }).asResponse();
  } catch (cause) {
    if (cause instanceof OpenAI.AuthenticationError) {
      throw new CampaignError("provider.unauthorized", `${baseUrl} refused the key: ${cleanWords(cause.message)}`, {
        cause,
        next: `check ${apiKeyEnv ?? "apiKeyEnv in the campaign file"}`,
      });
    }
    if (cause instanceof OpenAI.APIError && cause.status !== undefined) return; // it answers; not every server lists its models
    throw unreachable(baseUrl, cause);
  }
}

function unreachable(baseUrl: string, cause: unknown): CampaignError {
  const proxy = chooseProxy(new URL(baseUrl), shellVariables());
  const why = cause instanceof OpenAI.APIConnectionError ? `: ${rootMessage(cause)}` : "";
  if (proxy === null)
    return new CampaignError("config.unreachable", `${baseUrl} does not answer${why}`, {
      cause,
      next: `start the server, or correct the address; try: curl --noproxy '*' ${baseUrl}/models`,
    });
  const through = why.includes(describeProxy(proxy)) ? why : ` through ${describeProxy(proxy)}${why}`;
  return new CampaignError("config.unreachable", `${baseUrl} does not answer${through}`, {
    cause,
    next: `see that the proxy is up and lets it through, or go without: export NO_PROXY=${new URL(baseUrl).hostname}`,
  });
}
