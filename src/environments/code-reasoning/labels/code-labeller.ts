// From a trajectory of code reasoning to the tier of every turn, and to the program that it wrote. Needs no interpreter: calls and results say all.
import type { CodeTask } from "#contracts/code-task.ts";
import type { ToolCall, Trajectory, Turn } from "#contracts/trajectory.ts";
import type { LabelledTurn } from "#core/reward/label-trajectory.ts";
import type { Labeller } from "#core/reward/labeller.ts";
import { isCorrect } from "../answers/answer.ts";
import { extractAnswer } from "../answers/extract-answer.ts";
import { type Questions, questionOf } from "../world/code-world.ts";
import { errorKindOf } from "../world/observation.ts";
import { ANSWER, codeTools, PYTHON, readCall } from "../world/tools.ts";
import { CODE_SCHEME, CODE_TIER_SCHEME, type CodeTier } from "./code-tiers.ts";

export function codeLabeller(questions: Questions): Labeller {
  return {
    schemes: { [CODE_SCHEME]: CODE_TIER_SCHEME },
    label: (trajectory) => labelTurns(trajectory, questionOf(questions, trajectory.taskId)),
    program: writtenProgram,
  };
}

function labelTurns({ turns, firstUserMessage, outcome }: Trajectory, question: CodeTask): LabelledTurn[] {
  const seen = new Set<string>();
  return turns.map((turn, position) => {
    const isUnreadable = outcome.stopReason === "unparsable" && position === turns.length - 1;
    const executed = turn.toolCalls.flatMap((call, callIndex) => (call.isExecuted ? [{ call, callIndex }] : []));
    const callTiers = executed.map(({ call, callIndex }) => ({ callIndex, tier: tierOfCall(call, question, seen), match: null }));
    const silent = isUnreadable || position === 0 ? "format" : tierOfWords(turn);
    return {
      turn: turn.index,
      tier: callTiers[0]?.tier ?? silent,
      callTiers,
      softMatch: null,
      numIgnoredCalls: turn.toolCalls.length - callTiers.length,
      action: executed.length === 0 ? silent : executed.map(({ call }) => call.name).join(" "),
      observation: position === 0 ? firstUserMessage : resultsOf(turns[position - 1]),
    };
  });
}

/** Marks the code as seen. */
function tierOfCall(call: ToolCall, { answer }: CodeTask, seen: Set<string>): CodeTier {
  const kind = errorKindOf(call);
  if (kind === "format") return "format";
  if (call.name === ANSWER) return "answer";
  const code = codeOf(call);
  const isDuplicate = seen.has(code);
  seen.add(code);
  if (kind !== null) return kind === "exception" ? "error" : "limit";
  if (isDuplicate) return "duplicate";
  return answer !== null && isCorrect(lastLine(call.result ?? ""), answer) ? "gold_run" : "run";
}

function tierOfWords({ content }: Turn): CodeTier {
  return extractAnswer(content ?? "") === null ? "message" : "answer";
}

/** The last line that a cell gave, without the quotes of a text's `repr`. */
function lastLine(result: string): string {
  const line = result.trimEnd().split("\n").at(-1) ?? "";
  return /^(['"])(.*)\1$/.exec(line)?.[2] ?? line;
}

/** All code that a rollout had run, cell after cell; empty when it called none. */
function writtenProgram({ turns }: Trajectory): string {
  return turns
    .flatMap(({ toolCalls }) => toolCalls)
    .filter((call) => call.isExecuted && call.name === PYTHON)
    .map(codeOf)
    .filter((code) => code !== "")
    .join("\n");
}

function codeOf(call: ToolCall): string {
  const read = readCall(call, codeTools({ answer: "tool" }));
  return read.tool === PYTHON ? read.text : "";
}

function resultsOf(turn: Turn | undefined): string {
  return turn?.toolCalls.flatMap(({ result }) => (result === null ? [] : [result])).join("\n") ?? "";
}
