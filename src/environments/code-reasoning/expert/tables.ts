import { KINDS } from "../tasks/tables.ts";
import { type Attempts, leavingOneOut, withoutLastBracket } from "./attempts.ts";

interface Row {
  readonly thing: string;
  readonly price: string;
  readonly count: string;
}
/** A program over the rows that one asks for, and those one does not. */
type Write = (own: readonly Row[], others: readonly Row[]) => string;

const cost = (rows: readonly Row[]): string => rows.map(({ price, count }) => `${price} * ${count}`).join(" + ") || "0";
const total = (rows: readonly Row[]): string => rows.map(({ count }) => count).join(" + ") || "0";
/** By the words of the question. */
const PROGRAMS: readonly (readonly [RegExp, Write])[] = [
  [/^How many different/, (own) => `print(len([${own.map(({ thing }) => `"${thing}"`).join(", ")}]))`],
  [/in all\?$/, (own) => `print(${total(own)})`],
  [/highest price/, (own) => `print(max([${own.map(({ thing, price }) => `(${price}, "${thing}")`).join(", ")}])[1])`],
  [/^How many euros do all/, (own) => `print(${cost(own)})`],
  [/^Somebody buys all/, (_own, others) => `print(${cost(others)})`],
  [/^By how many euros/, (own, others) => `print(${cost(others)} - (${cost(own)}))`],
];

/** Knows which thing is of which kind, and writes down what belongs to it. */
export function tableAttempts(question: string): Attempts {
  const lines = question.split("\n");
  const asked = lines.at(-1) ?? "";
  const rows = lines.slice(2, -1).map((line): Row => {
    const [thing = "", price = "", count = ""] = line.split(", ");
    return { thing, price, count };
  });
  const [, things] = Object.entries(KINDS).find(([kind]) => asked.includes(kind)) ?? ["", []];
  const isOwn = ({ thing }: Row) => (things as readonly string[]).includes(thing);
  const [own, others] = [rows.filter(isOwn), rows.filter((row) => !isOwn(row))];
  const [, write] = PROGRAMS.find(([words]) => words.test(asked)) as (typeof PROGRAMS)[number];
  const right = write(own, others);
  const swapped = (some: readonly Row[]) => some.map(({ thing, price, count }) => ({ thing, price: count, count: price }));
  const wrong = [
    ...leavingOneOut(own).map((some) => write(some, others)),
    ...leavingOneOut(others).map((some, left) => write([...own, others[left] as Row], some)),
    write(swapped(own), swapped(others)),
    write(others, own),
  ];
  return { right, wrong: wrong.filter((program) => program !== right && !program.includes("[]")), broken: [withoutLastBracket(right)] };
}
