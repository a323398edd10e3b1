// Questions about a small table whose words one has to know: which of the things are fruit, no column says.
import type { Random } from "#core/random-source.ts";
import type { DraftedTask, TaskFamily } from "./family.ts";

/** Things that belong to one kind, and to none of the others, for whoever speaks English. */
export const KINDS = {
  "pieces of fruit": ["apple", "pear", "banana", "cherry", "plum", "mango"],
  tools: ["hammer", "saw", "wrench", "drill", "screwdriver", "chisel"],
  "pieces of clothing": ["shirt", "sock", "coat", "scarf", "skirt", "glove"],
  "musical instruments": ["violin", "flute", "trumpet", "guitar", "drum", "harp"],
  vehicles: ["bicycle", "truck", "tram", "scooter", "bus", "tractor"],
} as const;
type Kind = keyof typeof KINDS;
const KIND_NAMES = Object.keys(KINDS) as Kind[];

interface Row {
  readonly thing: string;
  readonly kind: Kind;
  /** Whole euros, no two rows alike: there is one cheapest. */
  readonly price: number;
  readonly count: number;
}

/** 4 to 12 rows. From difficulty 2 on one asks for totals, from 4 on for what is left of the others. */
export const tables: TaskFamily = (random, difficulty) => {
  const rows = drawRows(random, 2 * difficulty + 2, 2 + Math.min(difficulty, 3));
  const kind = random.pick(rows).kind;
  return random.pick(QUESTIONS.slice(Math.max(0, difficulty - 2), difficulty + 1))(rows, kind);
};

function drawRows(random: Random, numRows: number, numKinds: number): Row[] {
  const kinds = random.shuffle(KIND_NAMES).slice(0, numKinds);
  const things = random.shuffle(kinds.flatMap((kind) => KINDS[kind].map((thing) => ({ thing, kind })))).slice(0, numRows);
  const prices = random.shuffle(Array.from({ length: 60 }, (_, i) => i + 3));
  return things.map((one, i) => ({ ...one, price: prices[i] as number, count: random.int(1, 30) }));
}

type Ask = (rows: readonly Row[], kind: Kind) => DraftedTask;
const sum = (rows: readonly Row[], value: (row: Row) => number): number => rows.reduce((total, row) => total + value(row), 0);
const ask = (rows: readonly Row[], kind: Kind, question: string, answer: number | string, python: string): DraftedTask => ({
  question: `A shop has:\nthing, price in euros, number\n${rows.map(({ thing, price, count }) => `${thing}, ${price}, ${count}`).join("\n")}\n${question}`,
  answer: String(answer),
  tests: null,
  solution: [
    `rows = [${rows.map(({ thing, price, count }) => `("${thing}", ${price}, ${count})`).join(", ")}]`,
    `kind = {${KINDS[kind].map((thing) => `"${thing}"`).join(", ")}}`,
    `print(${python})`,
  ].join("\n"),
});

/** From easy to hard. */
const QUESTIONS: readonly Ask[] = [
  (rows, kind) => {
    const own = rows.filter((row) => row.kind === kind);
    return ask(rows, kind, `How many different ${kind} are in the table?`, own.length, "sum(t in kind for t, p, n in rows)");
  },
  (rows, kind) => {
    const total = sum(
      rows.filter((row) => row.kind === kind),
      ({ count }) => count,
    );
    return ask(rows, kind, `How many ${kind} does the shop have in all?`, total, "sum(n for t, p, n in rows if t in kind)");
  },
  (rows, kind) => {
    const [dearest] = rows.filter((row) => row.kind === kind).sort((a, b) => b.price - a.price);
    const question = `Of the ${kind}, which has the highest price? Answer with its name as it stands in the table.`;
    return ask(rows, kind, question, (dearest as Row).thing, "max((p, t) for t, p, n in rows if t in kind)[1]");
  },
  (rows, kind) => {
    const total = sum(
      rows.filter((row) => row.kind === kind),
      ({ price, count }) => price * count,
    );
    return ask(
      rows,
      kind,
      `How many euros do all ${kind} of the shop cost together?`,
      total,
      "sum(p * n for t, p, n in rows if t in kind)",
    );
  },
  (rows, kind) => {
    const total = sum(
      rows.filter((row) => row.kind !== kind),
      ({ price, count }) => price * count,
    );
    const question = `Somebody buys all that the shop has but the ${kind}. How many euros is that?`;
    return ask(rows, kind, question, total, "sum(p * n for t, p, n in rows if t not in kind)");
  },
  (rows, kind) => {
    const own = sum(
      rows.filter((row) => row.kind === kind),
      ({ price, count }) => price * count,
    );
    const others = sum(rows, ({ price, count }) => price * count) - own;
    const question = `By how many euros do all things that are no ${kind} cost more than all ${kind}? Negative if they cost less.`;
    return ask(rows, kind, question, others - own, "sum(p * n * (-1 if t in kind else 1) for t, p, n in rows)");
  },
];
