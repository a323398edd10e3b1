// The expert of demonstrations: writes a program, runs it, reads what it says and answers. With a slip it does one thing wrong.
import type { CodeFamily, CodeTask } from "#contracts/code-task.ts";
import type { Random } from "#core/random-source.ts";
import { arithmeticAttempts } from "./arithmetic.ts";
import type { Attempts } from "./attempts.ts";
import { countingAttempts } from "./counting.ts";
import { dateAttempts } from "./dates.ts";
import { programAttempts } from "./programs.ts";
import { tableAttempts } from "./tables.ts";

/** A turn of the agent. */
export type Move = { readonly type: "run"; readonly code: string } | { readonly type: "answer"; readonly content: string };
/** Yields what the agent does; receives what its cell has answered. Ends with the answer. */
export type Script = Generator<Move, void, string>;

/**
 * What goes wrong:
 *
 * wrong     a program that says something else, and its answer is given
 * mended    a program that raises; then the right one
 * given-up  a program that raises; then a number of the question
 * guess     a number of the question, and no program
 * misread   the right program, and a number of the question
 */
type Slip = "none" | "wrong" | "mended" | "given-up" | "guess" | "misread";
/** Wrong programs are what most can be learnt from, so they are the most. */
const SLIPS: readonly Slip[] = ["wrong", "wrong", "wrong", "mended", "mended", "given-up", "guess", "misread"];

const ATTEMPTS: Readonly<Record<CodeFamily, (question: string, solution: string) => Attempts>> = {
  arithmetic: arithmeticAttempts,
  dates: dateAttempts,
  counting: countingAttempts,
  tables: tableAttempts,
  programs: (_question, solution) => programAttempts(solution),
};

export function attemptsAt({ family, question, solution }: CodeTask): Attempts {
  if (family === null || solution === null) throw new Error("demonstrations are of generated tasks");
  return ATTEMPTS[family](question, solution);
}

/** Same random source, same script. `slipRate`: the probability that one thing goes wrong. */
export function* expertScript(task: CodeTask, random: Random, slipRate: number): Script {
  const { right, wrong, broken } = attemptsAt(task);
  const slip: Slip = random.chance(slipRate) ? random.pick(SLIPS) : "none";
  const guess = answerWith(task, random.pick(task.question.match(/\d{4}-\d{2}-\d{2}|\d+/g) ?? ["0"]));
  if (slip === "mended" || slip === "given-up") yield run(random.pick(broken));
  if (slip === "guess" || slip === "given-up") {
    yield guess;
    return;
  }
  const output = yield run(slip === "wrong" ? random.pick(wrong) : right);
  yield slip === "misread" ? guess : answerWith(task, output);
}

const run = (code: string): Move => ({ type: "run", code });

/** A task with tests is done when its program stands. */
function answerWith({ tests }: CodeTask, answer: string): Move {
  return { type: "answer", content: tests === null ? `\\boxed{${answer}}` : "done" };
}
