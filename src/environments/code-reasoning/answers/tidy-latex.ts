// One spelling for what LaTeX and people write in several. No meaning is read here.

const TEXTS = /\\(?:text(?:bf|it|rm|sf|tt|normal)?|mathrm|mathbf|mathit|mathsf|mbox|hbox|operatorname\*?)(?=\s*\{)\s*/g;
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
/** In this order; each is linear. */
const SPELLINGS: readonly (readonly [RegExp, string | ((match: string) => string)])[] = [
  [/\s+/g, " "],
  [/(?<=\d)(?:\{,\}|,\\!|\\,|[\u00a0\u2009\u202f])(?=\d{3}(?!\d))/g, ""],
  [/\\(?:left|right|[bB]igg?[lr]?|displaystyle|limits|!)(?![a-zA-Z])/g, ""],
  [/\\[,;: ]|~|\\q?quad(?![a-zA-Z])|[\u00a0\u2009\u202f]/g, " "],
  [/\\[dtc]frac(?![a-zA-Z])/g, "\\frac"],
  [/[−–‐‑]/g, "-"],
  [/\\(?:times|cdot|ast)(?![a-zA-Z])|[×·⋅∗]|\*\*(?=\s*-?\d)/g, (match) => (match === "**" ? "^" : "*")],
  [/\\%/g, "%"],
  [/\^\s*(?:\\circ(?![a-zA-Z])|\{\s*\\circ\s*\})|\\degree(?![a-zA-Z])/g, "°"],
  [/π/g, "\\pi "],
  [/∞/g, "\\infty "],
  [/√/g, "\\sqrt "],
  [/∪/g, "\\cup "],
  [/±/g, "\\pm "],
  [/\\lbrace(?![a-zA-Z])/g, "\\{"],
  [/\\rbrace(?![a-zA-Z])/g, "\\}"],
  [/[¼-¾⅐-⅞]/g, (match) => ` ${match.normalize("NFKC").replace("\u2044", "/")}`],
  [/[⁰¹²³⁴-⁹]+/g, (match) => `^{${match.replace(/./g, (digit) => String(SUPERSCRIPTS.indexOf(digit)))}}`],
  [TEXTS, "\\text"],
];

/** The text without the marks of mathematics and emphasis around it, spelled in one way. A dollar that is money stays as `$`. */
export function tidyLatex(text: string): string {
  const plain = SPELLINGS.reduce((tidy, [pattern, spelling]) => tidy.replace(pattern, spelling as string), withoutMarks(text.trim()));
  return plain.replace(/\\\$/g, "$").trim();
}

function withoutMarks(text: string): string {
  const inside = /^(?:\\\(([\s\S]*)\\\)|\\\[([\s\S]*)\\\]|\*\*([\s\S]*)\*\*)$/.exec(text);
  const inner = inside?.slice(1).find((part) => part !== undefined) ?? text;
  const dollars = inner.match(/(?<!\\)\$/g)?.length ?? 0;
  const bare = dollars % 2 === 0 ? inner.replace(/(?<!\\)\$/g, "") : inner;
  return bare.trim().replace(/(?<=[^.])\.$/, "");
}
