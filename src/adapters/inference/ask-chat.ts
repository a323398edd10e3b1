// One question to /v1/chat/completions, in the fields that its endpoint takes. An endpoint that refuses a field is asked once more without
// it, where that changes nothing of what is asked, and remembered for as long as this process lives. Where it would, it is refused with
// what to set. A refused field costs no tokens, so the two requests count as one call.
import OpenAI from "openai";
import type { z } from "zod";
import type { TokenLimitField } from "#contracts/request-fields.ts";
import { CampaignError } from "#core/errors.ts";
import { callModel, type RequestContext } from "./provider-error.ts";
import { readAnswer } from "./read-answer.ts";
import { type AdaptableField, refusedField } from "./refused-field.ts";

export interface ChatRequest {
  readonly client: OpenAI;
  readonly model: string;
  /** Messages, tools and whatever else goes over the wire as it is. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly tokenLimitField: TokenLimitField;
  /** Null: as many tokens as the server has room for. */
  readonly maxTokens: number | null;
  readonly temperature: number;
  /** Null: none is sent. */
  readonly seed: number | null;
  /** False for tokens that are trained on: they must be sampled at the temperature, and again with the same seed. */
  readonly canLeaveOut: boolean;
}

export interface ChatContext extends RequestContext {
  readonly timeoutSeconds?: number | undefined;
  /** Told once per endpoint and model for every field that is sent otherwise than it was set. */
  readonly onAdapted?: ((note: string) => void) | undefined;
}

/** What is sent otherwise than it was set. */
interface Adaptation {
  readonly tokenLimitField?: TokenLimitField;
  readonly hasNoSeed?: true;
  readonly hasNoTemperature?: true;
}

const remembered = new Map<string, Adaptation>();
const addressOf = ({ client, model }: ChatRequest): string => JSON.stringify([client.baseURL, model]);

/** Throws provider.* errors, and the signal's reason when it is aborted. */
export async function askChat<Answer>(request: ChatRequest, context: ChatContext, schema: z.ZodType<Answer>): Promise<Answer> {
  const address = addressOf(request);
  const before = remembered.get(address) ?? {};
  let adaptation = before;
  for (const tried = new Set<AdaptableField>(); ; ) {
    try {
      const answer = await send(adapted(request, adaptation), context, schema);
      if (adaptation !== before) remember(address, { ...remembered.get(address), ...adaptation }, request, context);
      return answer;
    } catch (error) {
      const field = fieldRefusedBy(error, adapted(request, adaptation));
      if (field === null || tried.has(field)) throw withNote(error, adaptation, request);
      const next = instead(field, request);
      if (typeof next === "string") throw new CampaignError("provider.rejected", wordsOf(error), { cause: error, next });
      tried.add(field);
      adaptation = { ...adaptation, ...next };
    }
  }
}

type Sent = Omit<ChatRequest, "temperature"> & { readonly temperature: number | null };

function adapted(request: ChatRequest, { tokenLimitField, hasNoSeed, hasNoTemperature }: Adaptation): Sent {
  return {
    ...request,
    tokenLimitField: tokenLimitField ?? request.tokenLimitField,
    seed: hasNoSeed === true && request.canLeaveOut ? null : request.seed,
    temperature: hasNoTemperature === true && isDefault(request) ? null : request.temperature,
  };
}

/** What OpenAI's models are sampled at where nothing is said. */
const isDefault = ({ temperature, canLeaveOut }: ChatRequest): boolean => canLeaveOut && temperature === 1;

function send<Answer>(sent: Sent, context: ChatContext, schema: z.ZodType<Answer>): Promise<Answer> {
  const { client, model, body, tokenLimitField, maxTokens, temperature, seed } = sent;
  const whole = {
    ...body,
    model,
    ...(maxTokens === null ? {} : { [tokenLimitField]: maxTokens }),
    ...(temperature === null ? {} : { temperature }),
    ...(seed === null ? {} : { seed }),
  } as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming;
  const { signal, timeoutSeconds } = context;
  const options = { signal, ...(timeoutSeconds === undefined ? {} : { timeout: Math.ceil(timeoutSeconds * 1000) }) };
  return callModel(context, async () => schema.parse(await readAnswer(await client.chat.completions.create(whole, options).asResponse())));
}

/** Statuses that say what else is wrong. */
const OTHERWISE: ReadonlySet<number | undefined> = new Set([401, 403, 404, 408, 429]);

/** Whatever the status: routers hand a refusal on as 500, or inside a 200. */
function fieldRefusedBy(error: unknown, { tokenLimitField, maxTokens, temperature, seed }: Sent): AdaptableField | null {
  const cause = error instanceof CampaignError ? error.cause : null;
  if (!(cause instanceof OpenAI.APIError) || cause instanceof OpenAI.APIConnectionError || OTHERWISE.has(cause.status)) return null;
  const sent: (AdaptableField | null)[] = [
    maxTokens === null ? null : tokenLimitField,
    seed === null ? null : "seed",
    temperature === null ? null : "temperature",
  ];
  return refusedField(
    cause,
    sent.filter((field) => field !== null),
  );
}

/** What to send instead of a refused field, or what a person has to set. */
function instead(field: AdaptableField, request: ChatRequest): Adaptation | string {
  switch (field) {
    case "max_tokens":
      return { tokenLimitField: "max_completion_tokens" };
    case "max_completion_tokens":
      return { tokenLimitField: "max_tokens" };
    case "seed":
      return request.canLeaveOut
        ? { hasNoSeed: true }
        : "what is trained on is sampled with a seed: serve the policy where the field seed is taken";
    case "temperature":
      if (isDefault(request)) return { hasNoTemperature: true };
      return request.canLeaveOut
        ? "set temperature: 1 for this model (--temperature 1), which is what it samples at: its words will be other ones than at the temperature that was set"
        : "what is trained on is sampled at the policy's temperature: serve the policy where the field temperature is taken";
  }
}

function remember(address: string, adaptation: Adaptation, request: ChatRequest, { who, onAdapted }: ChatContext): void {
  const known = new Set(describe(remembered.get(address) ?? {}, request));
  remembered.set(address, adaptation);
  for (const note of describe(adaptation, request)) if (!known.has(note)) onAdapted?.(`${who} at ${request.client.baseURL}: ${note}`);
}

function describe({ tokenLimitField, hasNoSeed, hasNoTemperature }: Adaptation, set: Pick<ChatRequest, "tokenLimitField">): string[] {
  const isOther = tokenLimitField !== undefined && tokenLimitField !== set.tokenLimitField;
  return [
    ...(isOther
      ? [
          `it refuses ${set.tokenLimitField} and is sent ${tokenLimitField}; --token-limit-field ${tokenLimitField}, in a campaign file tokenLimitField, saves the refused request`,
        ]
      : []),
    ...(hasNoSeed === true
      ? ["it refuses seed and is sent none; --no-seed-field, in a campaign file hasSeed: false, saves the refused request"]
      : []),
    ...(hasNoTemperature === true
      ? ["it refuses temperature and is sent none: it samples at its own, which is 1 for OpenAI's models"]
      : []),
  ];
}

/** An error that came after a field was changed says so: it may be the change. */
function withNote(error: unknown, adaptation: Adaptation, request: ChatRequest): unknown {
  const notes = describe(adaptation, request);
  if (!(error instanceof CampaignError) || notes.length === 0) return error;
  const { code, message, next, retryAfterSeconds, cause } = error;
  return new CampaignError(code, `${message} (before that: ${notes.join("; ")})`, {
    cause,
    ...(next === null ? {} : { next }),
    ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
  });
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
