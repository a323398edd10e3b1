// Handles: short names for ids. @r1 is the first reservation id that the user or a tool mentioned, @p2 the second payment method, …
// A small model copies a handle, one token, where it could not copy six characters; the harness puts the id back before a tool runs.

export type HandleKind = "u" | "r" | "p" | "f" | "d" | "a";

const MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
/** The airline's calendar has one year. */
const YEAR = "2024";
/** Airports by IATA code: the twenty of tau-bench's airline. Other three-letter words stay words. */
const AIRPORT = "ATL|BOS|CLT|DEN|DFW|DTW|EWR|IAH|JFK|LAS|LAX|LGA|MCO|MIA|MSP|ORD|PHL|PHX|SEA|SFO";

/** Everything in free text that becomes a handle. The order of alternatives decides: a payment id is also a word with digits. */
const MENTION = new RegExp(
  [
    "(?<p>\\b(?:credit_card|gift_card|certificate)_\\d+\\b)",
    "(?<u>\\b[a-z]+(?:_[a-z]+)+_\\d{4}\\b)",
    "(?<f>\\bHAT\\d{3}\\b(?: on \\d{4}-\\d{2}-\\d{2}\\b)?)",
    "(?<d>\\b\\d{4}-\\d{2}-\\d{2}\\b)",
    `(?<m>\\b(?:${MONTHS.map((month) => `[${month[0]?.toUpperCase()}${month[0]}]${month.slice(1)}`).join("|")}) \\d{1,2}(?:st|nd|rd|th)?\\b)`,
    "(?<r>\\b(?=[A-Z0-9]*[A-Z])[A-Z0-9]{6}\\b)",
    `(?<a>\\b(?:${AIRPORT})\\b)`,
  ].join("|"),
  "g",
);
const HANDLE = /@([urpfda])(\d+)/g;

/** Ids by handle of one conversation, in order of appearance. Flights are known by number and date: "HAT001 on 2024-05-20". */
export class HandleTable {
  readonly #ids = new Map<HandleKind, string[]>();

  /** The handle of an id; a new one when the id is new. */
  allot(kind: HandleKind, id: string): string {
    const ids = this.#ids.get(kind) ?? [];
    if (ids.length === 0) this.#ids.set(kind, ids);
    const known = ids.indexOf(id);
    return `@${kind}${known >= 0 ? known + 1 : ids.push(id)}`;
  }

  /** The handle of an id that was mentioned before; otherwise null. */
  find(kind: HandleKind, id: string): string | null {
    const known = this.#ids.get(kind)?.indexOf(id) ?? -1;
    return known >= 0 ? `@${kind}${known + 1}` : null;
  }

  /** The id behind a handle such as "@r1"; null when it is no handle or nothing was mentioned under it. */
  id(handle: string): string | null {
    const [, kind, number] = /^@([urpfda])(\d+)$/.exec(handle) ?? [];
    return this.#ids.get(kind as HandleKind)?.[Number(number) - 1] ?? null;
  }

  /** Free text with ids replaced by handles. `allots`: whether unseen ids get a handle or stay as they are. */
  compress(text: string, allots: boolean): string {
    return text.replace(MENTION, (mention, ...rest) => {
      const [kind, id] = namedMention(mention, rest.at(-1) as Record<string, string | undefined>);
      return allots ? this.allot(kind, id) : (this.find(kind, id) ?? mention);
    });
  }

  /** Free text with handles replaced by ids; unknown handles stay. */
  expand(text: string): string {
    return text.replace(HANDLE, (handle) => this.id(handle) ?? handle);
  }
}

function namedMention(mention: string, groups: Readonly<Record<string, string | undefined>>): [HandleKind, string] {
  if (groups["m"] !== undefined) return ["d", isoDate(mention)];
  const kind = Object.keys(groups).find((name) => groups[name] !== undefined) as HandleKind;
  return [kind, mention];
}

/** "May 5th" -> "2024-05-05" */
function isoDate(monthDay: string): string {
  const [month = "", day = ""] = monthDay.split(" ");
  return `${YEAR}-${String(MONTHS.indexOf(month.toLowerCase()) + 1).padStart(2, "0")}-${String(Number.parseInt(day, 10)).padStart(2, "0")}`;
}
