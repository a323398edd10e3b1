// Which field of a request an endpoint refuses as such, from its own words: OpenAI, Azure, routers and servers that check every field
// say it in many ways. A value that is too large, or a context that is full, is no refusal of a field.

export type AdaptableField = "max_tokens" | "max_completion_tokens" | "temperature" | "seed";

export interface Refusal {
  readonly message: string;
  /** As OpenAI names them, where the server does. */
  readonly param: string | null | undefined;
  readonly code: string | null | undefined;
}

const REFUSES =
  /unsupported|not (be )?(support|permit|allow|recogni[sz]|accept|availabl|valid|expect|implement|known)|(does|do|is|are)(n'?t| not) |unrecogni[sz]ed|unknown|unexpected|extra[ _](input|field|param|arg|forbidden)|forbidden|no longer|deprecated|cannot find|can(no|')t be|invalid (request )?(param|arg|field|key|prop|input)|instead|\bonly the default|remove /i;
/** A complaint about what the field holds. */
const OF_ITS_VALUE =
  /too (large|small|big|high|low|long|many|few)|exceed|at (most|least)|(less|great|more|small|larg|high|low)er? than|between|out of range|maximum|minimum|context|positive|must be (an?|>|<|set)|required/i;
/** What is named as the better one is not refused. */
const ADVICE =
  /\b(use|try|send|specify|prefer|in favou?r of|replaced (by|with)|renamed to)\s+(the\s+)?((parameter|field|argument)\s+)?['"`]?\w+['"`]?/gi;
const CODES_OF_FIELDS = /unsupported|unknown|unrecogni[sz]ed|extra|invalid_(parameter|argument|field)/i;

/** The first of the fields that were sent, in the order given; null when none is refused. */
export function refusedField<Field extends AdaptableField>(refusal: Refusal, sent: readonly Field[]): Field | null {
  const { param, code } = refusal;
  const message = refusal.message.replace(ADVICE, "instead");
  if (OF_ITS_VALUE.test(message)) return null;
  const named = sent.find((field) => field === param && (CODES_OF_FIELDS.test(code ?? "") || REFUSES.test(message)));
  if (named !== undefined) return named;
  return REFUSES.test(message) ? (sent.find((field) => names(message, field)) ?? null) : null;
}

/** `max_tokens` is not part of `max_tokens_to_sample`, and stands for `maxTokens` and `max-tokens` as well. */
function names(message: string, field: AdaptableField): boolean {
  const pattern = field.split("_").join("[_ -]?");
  return new RegExp(`(?<![A-Za-z0-9_])${pattern}(?![A-Za-z0-9_])`, "i").test(message);
}
