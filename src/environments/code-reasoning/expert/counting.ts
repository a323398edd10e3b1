import { type Attempts, withoutLastBracket } from "./attempts.ts";

const QUESTION = /^How many whole numbers from (\d+) to (\d+), both included, are divisible by ([\d or]+?)(?: but not by ([\d or]+))?\?$/;

/** Looks at each number of the range. */
export function countingAttempts(question: string): Attempts {
  const [, low = "", high = "", some = "", none = ""] = QUESTION.exec(question) ?? [];
  const [wanted, unwanted] = [numbersIn(some), numbersIn(none)];
  const write = ({ joined = " or ", excluded = unwanted, end = `${high} + 1`, name = "n" } = {}) => {
    const dividedBy = wanted.map((k) => `${name} % ${k} == 0`).join(joined);
    const isGrouped = wanted.length > 1 && excluded.length > 0;
    const condition = [isGrouped ? `(${dividedBy})` : dividedBy, ...excluded.map((k) => `${name} % ${k} != 0`)].join(" and ");
    return `print(sum(${condition} for n in range(${low}, ${end})))`;
  };
  const right = write();
  return {
    right,
    wrong: [
      write({ end: high }),
      right.replace(" == 0", " != 0"),
      ...(wanted.length > 1 ? [write({ joined: " and " })] : []),
      ...(unwanted.length > 0 ? [write({ excluded: [] })] : []),
    ],
    broken: [write({ name: "m" }), withoutLastBracket(right)],
  };
}

const numbersIn = (list: string): readonly string[] => list.match(/\d+/g) ?? [];
