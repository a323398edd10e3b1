// How long a server that limits its rate asks to be left alone: by its headers, else by its words ("Please try again in 1m30.5s").

/** What is longer in words is a quota, and no wait. */
const LONGEST_IN_WORDS_SECONDS = 600;
const ASKS = /\b(?:try again|retry|wait|available|resets?|back off)\b[^\d.;\n]{0,30}?\b((?:\d+(?:\.\d+)?\s*[a-z]+[\s,]*(?:and\s+)?)+)/gi;
const AMOUNT = /(\d+(?:\.\d+)?)\s*([a-z]+)/gi;
const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(ms|msecs?|milliseconds?)$/i, 0.001],
  [/^(s|secs?|seconds?)$/i, 1],
  [/^(m|mins?|minutes?)$/i, 60],
  [/^(h|hrs?|hours?)$/i, 3600],
];

/** Seconds from `now`, in milliseconds; null where the server does not say. */
export function retryAfter(headers: Pick<Headers, "get"> | null | undefined, words: string, now: number): number | null {
  return ofHeader(headers?.get("retry-after-ms"), 0.001, now) ?? ofHeader(headers?.get("retry-after"), 1, now) ?? ofWords(words);
}

/** A number, or a date. */
function ofHeader(header: string | null | undefined, unit: number, now: number): number | null {
  if (header === null || header === undefined || header.trim() === "") return null;
  const seconds = /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) * unit : (Date.parse(header) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}

/** The longest of the waits that are asked for. */
function ofWords(words: string): number | null {
  const waits = [...words.matchAll(ASKS)].map(([, amounts = ""]) => secondsOf(amounts)).filter((seconds) => seconds > 0);
  const longest = Math.max(0, ...waits);
  return longest > 0 && longest <= LONGEST_IN_WORDS_SECONDS ? longest : null;
}

/** 0 for what is no time, e.g. "5 requests". */
function secondsOf(amounts: string): number {
  const parts = [...amounts.matchAll(AMOUNT)].map(([, amount, name = ""]) => {
    const unit = UNITS.find(([pattern]) => pattern.test(name))?.[1];
    return unit === undefined ? null : Number(amount) * unit;
  });
  return parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
}
