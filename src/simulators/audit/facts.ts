// Facts that a user states in plain text: ids, e-mail addresses, dates, numbers, names, places. Rules for English customer chats;
// what they cannot read they leave out, so that a fact that is found is worth a look.

import { canonicalNumber } from "#core/exact-json.ts";

export interface Fact {
  readonly kind: "id" | "email" | "date" | "number" | "name" | "place";
  /** As the user wrote it. */
  readonly text: string;
  /** Equal facts, equal keys. */
  readonly key: string;
}

/** Places that go by several names, e.g. ["IAH", "Houston"]. */
export type Places = readonly (readonly string[])[];

const MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const MONTH = MONTHS.map((name) => `${name}|${name.slice(0, 3)}`).join("|");
const NUMBER_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

const EMAIL = /[\w.+-]+@[\w-]+\.[\w.-]*\w/g;
/** mia_li_3668, credit_card_4421486, #W1234567, HAT081, NQNU5R, IFOYYZ, 1151293680 */
const ID = /#?\b(?:[a-z]+(?:_[a-z]+)*_\d{3,}|W\d{6,8}|HAT\d{3}|\d{8,}|(?=[A-Z0-9]*[A-Z])[A-Z0-9]{6})\b/g;
const DATE = new RegExp(
  `\\b(?:(\\d{4})-(\\d{2})-(\\d{2})|(${MONTH})\\.? (\\d{1,2})(?:st|nd|rd|th)?\\b|(\\d{1,2})(?:st|nd|rd|th)?(?: of)? (${MONTH})\\b)(?:,? \\d{4}\\b(?!-))?`,
  "gi",
);
/** Years and times of day are left out; so is everything below 13 that is not counted in bags, people or money. */
const NUMBER =
  /(\$ ?)?(?<![\w.:#-])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\w:]|-\d|\.\d)( ?(?:dollars?|usd|bags?|suitcases?|passengers?|people|tickets?|%))?/gi;
const COUNTED_WORD = new RegExp(
  `\\b(${NUMBER_WORDS.slice(2).join("|")})(?= (?:more |extra |additional |checked |free )*(?:bags?|suitcases?|passengers?|people|tickets?)\\b)`,
  "gi",
);
const NAME = /\b(?:[Nn]ame is|[Nn]amed|[Nn]ame:|[Ii] am|[Ii]'m|[Tt]his is) ([A-Z][a-z]+ [A-Z][a-z]+)\b/g;

/** Every fact of a text, without repetitions. */
export function factsOf(text: string, places: Places): Fact[] {
  const found: Fact[] = [];
  const add = (kind: Fact["kind"], written: string, key: string): void => {
    if (!found.some((fact) => fact.kind === kind && fact.key === key)) found.push({ kind, text: written.trim(), key });
  };
  let rest = text;
  const take = (pattern: RegExp, read: (match: RegExpMatchArray) => void): void => {
    for (const match of rest.matchAll(pattern)) read(match);
    rest = rest.replace(pattern, " ~ ");
  };
  take(EMAIL, ([written]) => add("email", written, written.toLowerCase()));
  take(ID, ([written]) => add("id", written, idKey(written)));
  take(DATE, (match) => add("date", match[0], dateKey(match)));
  take(NUMBER, (match) => {
    const written = `${match[2]?.replaceAll(",", "")}${match[3] ?? ""}`;
    const value = Number(written);
    const isCounted = match[1] !== undefined || match[4] !== undefined;
    const isYear = !isCounted && value >= 1900 && value < 2100;
    if ((isCounted && value > 1) || (value > 12 && !isYear)) add("number", match[0], canonicalNumber(written));
  });
  take(COUNTED_WORD, ([written]) => add("number", written, String(NUMBER_WORDS.indexOf(written.toLowerCase()))));
  take(NAME, ([, name = ""]) => add("name", name, name.toLowerCase()));
  for (const names of places) for (const name of names) if (hasWord(text, name)) add("place", name, names.join("|"));
  return found;
}

const idKey = (written: string): string => written.replace("#", "").toLowerCase();

function dateKey([, , isoMonth, isoDay, monthBefore, dayAfter, dayBefore, monthAfter]: RegExpMatchArray): string {
  if (isoMonth !== undefined) return `${Number(isoMonth)}-${Number(isoDay)}`;
  const name = (monthBefore ?? monthAfter ?? "").toLowerCase().slice(0, 3);
  return `${MONTHS.findIndex((month) => month.startsWith(name)) + 1}-${Number(dayAfter ?? dayBefore)}`;
}

/** Everything that may be stated rightly, from texts. Reads more generously than `factsOf`: every number, every word. */
export class Knowledge {
  #text = "";
  readonly #dates = new Set<string>();
  readonly #numbers = new Set<string>();

  constructor(...texts: readonly string[]) {
    for (const text of texts) this.add(text);
  }

  add(text: string): void {
    this.#text += `\n${text}`;
    for (const match of text.matchAll(DATE)) this.#dates.add(dateKey(match));
    for (const match of text.matchAll(/(\d{1,2})\/(\d{1,2})/g)) this.#dates.add(`${Number(match[1])}-${Number(match[2])}`);
    for (const [number] of text.matchAll(/\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?/g))
      this.#numbers.add(canonicalNumber(number.replaceAll(",", "")));
    for (const [word] of text.matchAll(/[a-z]+/gi)) {
      const value = NUMBER_WORDS.indexOf(word.toLowerCase());
      if (value >= 0) this.#numbers.add(String(value));
    }
  }

  has({ kind, key }: Fact): boolean {
    const lower = this.#text.toLowerCase();
    switch (kind) {
      case "id":
      case "email":
        return hasWhole(lower, key);
      case "date":
        return this.#dates.has(key);
      case "number":
        return this.#numbers.has(key) || (key.length >= 4 && lower.includes(key));
      case "name":
        return key.split(" ").every((word) => lower.includes(word));
      case "place":
        return key.split("|").some((name) => hasWord(lower, name.toLowerCase()));
    }
  }
}

/** An id or an address with nothing more before or after it: 12345678 is not 123456789. An id may stand in a longer one, as in card_12345678. */
function hasWhole(text: string, key: string): boolean {
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) {
    if (!isLetterOrDigit(text[at - 1]) && !isLetterOrDigit(text[at + key.length])) return true;
  }
  return false;
}

const isLetterOrDigit = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}]/u.test(character);

/** A whole word, in this very spelling: "SEA" is an airport, "sea" is none. */
const hasWord = (text: string, word: string): boolean => new RegExp(`\\b${word}\\b`).test(text);
