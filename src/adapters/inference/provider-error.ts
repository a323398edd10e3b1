// What can go wrong between here and a model, as CampaignErrors. The one place that knows status codes.
import OpenAI from "openai";
import { ZodError } from "zod";
import { CampaignError, type ErrorCode } from "#core/errors.ts";
import { rootMessage } from "../http/root-message.ts";
import { ErrorInside } from "./read-answer.ts";
import { retryAfter } from "./retry-after.ts";
import { cleanWords } from "./server-words.ts";

export interface RequestContext {
  /** For messages, e.g. "policy embedded-0123456789ab". */
  readonly who: string;
  readonly signal: AbortSignal;
  /** Whether a 404 may heal: a restarted policy server is given its weights again, a hosted model that does not exist never will. */
  readonly canReappear: boolean;
}

/** Sends a request and reads its answer. Every failure comes out as a CampaignError, or as the signal's reason when it was aborted. */
export async function callModel<Result>(context: RequestContext, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    throw toProviderError(error, context);
  }
}

function toProviderError(error: unknown, context: RequestContext): unknown {
  const fail = (code: ErrorCode, what: string, details: { next?: string; retryAfterSeconds?: number } = {}) =>
    new CampaignError(code, `${context.who}: ${what}`, { cause: error, ...details });
  if (error instanceof CampaignError) return ofAnswer(error, fail);
  if (error instanceof OpenAI.APIConnectionTimeoutError) return fail("provider.timeout", "no answer in time");
  const broken = error instanceof OpenAI.APIConnectionError ? error.cause : null;
  if (broken instanceof CampaignError) return fail(broken.code, broken.message);
  if (error instanceof OpenAI.APIConnectionError)
    return fail("provider.unavailable", `no connection: ${rootMessage(error)}`, { next: "see that the endpoint is up" });
  if (error instanceof ErrorInside && error.status === undefined)
    return fail("provider.invalid-response", `HTTP 200 with an error inside: ${cleanWords(error.message)}`);
  if (error instanceof OpenAI.APIError && error.status !== undefined) return statusError(error, context, fail);
  if (error instanceof ZodError) return fail("provider.invalid-response", `the answer has another shape: ${firstIssue(error)}`);
  if (error instanceof SyntaxError) return fail("provider.invalid-response", "the answer is not JSON");
  return error;
}

/** What is wrong with an answer that came: whose it is stands before it, once. */
function ofAnswer(error: CampaignError, fail: Fail): CampaignError {
  const isNamed = error.code !== "provider.invalid-response" || error.cause !== undefined;
  return isNamed ? error : fail(error.code, error.message, error.next === null ? {} : { next: error.next });
}

type Fail = (code: ErrorCode, what: string, details?: { next?: string; retryAfterSeconds?: number }) => CampaignError;

const OVERFLOW =
  /context.{0,20}(length|window)|maximum.{0,20}(context|tokens|length)|max_model_len|too (long|many tokens)|longer than the (maximum|model)/i;

function statusError(error: InstanceType<typeof OpenAI.APIError>, context: RequestContext, fail: Fail): CampaignError {
  const status = Number(error.status);
  const came = error instanceof ErrorInside ? `HTTP 200 with an error ${status} inside` : `HTTP ${status}`;
  const what = `${came}: ${cleanWords(error.message.replace(`${status} `, ""))}`;
  if (status === 401 || status === 403) return fail("provider.unauthorized", what, { next: "check the endpoint's key (apiKeyEnv)" });
  if (status === 404)
    return fail(context.canReappear ? "provider.model-missing" : "provider.rejected", what, {
      next: "check the endpoint's address and the model's name",
    });
  if (error.code === "weights_mismatch" || error.code === "name_taken")
    return fail("provider.wrong-weights", what, { next: "restart the policy server" });
  if (status === 407)
    return fail("provider.unauthorized", what, { next: "give the proxy's variable its credentials: http://USER:PASSWORD@HOST:PORT" });
  if (status === 408) return fail("provider.timeout", what);
  if (status === 429) return rateLimit(error, what, fail);
  if (status >= 500 || status === 409) return fail("provider.unavailable", what);
  if (status >= 300 && status < 400)
    return fail("provider.rejected", `${what}; redirects are not followed`, { next: "give the address that it redirects to" });
  if (error.code === "context_length_exceeded" || OVERFLOW.test(error.message))
    return fail("provider.context-overflow", what, { next: "ask for fewer tokens, or take a model with a longer context" });
  return fail("provider.rejected", what, { next: "see what the endpoint and the model support" });
}

/** A spent quota answers 429 too, and no waiting helps it. */
function rateLimit(error: InstanceType<typeof OpenAI.APIError>, what: string, fail: Fail): CampaignError {
  if ([error.code, error.type].includes("insufficient_quota"))
    return fail("provider.unauthorized", what, { next: "raise the account's quota" });
  const seconds = retryAfter(error.headers, error.message, Date.now());
  return fail("provider.rate-limited", what, seconds === null ? {} : { retryAfterSeconds: seconds });
}

function firstIssue({ issues }: ZodError): string {
  const issue = issues[0];
  return issue === undefined ? "unknown" : `${issue.path.join(".") || "answer"}: ${cleanWords(issue.message)}`;
}
