// Whether two answers say the same. Exact: numbers are fractions of whole numbers, and nothing is within a tolerance.
import { bracketed, splitOutside } from "./brackets.ts";
import { canonicalExpression } from "./expression.ts";
import { extractAnswer } from "./extract-answer.ts";
import { tidyLatex } from "./tidy-latex.ts";
import { type Measure, parseMeasure } from "./units.ts";

type Answer =
  | ({ readonly kind: "number" } & Measure)
  /** In brackets, in order: tuples, points, lists and intervals. */
  | { readonly kind: "sequence"; readonly brackets: string; readonly items: readonly Answer[] }
  /** In any order, each once: in braces, or a bare list; and the parts of a union. */
  | { readonly kind: "set" | "union"; readonly items: readonly Answer[] }
  | { readonly kind: "text"; readonly text: string };

/** A longer answer is compared as it is written, and so is what stands in more brackets. */
const [MAX_LENGTH, MAX_DEPTH] = [4_096, 30];
const NAME = /^\s*([a-zA-Z](?:_(?:\w|\{\w+\}))?)\s*=(?!=)/;

function parseAnswer(text: string): Answer {
  if (text.length > MAX_LENGTH) return { kind: "text", text: text.trim() };
  return parseTidy(withoutName(tidyLatex(text)), 0);
}

/** Whether an answer is the reference, which may be a whole solution that ends with its answer. No answer is never right. */
export function isCorrect(answer: string | null, reference: string): boolean {
  return answer !== null && areEquivalent(answer, extractAnswer(reference) ?? reference);
}

/**
 * Reflexive and symmetric. Transitive among answers that all say their unit or all do not: 5 cm is 5 and 5 m is 5, but 5 cm is not 5 m, since
 * a unit that is not said is the one that was asked for.
 */
export function areEquivalent(one: string, other: string): boolean {
  return isSame(parseAnswer(one), parseAnswer(other));
}

function parseTidy(text: string, depth: number): Answer {
  const measure = parseMeasure(text);
  if (measure !== null) return { kind: "number", ...measure };
  if (depth >= MAX_DEPTH) return { kind: "text", text };
  return (
    parseUnion(text, depth) ??
    parseBrackets(text, depth) ??
    parseWrapped(text, depth) ??
    parseBareList(text, depth) ?? { kind: "text", text: canonicalExpression(text) }
  );
}

/** `x = 5` says 5. In `x = 1, y = 2` the names are part of the answer. */
function withoutName(text: string): string {
  const parts = splitOutside(text, (token) => token === ",");
  const names = new Set(parts.flatMap((part) => NAME.exec(part)?.[1] ?? []));
  return names.size === 1 && NAME.test(text) ? parts.map((part) => part.replace(NAME, "").trim()).join(",") : text;
}

function parseUnion(text: string, depth: number): Answer | null {
  const parts = splitOutside(text, (token) => token === "\\cup");
  return parts.length < 2
    ? null
    : unordered(
        "union",
        parts.map((part) => parseTidy(part.trim(), depth + 1)),
      );
}

function parseBrackets(text: string, depth: number): Answer | null {
  const bracket = bracketed(text);
  if (bracket === null) return null;
  const parts = splitOutside(bracket.inside, (token) => token === ",").map((part) => part.trim());
  if (parts.length === 1 && bracket.open === "(" && bracket.close === ")") return parseTidy(bracket.inside.trim(), depth + 1);
  const items = parts.length === 1 && parts[0] === "" ? [] : parts.map((part) => parseTidy(part, depth + 1));
  return bracket.open === "\\{" ? unordered("set", items) : { kind: "sequence", brackets: `${bracket.open}${bracket.close}`, items };
}

/** `\text{…}` and `{…}` around the whole. */
function parseWrapped(text: string, depth: number): Answer | null {
  const [, inside] = /^(?:\\text\s*)?\{([^{}]*)\}$/.exec(text) ?? [];
  return inside === undefined ? null : parseTidy(inside.trim(), depth + 1);
}

/** Several numbers or formulas, none of them words: `1, 2`, `1 and 2`, `\pm 2`. Their order says nothing. */
function parseBareList(text: string, depth: number): Answer | null {
  if (text.split("\\pm").length === 2) {
    return unordered(
      "set",
      ["+", "-"].map((sign) => parseTidy(text.replace(/\\pm\s*/, sign), depth + 1)),
    );
  }
  const commas = text.replace(/,?\s*(?:\\text\s*\{\s*(?:and|or)\s*\}|(?<=\s)(?:and|or)(?=\s))\s*/g, ",");
  const parts = splitOutside(commas, (token) => token === ",").map((part) => part.trim());
  if (parts.length < 2 || parts.includes("")) return null;
  const items = parts.map((part) => parseTidy(part, depth + 1));
  return items.some((item) => item.kind === "text" && /^[\p{L} ]*\p{L}{2}/u.test(item.text)) ? null : unordered("set", items);
}

function unordered(kind: "set" | "union", items: readonly Answer[]): Answer {
  const byKey = new Map(items.map((item) => [keyOf(item), item]));
  return { kind, items: [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item) };
}

/** Equal keys, equal answers, units included; a number's value comes before its unit. */
function keyOf(answer: Answer): string {
  switch (answer.kind) {
    case "number":
      return JSON.stringify(["number", `${answer.numerator}/${answer.denominator}`, answer.unit]);
    case "text":
      return JSON.stringify(["text", answer.text]);
    default:
      return JSON.stringify([answer.kind, answer.kind === "sequence" ? answer.brackets : "", answer.items.map(keyOf)]);
  }
}

function isSame(a: Answer, b: Answer): boolean {
  if (a.kind === "number" && b.kind === "number") {
    const isUnitSame = a.unit === b.unit || a.unit === "" || b.unit === "";
    return isUnitSame && a.numerator === b.numerator && a.denominator === b.denominator;
  }
  if (a.kind === "text" || b.kind === "text" || a.kind === "number" || b.kind === "number") return keyOf(a) === keyOf(b);
  if (a.kind !== b.kind || a.items.length !== b.items.length) return false;
  if (a.kind === "sequence" && b.kind === "sequence" && a.brackets !== b.brackets) return false;
  return a.items.every((item, i) => isSame(item, b.items[i] as Answer));
}
