// A number and what it counts.
import { parseRational, type Rational } from "./rational.ts";

export interface Measure extends Rational {
  /** Empty when none is said. */
  readonly unit: string;
}

/** Written without `\text` and without a space before them these are units; other letters are variables. */
const KNOWN = "km|cm|mm|kg|mg|lbs?|oz|mi|ft|yd|m[lL]|sec|mins?|hrs?|mph|kph|kWh?|Hz|rad";
const POWER = String.raw`\s*(?:\^\s*(?:\{\s*\d\s*\}|\d))?`;
const SUFFIXES: readonly RegExp[] = [
  /^(.*?)\s*([%°$])$/s,
  new RegExp(String.raw`^(.*?)\s*\\text\s*\{([^{}]*)\}(${POWER})$`, "s"),
  new RegExp(String.raw`^(.*?[\d})])\s*((?:${KNOWN})(?:/(?:${KNOWN}|[hs]))?)(${POWER})$`, "s"),
  new RegExp(String.raw`^(.*?[\d})])\s+((?:[A-Za-z]{3,}|${KNOWN})(?:[ /-][A-Za-z]{2,})*)(${POWER})$`, "s"),
];
/** One word for units that are written in several. */
const SAME: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "%": ["percent", "per cent", "percentage"],
    "°": ["degree", "deg"],
    $: ["dollar", "usd", "USD", "buck"],
    foot: ["feet", "ft"],
    inch: ["inche"],
    pound: ["lb", "lbs"],
    mi: ["mile"],
    hour: ["hr", "hrs"],
    minute: ["min", "mins"],
    second: ["sec"],
  }).flatMap(([unit, names]) => names.map((name) => [name, unit])),
);

/** The number, with its unit, that a tidied text is; null when it is none. A currency before the number is a unit. */
export function parseMeasure(text: string): Measure | null {
  const money = /^([+-]?)\s*\$\s*(?=[\d.+-]|\\frac)(.*)$/s.exec(text);
  if (money !== null) return withUnit(`${money[1]}${money[2]}`, "$");
  const bare = withUnit(text, "");
  if (bare !== null) return bare;
  for (const pattern of SUFFIXES) {
    const [match, number = "", unit = "", power = ""] = pattern.exec(text) ?? [];
    const measure = match === undefined ? null : withUnit(number, canonicalUnit(unit, power));
    if (measure !== null) return measure;
  }
  return null;
}

function withUnit(number: string, unit: string): Measure | null {
  const value = parseRational(number);
  return value === null ? null : { ...value, unit };
}

/** Singular, long words in lower case: `MW` is not `mW`. `square m` is `m^2`. */
function canonicalUnit(written: string, power: string): string {
  const unit = written.trim().replace(/\s+/g, " ").replace(/\.$/, "");
  const lower = unit.length > 3 ? unit.toLowerCase() : unit;
  const [, shape, base = lower] = /^(?:(square|sq|cubic) )?(.*)$/s.exec(lower) ?? [];
  const singular = base.length > 3 ? base.replace(/s$/, "") : base;
  const exponent = shape === undefined ? power.replace(/[\s^{}]/g, "") : shape === "cubic" ? "3" : "2";
  return `${SAME.get(singular) ?? singular}${exponent === "" || exponent === "1" ? "" : `^${exponent}`}`;
}
