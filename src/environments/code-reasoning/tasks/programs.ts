// Small programs: a function over a list of whole numbers, described in steps, with tests that each step is needed for.
import { CampaignError } from "#core/errors.ts";
import type { Random } from "#core/random-source.ts";
import type { TaskFamily } from "./family.ts";

interface Step {
  readonly words: string;
  /** Statement on `xs`. */
  readonly python: string;
  readonly apply: (xs: readonly number[]) => readonly number[];
}
interface Result {
  readonly words: string;
  readonly python: string;
  readonly of: (xs: readonly number[]) => number | readonly number[];
}

const STEPS: readonly ((k: number) => Step)[] = [
  (k) => ({
    words: `keep only the numbers that ${k} divides`,
    python: `xs = [x for x in xs if x % ${k} == 0]`,
    apply: (xs) => xs.filter((x) => x % k === 0),
  }),
  (k) => ({
    words: `leave out the numbers below ${k}`,
    python: `xs = [x for x in xs if x >= ${k}]`,
    apply: (xs) => xs.filter((x) => x >= k),
  }),
  (k) => ({ words: `add ${k} to each number`, python: `xs = [x + ${k} for x in xs]`, apply: (xs) => xs.map((x) => x + k) }),
  (k) => ({ words: `multiply each number by ${k}`, python: `xs = [x * ${k} for x in xs]`, apply: (xs) => xs.map((x) => x * k) }),
  (k) => ({ words: `keep only the first ${k} numbers`, python: `xs = xs[:${k}]`, apply: (xs) => xs.slice(0, k) }),
  () => ({ words: "square each number", python: "xs = [x * x for x in xs]", apply: (xs) => xs.map((x) => x * x) }),
  () => ({ words: "sort the numbers in ascending order", python: "xs = sorted(xs)", apply: (xs) => [...xs].sort((a, b) => a - b) }),
  () => ({ words: "reverse their order", python: "xs = xs[::-1]", apply: (xs) => [...xs].reverse() }),
  () => ({
    words: "keep each number once, where it is met first",
    python: "xs = list(dict.fromkeys(xs))",
    apply: (xs) => [...new Set(xs)],
  }),
  () => ({
    words: "replace each number by the sum of all numbers up to and including it",
    python: "xs = [sum(xs[:i + 1]) for i in range(len(xs))]",
    apply: (xs) => xs.map((_, i) => total(xs.slice(0, i + 1))),
  }),
];
const RESULTS: readonly Result[] = [
  { words: "the list", python: "xs", of: (xs) => xs },
  { words: "the sum of the list, 0 if it is empty", python: "sum(xs)", of: total },
  {
    words: "the largest number of the list, 0 if it is empty",
    python: "max(xs, default=0)",
    of: (xs) => (xs.length === 0 ? 0 : Math.max(...xs)),
  },
  { words: "the length of the list", python: "len(xs)", of: (xs) => xs.length },
];
const [NUM_INPUTS, MAX_ATTEMPTS] = [5, 500];

/** As many steps as the difficulty says. */
export const programs: TaskFamily = (random, difficulty) => {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const steps = Array.from({ length: difficulty }, () => random.pick(STEPS)(random.int(2, 7)));
    const result = random.pick(RESULTS);
    const inputs = [[], ...Array.from({ length: NUM_INPUTS }, () => drawInput(random))];
    if (isEachNeeded(steps, result, inputs)) return draft(steps, result, inputs);
  }
  throw new CampaignError("environment.failed", `no program of difficulty ${difficulty} in ${MAX_ATTEMPTS} attempts`);
};

function draft(steps: readonly Step[], result: Result, inputs: readonly (readonly number[])[]) {
  const list = steps.map(({ words }, i) => `${i + 1}. ${words};`).join("\n");
  return {
    question: `Write a Python function f(xs) that takes a list of whole numbers and does this, in this order:\n${list}\nIt returns ${result.words}.`,
    answer: null,
    tests: inputs.map((input) => `assert f(${literal(input)}) == ${literal(run(steps, result, input))}`),
    solution: ["def f(xs):", ...steps.map(({ python }) => `    ${python}`), `    return ${result.python}`].join("\n"),
  };
}

/** A program without one of the steps fails a test, and so does one that always gives the same. */
function isEachNeeded(steps: readonly Step[], result: Result, inputs: readonly (readonly number[])[]): boolean {
  const outputs = (some: readonly Step[]) => inputs.map((input) => literal(run(some, result, input)));
  const whole = outputs(steps);
  return steps.every((_, left) => outputs(steps.filter((_step, i) => i !== left)).join() !== whole.join()) && new Set(whole).size > 2;
}

const run = (steps: readonly Step[], result: Result, input: readonly number[]) =>
  result.of(steps.reduce((xs, step) => step.apply(xs), input));
const literal = (value: number | readonly number[]): string =>
  typeof value === "number" ? String(value) : `[${value.map(literal).join(", ")}]`;

function total(xs: readonly number[]): number {
  return xs.reduce((sum, x) => sum + x, 0);
}

/** Small numbers, negative ones and some twice. */
function drawInput(random: Random): number[] {
  return Array.from({ length: random.int(4, 9) }, () => random.int(-9, 24));
}
