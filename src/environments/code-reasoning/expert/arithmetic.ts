import { type Attempts, leavingOneOut, withoutLastBracket } from "./attempts.ts";

type Sign = "+" | "-" | "*" | "/";
const SIGNS: Readonly<Record<string, Sign>> = { Add: "+", Subtract: "-", "Multiply by": "*", "Divide by": "/" };
const MISTAKEN: Readonly<Record<Sign, Sign>> = { "+": "-", "-": "+", "*": "+", "/": "*" };
const FRACTION = "from fractions import Fraction";

interface Step {
  readonly sign: Sign;
  readonly operand: string;
}

/** A line for each step. Fractions where something is divided. */
export function arithmeticAttempts(question: string): Attempts {
  const start = /^Start with (\d+)\./.exec(question)?.[1] ?? "";
  const steps = [...question.matchAll(/(Add|Subtract|Multiply by|Divide by) (\d+)\./g)].map(
    ([, words = "", operand = ""]): Step => ({ sign: SIGNS[words] as Sign, operand }),
  );
  const isExact = steps.some(({ sign }) => sign === "/");
  const write = (some: readonly Step[], shown = "x") =>
    [
      ...(isExact ? [FRACTION, `x = Fraction(${start})`] : [`x = ${start}`]),
      ...some.map(({ sign, operand }) => `x ${sign}= ${operand}`),
      `print(${shown})`,
    ].join("\n");
  const right = write(steps);
  const otherSigns = steps.map((_, at) => steps.map((step, index) => (index === at ? { ...step, sign: MISTAKEN[step.sign] } : step)));
  return {
    right,
    wrong: [...otherSigns, ...leavingOneOut(steps)].map((some) => write(some)),
    broken: [write(steps, "y"), withoutLastBracket(right), ...(isExact ? [right.replace(`${FRACTION}\n`, "")] : [])],
  };
}
