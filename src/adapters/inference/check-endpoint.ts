// Asks an OpenAI-compatible endpoint for its models before a campaign that needs it is written.
import OpenAI from "openai";
import { CampaignError } from "#core/errors.ts";
import { readSecret } from "../settings.ts";
import { checkAddress } from "./client.ts";

/** Of the whole answer, its last byte included. */
const TIMEOUT_MILLISECONDS = 5_000;

interface Endpoint {
  readonly baseUrl: string;
  readonly apiKeyEnv?: string | undefined;
  /** Hosts beyond this machine that may be spoken to. Absent: any. */
  readonly allowedHosts?: readonly string[];
}

/** Throws config.invalid for an address that is not allowed, config.unreachable, or provider.unauthorized when the key is missing or refused. */
export async function checkEndpoint({ baseUrl, apiKeyEnv, allowedHosts }: Endpoint): Promise<void> {
  checkAddress(baseUrl, allowedHosts);
  const apiKey = apiKeyEnv === undefined ? "none" : readSecret(apiKeyEnv);
  if (apiKey === null) {
    throw new CampaignError("provider.unauthorized", `the environment variable ${apiKeyEnv} for ${baseUrl} is not set`, {
      next: `export ${apiKeyEnv}=…`,
    });
  }
  try {
    await new OpenAI({ baseURL: baseUrl, apiKey, maxRetries: 0 }).models.list({ signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) });
  } catch (cause) {
    if (cause instanceof OpenAI.AuthenticationError) {
      throw new CampaignError("provider.unauthorized", `${baseUrl} refused the key`, {
        cause,
        next: `check ${apiKeyEnv ?? "apiKeyEnv in the campaign file"}`,
      });
    }
    if (cause instanceof OpenAI.APIError && cause.status !== undefined) return; // it answers; not every server lists its models
    throw new CampaignError("config.unreachable", `${baseUrl} does not answer`, {
      cause,
      next: `start the server, or correct the address; try: curl ${baseUrl}/models`,
    });
  }
}
