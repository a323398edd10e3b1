// How many numbers of a range are divisible by some numbers and by none of others: by inclusion and exclusion, without looking at each.
import type { TaskFamily } from "./family.ts";

/** Numbers of which one must divide, and of which none may, by difficulty. */
const SHAPES = [
  { some: 1, none: 0 },
  { some: 2, none: 0 },
  { some: 1, none: 1 },
  { some: 2, none: 1 },
  { some: 2, none: 2 },
] as const;

export const counting: TaskFamily = (random, difficulty) => {
  const { some, none } = SHAPES[difficulty - 1] as (typeof SHAPES)[number];
  const low = random.int(1, 50 * difficulty);
  const high = low + random.int(20, 60 * difficulty ** 3);
  const divisors = random.shuffle(Array.from({ length: 11 }, (_, i) => i + 2)).slice(0, some + none);
  const [wanted, unwanted] = [divisors.slice(0, some), divisors.slice(some)];
  const countTo = (bound: number) => divisibleBySome(divisors, bound) - divisibleBySome(unwanted, bound);
  const condition = `divisible by ${wanted.join(" or ")}${unwanted.length === 0 ? "" : ` but not by ${unwanted.join(" or ")}`}`;
  return {
    question: `How many whole numbers from ${low} to ${high}, both included, are ${condition}?`,
    answer: String(countTo(high) - countTo(low - 1)),
    tests: null,
    solution: `print(sum(${divides("any", wanted)} and not ${divides("any", unwanted)} for n in range(${low}, ${high + 1})))`,
  };
};

const divides = (how: string, divisors: readonly number[]): string => `${how}(n % d == 0 for d in [${divisors.join(", ")}])`;

/** Numbers from 1 to `bound` that at least one of the divisors divides: sum over their subsets of +- bound / lcm. */
function divisibleBySome(divisors: readonly number[], bound: number): number {
  const terms = [{ multiple: 1, sign: -1 }];
  for (const divisor of divisors) {
    terms.push(...terms.map(({ multiple, sign }) => ({ multiple: leastCommonMultiple(multiple, divisor), sign: -sign })));
  }
  return terms.slice(1).reduce((sum, { multiple, sign }) => sum + sign * Math.floor(bound / multiple), 0);
}

function leastCommonMultiple(a: number, b: number): number {
  let [divisor, rest] = [a, b];
  while (rest !== 0) [divisor, rest] = [rest, divisor % rest];
  return (a / divisor) * b;
}
