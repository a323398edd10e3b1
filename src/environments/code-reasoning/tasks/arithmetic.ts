// Chains of arithmetic: exact, with fractions from difficulty 3 on.
import type { Random } from "#core/random-source.ts";
import type { TaskFamily } from "./family.ts";

interface Step {
  readonly words: string;
  readonly python: string;
  /** On a fraction as numerator and denominator. */
  readonly apply: (value: readonly [bigint, bigint]) => readonly [bigint, bigint];
}
type MakeStep = (operand: number) => Step;

const ADD: MakeStep = (n) => ({ words: `Add ${n}.`, python: `x += ${n}`, apply: ([a, b]) => [a + BigInt(n) * b, b] });
const SUBTRACT: MakeStep = (n) => ({ words: `Subtract ${n}.`, python: `x -= ${n}`, apply: ([a, b]) => [a - BigInt(n) * b, b] });
const MULTIPLY: MakeStep = (n) => ({ words: `Multiply by ${n}.`, python: `x *= ${n}`, apply: ([a, b]) => [a * BigInt(n), b] });
const DIVIDE: MakeStep = (n) => ({ words: `Divide by ${n}.`, python: `x /= ${n}`, apply: ([a, b]) => [a, b * BigInt(n)] });

export const arithmetic: TaskFamily = (random, difficulty) => {
  const start = random.int(2, 10 ** Math.min(difficulty + 1, 4));
  const steps = Array.from({ length: difficulty + 1 }, () => drawStep(random, difficulty));
  const [above, below] = steps.reduce((value, step) => step.apply(value), [BigInt(start), 1n] as readonly [bigint, bigint]);
  return {
    question: `Start with ${start}. ${steps.map(({ words }) => words).join(" ")} What is the exact result? Write a fraction in lowest terms if it is no whole number.`,
    answer: fractionText(above, below),
    tests: null,
    solution: ["from fractions import Fraction", `x = Fraction(${start})`, ...steps.map(({ python }) => python), "print(x)"].join("\n"),
  };
};

function drawStep(random: Random, difficulty: number): Step {
  const make = random.pick(difficulty < 3 ? [ADD, SUBTRACT, MULTIPLY] : [ADD, SUBTRACT, MULTIPLY, DIVIDE]);
  return make === ADD || make === SUBTRACT
    ? make(random.int(1, 10 ** Math.min(difficulty + 1, 4)))
    : make(random.int(2, 3 * difficulty + 6));
}

function fractionText(above: bigint, below: bigint): string {
  let [divisor, rest] = [above < 0n ? -above : above, below];
  while (rest !== 0n) [divisor, rest] = [rest, divisor % rest];
  return below === divisor ? String(above / divisor) : `${above / divisor}/${below / divisor}`;
}
