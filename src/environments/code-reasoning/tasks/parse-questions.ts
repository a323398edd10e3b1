// Questions of one's own, one JSON object per line.
import { CodeQuestionLine, type CodeTask } from "#contracts/code-task.ts";
import { CampaignError } from "#core/errors.ts";
import { isExactObject, NumberText, parseExact } from "#core/exact-json.ts";
import { describeProblems } from "#core/problems.ts";
import { hashOfQuestion } from "./generate-tasks.ts";

/** Lines that are written out in one message; of more the number. */
const MAX_SHOWN = 8;

/**
 * The tasks of a JSONL text. Empty lines are passed over. An answer that is a number keeps its digits.
 *
 * throws   contract.invalid, naming the file and every line that is wrong: no JSON object, half a character, an unknown key, neither answer nor tests, a
 *          question or an id that an earlier line has; and for a file without a line
 */
export function parseQuestions(text: string, file: string): CodeTask[] {
  const tasks: CodeTask[] = [];
  const problems: string[] = [];
  const lineOf = new Map<string, number>();
  text
    .replace(/^\ufeff/, "")
    .split("\n")
    .forEach((line, index) => {
      if (line.trim() === "") return;
      const task = parseLine(line);
      const problem = typeof task === "string" ? task : repeated(task, index + 1, lineOf);
      if (problem !== null) problems.push(`line ${index + 1}: ${problem}`);
      else if (typeof task !== "string") tasks.push(task);
    });
  if (problems.length === 0 && tasks.length === 0) problems.push("there is no question in it");
  if (problems.length > 0) throw refusal(file, problems);
  return tasks;
}

const HALF_CHARACTER = "half of a character: one \\u escape of a surrogate pair without the other";

/** The task, or what is wrong with the line. */
function parseLine(line: string): CodeTask | string {
  const value = parseExact(line);
  if (value === undefined) return "it is no JSON";
  if (!isExactObject(value)) return 'wanted an object, as {"question": "…", "answer": "…"}';
  const plain = value["answer"] instanceof NumberText ? { ...value, answer: String(value["answer"]) } : value;
  const parsed = CodeQuestionLine.safeParse(plain);
  if (!parsed.success) return describeProblems(parsed.error, plain, CodeQuestionLine, "the line");
  const { id, question, answer, tests, difficulty } = parsed.data;
  if (![question, answer ?? "", ...(tests ?? [])].every((text) => text.isWellFormed())) return HALF_CHARACTER;
  return {
    schemaVersion: 1,
    id: id ?? `q-${hashOfQuestion(question).slice(0, 16)}`,
    family: null,
    question,
    answer: answer ?? null,
    tests: tests ?? null,
    difficulty: difficulty ?? null,
    solution: null,
  };
}

/** A question asked twice would count twice, or have two answers. */
function repeated({ id, question }: CodeTask, line: number, lineOf: Map<string, number>): string | null {
  for (const [what, key] of [
    ["question", hashOfQuestion(question)],
    ["id", `id ${id}`],
  ] as const) {
    const earlier = lineOf.get(key);
    if (earlier !== undefined) return `its ${what} is that of line ${earlier}`;
    lineOf.set(key, line);
  }
  return null;
}

function refusal(file: string, problems: readonly string[]): CampaignError {
  const rest = problems.length > MAX_SHOWN ? [`and ${problems.length - MAX_SHOWN} lines more`] : [];
  return new CampaignError("contract.invalid", `${file}: ${[...problems.slice(0, MAX_SHOWN), ...rest].join("; ")}`, {
    next: "a line is a JSON object with question, answer or tests, and nothing else but id and difficulty: docs/code-reasoning.md",
  });
}
