import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { areEquivalent, isCorrect } from "#environments/code-reasoning/answers/answer.ts";
import { answerOfTool, extractAnswer } from "#environments/code-reasoning/answers/extract-answer.ts";

interface Fraction {
  readonly above: number;
  readonly below: number;
}
const fractions: fc.Arbitrary<Fraction> = fc.record({
  above: fc.integer({ min: -99_999, max: 9_999_999 }),
  below: fc.constantFrom(1, 1, 2, 3, 4, 7, 8, 10, 25, 60, 125),
});
const factors = fc.constantFrom(1, 1, 2, 3, 10);
const grouped = (digits: string, by: string) => digits.replace(/\B(?=(\d{3})+(?!\d))/g, by);
const isWhole = ({ above, below }: Fraction) => above % below === 0;
const isDecimal = ({ above, below }: Fraction) => Number.isInteger((above * 1000) / below);

/** Ways to write a number: each takes the ones that it can write, and gives null for others. */
const WRITERS: readonly ((number: Fraction, factor: number) => string | null)[] = [
  ({ above, below }, k) => `\\frac{${above * k}}{${below * k}}`,
  ({ above, below }, k) => `${above < 0 ? "-" : ""}\\dfrac{${Math.abs(above * k)}}{${below * k}}`,
  ({ above, below }, k) => `${above * k}/${below * k}`,
  ({ above, below }, k) => `\\tfrac{ ${-above * k} } { ${-below * k} }`,
  ({ above, below }) => (above > 0 && above < 10 && below < 10 ? `\\frac${above}${below}` : null),
  (number) => (isWhole(number) ? String(number.above / number.below) : null),
  (number) => (isWhole(number) ? `${number.above / number.below}.00` : null),
  (number) => (isWhole(number) ? grouped(String(number.above / number.below), ",") : null),
  (number) => (isWhole(number) ? grouped(String(number.above / number.below), "{,}") : null),
  (number) => (isWhole(number) ? grouped(String(number.above / number.below), "\\,") : null),
  (number) => (isWhole(number) ? grouped(String(number.above / number.below), ",\\!") : null),
  (number) => (isDecimal(number) ? (number.above / number.below).toFixed(3) : null),
  (number) => (isDecimal(number) ? `${(number.above * 1000) / number.below}e-3` : null),
  (number) => (isDecimal(number) ? `${(number.above * 1000) / number.below} \\times 10^{-3}` : null),
  (number) => (isDecimal(number) ? `${(number.above / number.below).toFixed(3)} \\cdot 10^0` : null),
  (number) => (isDecimal(number) ? (number.above / number.below).toFixed(3).replace(/^(-?)0\./, "$1.") : null),
  ({ above, below }) => mixed(above, below, (whole, part) => `${whole}\\frac{${part}}{${below}}`),
  ({ above, below }) => mixed(above, below, (whole, part) => `${whole} ${part}/${below}`),
  ({ above, below }) => (below === 3 ? repeating(above, (digit) => `\\overline{${digit}}`) : null),
  ({ above, below }) => (above < 0 ? `−${-above}/${below}` : `+${above}/${below}`),
];
function mixed(above: number, below: number, write: (whole: number, part: number) => string): string | null {
  const [whole, part] = [Math.floor(Math.abs(above) / below), Math.abs(above) % below];
  return part === 0 ? null : `${above < 0 ? "-" : ""}${write(whole, part)}`;
}
function repeating(above: number, write: (digit: number) => string): string {
  const [whole, part] = [Math.floor(Math.abs(above) / 3), Math.abs(above) % 3];
  return `${above < 0 ? "-" : ""}${whole}.${write(part * 3)}`;
}
/** What people put around a number and mean nothing by. */
const WRAPPERS: readonly ((written: string) => string)[] = [
  (written) => written,
  (written) => `  ${written} `,
  (written) => `$${written}$`,
  (written) => `\\(${written}\\)`,
  (written) => `**${written}**`,
  (written) => `x = ${written}`,
  (written) => `{${written}}`,
  (written) => `\\left(${written}\\right)`,
  (written) => `${written}.`,
  (written) => `\\displaystyle ${written}`,
];
const UNITS = ["\\text{ cm}", "\\ \\mathrm{cm}", " cm", "\\,\\text{cm}"];

const written = (number: Fraction) =>
  fc
    .tuple(fc.constantFrom(...WRITERS), factors, fc.constantFrom(...WRAPPERS))
    .map(([write, factor, wrap]) => ({ write: write(number, factor), wrap }))
    .filter(({ write }) => write !== null)
    // In brackets a bare comma separates: (1,234) has two items, (1{,}234) is a number.
    .map(({ write, wrap }) => ({ write: wrap("").includes("left(") ? write?.replace(/(?<!\\),(?=\d)/g, "{,}") : write, wrap }))
    .map(({ write, wrap }) => wrap(write as string));
const twoWritings = fc.tuple(fractions, fractions).chain(([one, other]) =>
  fc.record({
    one: written(one),
    sibling: written(one),
    other: written(other),
    isEqual: fc.constant(one.above * other.below === other.above * one.below),
  }),
);

const atom = fc.oneof(
  fractions.chain(written),
  fc.constantFrom("x", "2\\sqrt{3}", "\\pi/2", "x^2+1", "yes", "\\text{Monday}", "5 cm", "5\\%", "\\$5", "12:30", "\\infty", ""),
  fc.string(),
);
const anyAnswer = fc.oneof(
  atom,
  fc
    .tuple(
      fc.constantFrom("(", "[", "\\{", "", "\\left("),
      fc.array(atom, { maxLength: 4 }),
      fc.constantFrom(")", "]", "\\}", "", "\\right)"),
    )
    .map(([open, items, close]) => `${open}${items.join(", ")}${close}`),
);

describe("numbers", () => {
  test("a number is itself however it is written, and no other number", () => {
    fc.assert(
      fc.property(twoWritings, ({ one, sibling, other, isEqual }) => {
        expect([one, sibling, areEquivalent(one, sibling)]).toEqual([one, sibling, true]);
        expect([one, other, areEquivalent(one, other)]).toEqual([one, other, isEqual]);
      }),
      { numRuns: 2_000 },
    );
  });

  test("neighbours of many digits are told apart: there is no tolerance", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 60n }), fc.integer({ min: 0, max: 80 }), (digits, places) => {
        const decimal = (value: bigint) => `${value}e-${places}`;
        expect(areEquivalent(decimal(digits), decimal(digits + 1n))).toBe(false);
        expect(areEquivalent(decimal(digits), `\\frac{${digits}}{1${"0".repeat(places)}}`)).toBe(true);
      }),
    );
  });

  test("a unit may be left out, but not be another one", () => {
    fc.assert(
      fc.property(fractions, fc.constantFrom(...UNITS), fc.constantFrom(...UNITS), ({ above, below }, unit, sibling) => {
        const number = `${above}/${below}`;
        expect(areEquivalent(`${number}${unit}`, number)).toBe(true);
        expect(areEquivalent(`${number}${unit}`, `${number}${sibling}`)).toBe(true);
        expect(areEquivalent(`${number}${unit}`, `${number}\\text{ km}`)).toBe(false);
        expect(areEquivalent(`${number}${unit}^2`, `${number}${unit}`)).toBe(false);
        expect(areEquivalent(`${number}${unit}^2`, `${number}${sibling}^{2}`)).toBe(true);
      }),
    );
  });

  test.each([
    ["50\\%", "50 percent"],
    ["90^\\circ", "90°"],
    ["90^{\\circ}", "90 degrees"],
    ["\\$1,000.50", "1000.5 dollars"],
    ["$18", "18"],
    ["-\\$5", "$-5"],
    ["3 \\text{ feet}", "3 ft"],
    ["12 apples", "12 \\text{ apple}"],
    ["5 square cm", "5\\text{ cm}^2"],
    ["½", "0.5"],
    ["5$", "5 dollars"],
    ["5 constructor", "5 constructors"],
    ["2½", "\\frac{5}{2}"],
    ["1.2×10³", "1200"],
    ["100\\text{ km/h}", "100 km/h"],
    ["0.1\\overline{6}", "1/6"],
    ["3 hours", "3 \\mathrm{hr}"],
  ])("%s is %s", (one, other) => {
    expect(areEquivalent(one, other)).toBe(true);
    expect(areEquivalent(other, one)).toBe(true);
  });

  test.each([
    ["50%", "0.5", "a percent sign may be left out, its hundredth not be meant"],
    ["5x", "5", "a letter is a variable"],
    ["3+4", "7", "nothing is worked out"],
    ["7^2", "49", "nothing is worked out"],
    ["1,23", "123", "these are no thousands"],
    ["2\\frac{3}{2}", "7/2", "with an improper fraction it may be a product"],
    ["5 constructor", "5 toString", "units are no properties of objects"],
    ["5 MW", "5 mW", "case tells units apart"],
    ["1/0", "0", "no number"],
    ["--5", "5", "no number"],
    ["1e9999", "1e9998", "too large, and two texts"],
  ])("%s is not %s: %s", (one, other) => {
    expect(areEquivalent(one, other)).toBe(false);
    expect(areEquivalent(other, one)).toBe(false);
    expect(areEquivalent(one, one)).toBe(true);
  });
});

describe("collections", () => {
  const items = fc.array(fractions, { minLength: 2, maxLength: 5 });
  const render = (list: readonly Fraction[]) => list.map(({ above, below }) => `${above}/${below}`);
  const rotated = <T>(list: readonly T[]) => [...list.slice(1), ...list.slice(0, 1)];

  test("order counts in round and square brackets, and not in braces and bare lists", () => {
    fc.assert(
      fc.property(items, (list) => {
        const [given, turned] = [render(list), render(rotated(list))];
        const isSame = list.every(
          ({ above, below }, i) => above * (rotated(list)[i]?.below ?? 0) === (rotated(list)[i]?.above ?? 0) * below,
        );
        for (const [open, close] of ["()", "[]", "(]", "[)"].map((pair) => [...pair])) {
          expect(areEquivalent(`${open}${given.join(",")}${close}`, `\\left${open} ${given.join(" , ")} \\right${close}`)).toBe(true);
          expect(areEquivalent(`${open}${given.join(",")}${close}`, `${open}${turned.join(",")}${close}`)).toBe(isSame);
        }
        expect(areEquivalent(`\\{${given.join(",")}\\}`, `\\left\\{${[...turned, turned[0]].join(", ")}\\right\\}`)).toBe(true);
        expect(areEquivalent(given.join(", "), turned.join(" and "))).toBe(true);
        expect(areEquivalent(given.map((one) => `x = ${one}`).join(", "), turned.join(" \\text{ or } "))).toBe(true);
      }),
    );
  });

  test("a set with another number is another set; a list with another order another list", () => {
    fc.assert(
      fc.property(items, fractions, (list, more) => {
        fc.pre(list.every(({ above, below }) => above * more.below !== more.above * below));
        const [given, longer] = [render(list), render([...list, more])];
        expect(areEquivalent(`\\{${given.join(",")}\\}`, `\\{${longer.join(",")}\\}`)).toBe(false);
        expect(areEquivalent(`(${given.join(",")})`, `(${longer.join(",")})`)).toBe(false);
      }),
    );
  });

  test.each([
    ["(-\\infty,2]\\cup[3,\\infty)", "[3,∞) ∪ (-∞, 2]", true],
    ["[0,1)", "[0,1]", false],
    ["(0,1)", "[0,1]", false],
    ["\\{5\\}", "5", false],
    ["(5)", "5", true],
    ["\\pm 2", "-2, 2", true],
    ["x=1,y=2", "x=2,y=1", false],
    ["x=1, y=2", "x = 1,y = 2", true],
    ["((1,2),(3,4))", "( (1, 2), (3, 4) )", true],
    ["((1,2),(3,4))", "(1,2,3,4)", false],
    ["\\{(1,2),(2,1)\\}", "\\{(2,1),(1,2)\\}", true],
    ["Paris, France", "France, Paris", false],
  ])("%s and %s: %s", (one, other, isEqual) => {
    expect(areEquivalent(one, other)).toBe(isEqual);
    expect(areEquivalent(other, one)).toBe(isEqual);
  });
});

describe("words and formulas", () => {
  test.each([
    ["\\text{Yes}", "yes"],
    ["(A)", "\\text{A}"],
    ["\\frac{\\pi}{2}", "\\pi/2"],
    ["2\\sqrt3", "2 \\sqrt{3}"],
    ["x^2+1", "x^{2} + 1"],
    ["π", "\\pi"],
    ["y = 2x + 1", "2x+1"],
    ["\\dfrac{x+1}{2}", "(x+1)/2"],
    ["3 \\cdot x", "3x"],
    ["Monday.", "monday"],
    ["\\frac{2\\sqrt{3}}{3}", "2\\sqrt{3}/3"],
  ])("%s is %s", (one, other) => {
    expect([one, other, areEquivalent(one, other)]).toEqual([one, other, true]);
  });

  test.each([
    ["x", "X"],
    ["\\frac{1}{2x}", "1/2*x"],
    ["x^{12}", "x^1 2"],
    ["yes", "no"],
    ["1 2", "12"],
    ["\\sqrt{34}", "\\sqrt{3}4"],
  ])("%s is not %s", (one, other) => {
    expect(areEquivalent(one, other)).toBe(false);
  });
});

describe("laws of equivalence", () => {
  test("every text is itself, and no order of the two matters", () => {
    fc.assert(
      fc.property(anyAnswer, anyAnswer, (one, other) => {
        expect(areEquivalent(one, one)).toBe(true);
        expect(areEquivalent(one, other)).toBe(areEquivalent(other, one));
      }),
      { numRuns: 1_000 },
    );
  });

  test("among answers that say no unit it is transitive", () => {
    const unitless = fc.oneof(
      fractions.chain(written),
      fc.constantFrom("x", "\\pi/2", "\\frac{\\pi}{2}", "yes", "Yes", "(1,2)", "(1, 2)", "1,2", "2,1"),
    );
    fc.assert(
      fc.property(unitless, unitless, unitless, (a, b, c) => {
        if (areEquivalent(a, b) && areEquivalent(b, c)) expect(areEquivalent(a, c)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    "(",
    "\\{",
    "{",
    "[",
    "\\frac{",
    "\\frac",
    "\\sqrt",
    "x^{",
    "1,",
    "1/",
    " ",
    "\\",
    "$",
    "1e1000/",
    "\\text{",
    "9",
    "1 and ",
    "\\boxed{",
    "####",
    "\\cup",
    "\\pm",
    "-",
    "\\overline{",
    "a ",
    "1 aa ",
    "%",
    "x=",
  ])("texts of %j are read in bounded time, a million characters or as many as are looked into", (piece) => {
    for (const length of [4_096, 1_000_000]) {
      const text = piece.repeat(length / piece.length);
      for (const hostile of [text, `1${text}2`, `(${text})`, `\\frac{${text}}{2}`]) {
        expect(areEquivalent(hostile, hostile)).toBe(true);
        expect(areEquivalent(hostile, `${hostile}q`)).toBe(false);
        expect(extractAnswer(`\\boxed{7}${hostile}`)?.length ?? 0).toBeLessThanOrEqual(hostile.length);
      }
    }
  });
});

describe("where an answer stands", () => {
  test("in the last box, whatever braces are in it", () => {
    const content = fc.letrec<{ text: string }>((tie) => ({
      text: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("1", "x", "\\{", "\\}", "\\frac{1}{2}", " y"),
        fc.array(tie("text"), { minLength: 1, maxLength: 3 }).map((parts) => `{${parts.join("")}}`),
      ),
    })).text;
    const around = fc.string().filter((text) => !/[\\#]/.test(text));
    fc.assert(
      fc.property(content, content, around, around, (first, last, before, after) => {
        const text = `\\boxed{${first}} ${before} #### 5\n \\boxed{${last}}${after}`;
        expect(extractAnswer(text)).toBe(last.trim());
      }),
    );
  });

  test.each([
    ["so #### 1,234", "1,234"],
    ["#### 5\n#### 6 apples\nthat is all", "6 apples"],
    ["\\boxed{5} and then #### 7", "7"],
    ["\\fbox{\\frac{1}{2}}", "\\frac{1}{2}"],
    ["\\boxed 3$ is it", "3"],
    ["\\boxed{\\boxed{3}}", "3"],
    ["\\boxed{1} or \\boxed{2", null],
    ["\\boxed{}", null],
    ["nothing", null],
    ["\\boxedness{3}", null],
    ["#### \n", null],
    ["\\boxed{\\{1,2\\}}", "\\{1,2\\}"],
    ["", null],
  ])("%j: %j", (text, answer) => {
    expect(extractAnswer(text)).toBe(answer);
  });

  test("a final tool gives the answer, in a box or without one", () => {
    expect(answerOfTool(" 5 apples ")).toBe("5 apples");
    expect(answerOfTool("it is \\boxed{5}")).toBe("5");
    expect(answerOfTool("\\boxed{5")).toBeNull();
    expect(answerOfTool(" ")).toBeNull();
  });

  test("a reference may be a whole solution; no answer is never right", () => {
    expect(isCorrect("18", "She sells 9 * 2 = <<9*2=18>>18 a day.\n#### 18")).toBe(true);
    expect(isCorrect("\\frac12", "Hence \\boxed{0.5}.")).toBe(true);
    expect(isCorrect(null, "nothing")).toBe(false);
    expect(isCorrect("19", "#### 18")).toBe(false);
  });
});
