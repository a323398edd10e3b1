// The body of an answer with status 200, as endpoints write it: an error that came with a good status, words in parts, usage that is half
// there. What cannot be read is said in a sentence.
import OpenAI from "openai";
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import { cleanWords, describeText, isWebPage, readServerError, type ServerError } from "./server-words.ts";

/** An error that came with status 200. `status` is what it would have come with; undefined where nobody can tell. */
export class ErrorInside extends OpenAI.APIError {
  constructor(error: ServerError, headers: Headers) {
    super(error.status ?? statusOfWords(error) ?? undefined, { ...error }, undefined, headers);
    this.message = error.message;
  }
}

/** The JSON of an answer, whatever type it is sent as. Throws ErrorInside, or provider.invalid-response for what is no JSON. */
export async function readAnswer(response: Response): Promise<unknown> {
  const text = await response.text();
  const body = parsed(text);
  if (body === undefined) throw unreadable(text, response);
  const error = errorInside(body);
  if (error !== null) throw new ErrorInside(error, response.headers);
  return body;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const Choices = z.object({ choices: z.array(z.unknown()).min(1) });
const Failed = z.object({ error: z.union([z.string().min(1), z.record(z.string(), z.unknown()), z.array(z.unknown()).min(1)]) });

/** An answer that has something to say and an error beside it is an error: what it says is cut, or the provider's excuse. */
function errorInside(body: unknown): ServerError | null {
  const { data: answer } = Choices.safeParse(body);
  if (answer === undefined) return readServerError(body);
  if (Failed.safeParse(body).success) return readServerError(body);
  return Failed.safeParse(answer.choices[0]).success ? readServerError(answer.choices[0]) : null;
}

/** Names of errors and words of their sentences, where no number says what it is. */
const WORDS: readonly (readonly [number, RegExp])[] = [
  [429, /rate.?limit|too many requests|throttl|quota/i],
  [401, /(invalid|incorrect|missing|expired|no|bad) (api.?)?(key|token|credentials)|unauthori[sz]ed|authentication|login fail/i],
  [503, /overload|(is|still|being) load(ing|ed)|unavailable|try again|at capacity|server.?error|timed? ?out|busy/i],
];

function statusOfWords({ message, code, type }: ServerError): number | null {
  const words = [code, type, message]
    .filter((text) => text !== null)
    .join(" ")
    .replaceAll("_", " ");
  return WORDS.find(([, pattern]) => pattern.test(words))?.[0] ?? null;
}

function unreadable(text: string, response: Response): Error {
  const invalid = (what: string, next?: string) => new CampaignError("provider.invalid-response", what, next === undefined ? {} : { next });
  const type = (response.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (text.trim() === "") return invalid("the answer is empty");
  if (type === "text/event-stream" || /^(data|event|id|retry)?:/.test(text.trimStart())) {
    const error = errorInside(parsed(/^data:\s*(.+)$/m.exec(text)?.[1] ?? "") ?? { choices: [null] });
    if (error !== null) return new ErrorInside(error, response.headers);
    return invalid(
      "the answer is a stream of events, though a whole one was asked for",
      "let the endpoint, or what stands before it, answer without streaming",
    );
  }
  if (isWebPage(text))
    return invalid(
      `the answer is ${describeText(text)}, not JSON`,
      "check the address: most endpoints end in /v1, and a proxy or a login page may answer in their place",
    );
  const excerpt = JSON.stringify(cleanWords(text, 120));
  return invalid(`the answer is not JSON but ${type === "" ? "" : `${cleanWords(type, 60)}, `}${excerpt}`);
}

const Part = z.looseObject({ type: z.string().optional() });
type Part = z.infer<typeof Part>;
const Parts = z.array(z.union([z.string(), Part]));

export interface MessageContent {
  /** What is said; null where nothing is. */
  readonly text: string | null;
  /** What the model thought before, where its server hands that over as a part. */
  readonly thoughts: string | null;
  readonly refusal: string | null;
}

/** `content` of a message: a text, or a list of parts of which those of text are what is said. */
export const MessageContent = z
  .union([z.string(), Parts, Part.transform((part) => [part])])
  .nullish()
  .transform((content): MessageContent => {
    if (content === undefined || content === null) return { text: null, thoughts: null, refusal: null };
    if (typeof content === "string") return { text: content, thoughts: null, refusal: null };
    return {
      text: joined(content, (part) => (typeof part === "string" ? part : spoken(part))),
      thoughts: joined(content, (part) => (typeof part === "string" ? null : thought(part))),
      refusal: joined(content, (part) => (typeof part === "string" ? null : textIn(part["refusal"]))),
    };
  });

function joined(parts: readonly (string | Part)[], pick: (part: string | Part) => string | null): string | null {
  const found = parts.map(pick).filter((text) => text !== null);
  return found.length === 0 ? null : found.join("");
}

const SPOKEN: ReadonlySet<string> = new Set(["text", "output_text", "input_text"]);
const THOUGHT: ReadonlySet<string> = new Set(["thinking", "reasoning", "reasoning_text", "thought"]);

const spoken = (part: Part): string | null => (SPOKEN.has(part.type ?? "text") ? textIn(part["text"]) : null);

function thought(part: Part): string | null {
  if (!THOUGHT.has(part.type ?? "")) return null;
  return textIn(part["thinking"]) ?? textIn(part["reasoning"]) ?? textIn(part["text"]) ?? textIn(part["summary"]);
}

/** A text, `{ value }` around it, or parts again. */
function textIn(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (Array.isArray(value))
    return joined(Parts.safeParse(value).data ?? [], (part) => (typeof part === "string" ? part : textIn(part["text"])));
  const inner = Part.safeParse(value).data?.["value"];
  return typeof inner === "string" ? inner : null;
}

export interface AnswerUsage {
  /** Tokens; null where the server does not say. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly reasoningTokens: number | null;
}

/** `usage` of an answer, as much of it as is there. Never throws: what an answer cost is no reason to throw it away. */
export const AnswerUsage = z
  .unknown()
  .optional()
  .transform((value): AnswerUsage => {
    const usage = Part.safeParse(value).data ?? {};
    const details = Part.safeParse(usage["completion_tokens_details"] ?? usage["output_tokens_details"]).data ?? {};
    const [prompt, completion, total] = [
      numTokens(usage["prompt_tokens"] ?? usage["input_tokens"]),
      numTokens(usage["completion_tokens"] ?? usage["output_tokens"]),
      numTokens(usage["total_tokens"]),
    ];
    return {
      promptTokens: prompt ?? difference(total, completion),
      completionTokens: completion ?? difference(total, prompt),
      reasoningTokens: numTokens(details["reasoning_tokens"]),
    };
  });

const difference = (total: number | null, part: number | null): number | null =>
  total === null || part === null || total < part ? null : total - part;

/** Some servers count in floats, or in strings. */
function numTokens(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 && number <= Number.MAX_SAFE_INTEGER
    ? Math.round(number)
    : null;
}
