// Speaks to a server of the OpenEnv protocol (openenv 0.10): episodes over a WebSocket each, everything else over HTTP.
import { CampaignError } from "#core/errors.ts";
import type { Clock } from "#core/ports.ts";
import { failed, type ServerError, wordsOf } from "#environments/openenv/messages.ts";
import type { OpenEnvServer, OpenSession, ServerAddress } from "#environments/openenv/server.ts";
import { checkAddress, type Trust } from "../http/check-address.ts";
import { chooseProxy, describeProxy } from "../http/choose-proxy.ts";
import { createKeepAliveFetch } from "../http/keep-alive-fetch.ts";
import { rootMessage } from "../http/root-message.ts";
import { readServerError } from "../inference/server-words.ts";
import { readSecret } from "../settings.ts";
import { systemClock } from "../system-clock.ts";
import { connect, unavailable } from "./session.ts";

export interface ServerOptions {
  /** Hosts beyond this machine that may be spoken to. */
  readonly allowedHosts: readonly string[];
  /** With the token, and the variables of proxies. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** How long a session that cannot be opened is tried again. */
  readonly patienceSeconds?: number;
  /** How long a new session gets for its first answer. */
  readonly answerSeconds?: number;
}

const READ_MILLISECONDS = 20_000;
const FIRST_WAIT_MILLISECONDS = 250;
const LONGEST_WAIT_MILLISECONDS = 5_000;
const PATIENCE_SECONDS = 60;
const ANSWER_SECONDS = 110;

/** Throws config.invalid for an address that is not allowed or behind a proxy, provider.unauthorized when the token's variable is not set. */
export function openEnvServer({ url, apiKeyEnv }: ServerAddress, options: ServerOptions): OpenEnvServer {
  const base = url.replace(/\/+$/, "");
  checkAddress(base, options.allowedHosts, ENVIRONMENT_SERVERS);
  refuseProxy(base, options);
  const headers = apiKeyEnv === undefined ? {} : { authorization: `Bearer ${readSecret(apiKeyEnv, options.environment)}` };
  const server = { base, headers, fetch: createKeepAliveFetch() };
  return {
    read: (path, question) => readPage(server, path, question),
    open: (message, signal) => openPatiently(() => openInTime(server, message, signal, options), signal, options),
  };
}

const ENVIRONMENT_SERVERS: Trust = { what: "an environment's server", variable: "TURNWISE_ENVIRONMENT_HOSTS" };

/** Node's WebSocket takes no proxy, and one that is passed over without a word would be a surprise. */
function refuseProxy(base: string, { environment }: ServerOptions): void {
  const url = new URL(base);
  const proxy = chooseProxy(url, environment);
  if (proxy === null) return;
  throw new CampaignError("config.invalid", `${base} would be asked through ${describeProxy(proxy)}, and environments are not`, {
    next: `where it can be reached without: export NO_PROXY=${url.hostname}, also for the workers`,
  });
}

interface Server {
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
}

/** While the server is full or away: it may be closing what others have left, or starting. */
async function openPatiently(
  open: () => Promise<OpenSession>,
  signal: AbortSignal,
  { clock = systemClock, patienceSeconds = PATIENCE_SECONDS }: ServerOptions,
): Promise<OpenSession> {
  const until = clock.now() + patienceSeconds * 1000;
  for (let wait = FIRST_WAIT_MILLISECONDS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MILLISECONDS)) {
    try {
      return await open();
    } catch (error) {
      const isCurable = error instanceof CampaignError && error.retryable && !signal.aborted;
      if (!isCurable || clock.now() + wait > until) throw error;
    }
    await clock.sleep(wait, signal);
  }
}

async function openInTime(
  server: Server,
  message: string,
  signal: AbortSignal,
  { answerSeconds = ANSWER_SECONDS }: ServerOptions,
): Promise<OpenSession> {
  const late = AbortSignal.timeout(answerSeconds * 1000);
  try {
    return await openOnce(server, message, AbortSignal.any([signal, late]));
  } catch (error) {
    if (late.aborted && !signal.aborted) throw unavailable(`${server.base} gave a new session no answer within ${answerSeconds} s`);
    throw error;
  }
}

async function openOnce(server: Server, message: string, signal: AbortSignal): Promise<OpenSession> {
  const session = await connect(`${server.base.replace(/^http/, "ws")}/ws`, server.headers, signal).catch((error: unknown) =>
    explain(server, error, signal),
  );
  try {
    const answer = await session.ask(message, signal);
    if (answer.type === "error" && answer.data.code === "CAPACITY_REACHED") throw full(server, answer.data);
    return { session, answer };
  } catch (error) {
    await session.close();
    throw error;
  }
}

function full({ base }: Server, { active_sessions: active, max_sessions: most, ...error }: ServerError): CampaignError {
  const told = active === undefined || most === undefined ? wordsOf(error) : `${active} of its ${most} sessions are in use`;
  return unavailable(
    `the server ${base} is full: ${told}`,
    "a campaign opens rollout.concurrentGroups x rollout.groupSize sessions at once: lower these, or start the server with more (max_concurrent_envs)",
  );
}

/** A WebSocket that does not come about says nothing of why; the same server asked over HTTP does. */
async function explain(server: Server, error: unknown, signal: AbortSignal): Promise<never> {
  if (signal.aborted || !(error instanceof CampaignError)) throw error;
  await readPage(server, "/health", { signal });
  throw unavailable(`${server.base} answers over HTTP and takes no WebSocket at /ws`, "see that url is the address of an OpenEnv server");
}

async function readPage(
  { base, headers, fetch }: Server,
  path: string,
  { body, signal }: { readonly body?: unknown; readonly signal: AbortSignal },
): Promise<unknown> {
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`${base}${path}`, {
    ...sent,
    headers: { ...headers, "content-type": "application/json" },
    signal: AbortSignal.any([signal, AbortSignal.timeout(READ_MILLISECONDS)]),
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw unavailable(`${base} does not answer: ${rootMessage(error as Error)}`, "start the server, or correct environment.url");
  });
  const text = await response.text();
  if (!response.ok) throw refusal(`${base}${path}`, response.status, text);
  return parsed(text);
}

function refusal(address: string, status: number, text: string): CampaignError {
  const what = `${address} answers HTTP ${status}: ${readServerError(parsed(text))?.message ?? "no word of why"}`;
  if (status === 401 || status === 403)
    return new CampaignError("provider.unauthorized", what, { next: "name the variable with the server's token: environment.apiKeyEnv" });
  const isOutage = status === 429 || (status >= 500 && status !== NOT_IMPLEMENTED);
  return isOutage ? unavailable(what) : failed(what, "see what the server's environment supports, and correct the campaign file");
}

/** Of a part of the protocol that the server's environment leaves out. */
const NOT_IMPLEMENTED = 501;

/** The JSON, or the text that is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
