// What an episode earned: its answer is the reference's, or its program passes the task's tests, or both where a task has both.
import type { CodeTask } from "#contracts/code-task.ts";
import type { Turn } from "#contracts/trajectory.ts";
import type { Grade } from "#core/environment/episode.ts";
import { spokenText } from "#core/rollout/spoken-text.ts";
import { shorten } from "#core/text.ts";
import { isCorrect } from "../answers/answer.ts";
import { answerOfTool, extractAnswer } from "../answers/extract-answer.ts";
import type { CellLimits, CodeRuntime, CodeSession } from "../code-runtime.ts";
import { ANSWER, codeTools, readCall } from "./tools.ts";

interface GradeInput {
  readonly task: CodeTask;
  readonly turns: readonly Turn[];
  /** The cells whose names the episode ended with, in order. */
  readonly program: readonly string[];
  readonly runtime: CodeRuntime;
  readonly limits: CellLimits;
  readonly signal: AbortSignal;
}

/** Parts: `answer`, 0 or 1, and `tests`, the share of them that passed; each where the task has it. All or nothing. */
export async function gradeCode({ task, turns, ...rest }: GradeInput): Promise<Grade> {
  const judged = [
    ...(task.answer === null ? [] : [judgeAnswer(finalAnswer(turns), task.answer)]),
    ...(task.tests === null ? [] : [await runTests(task.tests, rest)]),
  ];
  const parts = Object.fromEntries(judged.map(({ part, share }) => [part, share]));
  const problem = judged.find(({ share }) => share < 1)?.problem;
  return problem === undefined ? { reward: 1, passed: true, parts } : { reward: 0, passed: false, parts, detail: problem };
}

interface Judged {
  readonly part: "answer" | "tests";
  readonly share: number;
  /** One line, for less than all. */
  readonly problem: string;
}

function judgeAnswer(answer: string | null, reference: string): Judged {
  const problem = answer === null ? "the last message has no answer" : `the answer is ${shorten(answer, 80)}, not that of the task`;
  return { part: "answer", share: isCorrect(answer, reference) ? 1 : 0, problem };
}

/** What the last message gives as its answer: by the final tool, or in its words. */
function finalAnswer(turns: readonly Turn[]): string | null {
  const last = turns.at(-1);
  const call = last?.toolCalls.find(({ name, isExecuted }) => isExecuted && name === ANSWER);
  if (call === undefined) return extractAnswer(spokenText(last?.content ?? ""));
  const read = readCall(call, codeTools({ answer: "tool" }));
  return read.tool === null ? null : answerOfTool(read.text);
}

/** In a session of their own: nothing that the episode did to its interpreter outside of its cells says how a test ends. */
async function runTests(tests: readonly string[], { program, runtime, ...cell }: Omit<GradeInput, "task" | "turns">): Promise<Judged> {
  const failed = (share: number, problem: string): Judged => ({ part: "tests", share, problem });
  if (program.length === 0) return failed(0, "there is no program to test");
  const session = await runtime.open(cell.signal);
  try {
    const run = ({ run: runCell }: CodeSession, code: string) => runCell({ code, ...cell });
    for (const code of program) await run(session, code);
    if ((await run(session, FALSE_TEST)).error?.kind !== "exception") return failed(0, "the program has changed what a failed test is");
    let [numPassed, problem] = [0, ""];
    for (const [i, test] of tests.entries()) {
      const { error } = await run(session, test);
      if (error === null) numPassed += 1;
      else problem ||= `test ${i + 1} of ${tests.length} failed: ${shorten(error.text.trimEnd().split("\n").at(-1) ?? "", 120)}`;
      if (error !== null && error.kind !== "exception") break; // its names may be gone, and the next one may take as long
    }
    return failed(numPassed / tests.length, problem);
  } finally {
    await session.close();
  }
}

const FALSE_TEST = "assert False";
