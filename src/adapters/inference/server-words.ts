// What an endpoint says in its own words when something is wrong, whichever way it writes that down, made fit for a message.
import { z } from "zod";
import { shortenMiddle, startOf } from "#core/text.ts";

export interface ServerError {
  /** One line, cut and cleaned; empty where nothing is said. */
  readonly message: string;
  /** The server's own name for it, e.g. insufficient_quota. */
  readonly code: string | null;
  readonly type: string | null;
  /** The field of the request that it is about. */
  readonly param: string | null;
  /** The HTTP status that it names, which need not be the one it came with. */
  readonly status: number | null;
}

const Fields = z.record(z.string(), z.unknown());
type Fields = z.infer<typeof Fields>;

/** Where servers put the sentence, the plainest first. */
const SENTENCES = [
  "message",
  "error_message",
  "detail",
  "msg",
  "error_description",
  "description",
  "status_msg",
  "error_msg",
  "title",
  "reason",
  "errors",
];
/** Where they put the whole error. */
const WRAPPINGS = ["error", "base_resp", "errors", "detail"];
const CODES = ["code", "status_code", "status", "http_code", "error_code"];
const MAX_DEPTH = 4;

/** Of the parsed body of an answer, or of a text that is no JSON. Null: it tells of no error. */
export function readServerError(body: unknown): ServerError | null {
  if (typeof body === "string") return { ...NOTHING, message: describeText(body) || "an answer without a word" };
  const whole = fieldsOf(Array.isArray(body) ? body[0] : body);
  if (whole === null) return null;
  const wrapped = WRAPPINGS.map((name) => whole[name]).find((value) => !isNothing(value));
  const inner = fieldsOf(wrapped) ?? {};
  const message = sentenceOf(wrapped) || sentenceOf(whole);
  if (message === "") return null;
  const codes = [inner, whole].flatMap((fields) => CODES.map((name) => fields[name])).filter((value) => !isNothing(value));
  return {
    message: cleanWords(message),
    code: textOf(inner["code"] ?? whole["code"]),
    type: textOf(inner["type"] ?? whole["type"]),
    param: textOf(inner["param"] ?? whole["param"]),
    status: codes.map(statusOf).find((status) => status !== null) ?? null,
  };
}

const NOTHING = { code: null, type: null, param: null, status: null };
const MAX_READ = 20_000;
const MAX_MESSAGE = 400;
const MAX_TITLE = 120;

/** One line for a message: control characters, colours and halves of characters go, and of a long text the middle. */
export function cleanWords(text: string, most = MAX_MESSAGE): string {
  const line = shortenMiddle(text, MAX_READ)
    .replace(/\p{Cc}\[[\d;?]*[A-Za-z]/gu, "")
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  return shortenMiddle(line, most);
}

/** A web page says what it is in its title, or in what is left without tags; any other text is its own sentence. */
export function describeText(text: string): string {
  if (!isWebPage(text)) return cleanWords(text);
  const start = startOf(text, MAX_READ);
  const title = cleanWords(/<title[^>]*>([^<]*)/i.exec(start)?.[1] ?? start.replace(/<[^>]*>/g, " "), MAX_TITLE);
  return title === "" ? "an HTML page" : `an HTML page, ${JSON.stringify(title)}`;
}

export const isWebPage = (text: string): boolean => /^\s*(<\?xml[^>]*>\s*)?<(!doctype\s+html|html|head|body)\b/i.test(startOf(text, 1000));

function fieldsOf(value: unknown): Fields | null {
  const parsed = Fields.safeParse(Array.isArray(value) ? undefined : value);
  return parsed.success ? parsed.data : null;
}

const isNothing = (value: unknown): boolean => value === undefined || value === null || value === "" || value === false;

/** Of the value of any of the places: a sentence, several, or an object that has one. */
function sentenceOf(value: unknown, depth = 0): string {
  if (typeof value === "string") return value.trim();
  if (depth > MAX_DEPTH || isNothing(value)) return "";
  if (Array.isArray(value))
    return value
      .slice(0, 5)
      .map((one) => sentenceOf(one, depth + 1))
      .filter((text) => text !== "")
      .join("; ");
  const fields = fieldsOf(value);
  if (fields === null) return "";
  const found =
    SENTENCES.map((name) => sentenceOf(fields[name], depth + 1)).find((text) => text !== "") ?? sentenceOf(fields["error"], depth + 1);
  return [placeOf(fields), found, rawOf(fields)].filter((text) => text !== "").join(": ");
}

/** Of an error of FastAPI or Pydantic: where in the request. */
function placeOf({ loc }: Fields): string {
  return Array.isArray(loc) ? loc.map(String).join(".") : "";
}

/** What a router hands on from the provider behind it (OpenRouter). */
function rawOf({ metadata }: Fields): string {
  const raw = fieldsOf(metadata)?.["raw"];
  return typeof raw === "string" ? (sentenceOf(parseOr(raw)) || raw).trim() : sentenceOf(raw);
}

function parseOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function textOf(value: unknown): string | null {
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}

function statusOf(value: unknown): number | null {
  const number = Number(typeof value === "string" && value.trim() !== "" ? value : typeof value === "number" ? value : Number.NaN);
  return Number.isInteger(number) && number >= 400 && number <= 599 ? number : null;
}
