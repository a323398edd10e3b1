// Demonstrations for supervised training: the expert's conversations in the compact format, trained on the agent's turns alone. Its cells are
// run, and what it answers is graded, by the episodes that rollouts play.
import type { CodeTask } from "#contracts/code-task.ts";
import type { SftRow } from "#contracts/sft.ts";
import type { Turn } from "#contracts/trajectory.ts";
import type { Conversation } from "#core/ports.ts";
import { randomFrom } from "#core/random-source.ts";
import type { CodeRuntime } from "./code-runtime.ts";
import { renderPieces } from "./compact-format/compact.ts";
import { CodeReasoningConfig } from "./config.ts";
import { expertScript, type Move, type Script } from "./expert/expert.ts";
import { type SeriesOptions, trainingTask } from "./tasks/generate-tasks.ts";
import { codeEpisode } from "./world/code-episode.ts";
import { codeTools } from "./world/tools.ts";

/** Cells as campaigns have them unless they say otherwise. An episode plays one question, so no tasks are named. */
const SETTING = CodeReasoningConfig.parse({
  type: "code-reasoning",
  tasks: { source: "generated", seed: 0, train: 0, selection: 0, test: 0 },
});

interface DemonstrationSource {
  readonly tasks: SeriesOptions;
  readonly runtime: CodeRuntime;
  readonly signal: AbortSignal;
}

/** The expert's conversation about training task `index` as a training row. */
export async function codeDemonstration(
  source: DemonstrationSource,
  index: number,
  slipRate: number,
): Promise<{ row: SftRow; isPassed: boolean }> {
  const task = trainingTask(source.tasks, index);
  const random = randomFrom("code-demonstration", source.tasks.seed, index);
  const { conversation, isPassed } = await playCode(task, expertScript(task, random, slipRate), source);
  const segments = renderPieces(conversation).map(({ text, trained }) => ({ text, trained }));
  return { row: { segments }, isPassed };
}

/** Plays a script in an episode of its own. */
export async function playCode(
  task: CodeTask,
  script: Script,
  { runtime, signal }: Pick<DemonstrationSource, "runtime" | "signal">,
): Promise<{ readonly conversation: Conversation; readonly isPassed: boolean }> {
  const episode = codeEpisode(task, { config: SETTING, tools: codeTools(SETTING), runtime });
  const turns: Turn[] = [];
  const playTurn = async (move: Move): Promise<string> => {
    if (move.type === "answer") {
      turns.push({ index: turns.length, content: move.content, toolCalls: [], userReply: null, finishReason: "stop", stateHash: null });
      return "";
    }
    const call = { name: "python", argumentsJson: JSON.stringify({ code: move.code }) };
    const [seen] = await episode.act([call], signal);
    if (seen === undefined) throw new Error("an episode answers every call");
    turns.push(callTurn(turns.length, call, seen));
    return seen.text;
  };
  try {
    for (let move = script.next(""); move.done !== true; ) move = script.next(await playTurn(move.value));
    const grade = await episode.grade({ firstUserMessage: task.question, turns, stopReason: "agent-stop" }, signal);
    const records = turns.map((turn) => ({ turn, tokens: null }));
    return { conversation: { systemPrompt: "", tools: [], firstUserMessage: task.question, turns: records }, isPassed: grade.passed };
  } finally {
    await episode.close();
  }
}

type Call = { readonly name: string; readonly argumentsJson: string };

function callTurn(index: number, call: Call, seen: { readonly text: string; readonly isError: boolean }): Turn {
  const toolCall = { id: `call-${index}`, ...call, result: seen.text, isError: seen.isError, isExecuted: true };
  return { index, content: null, toolCalls: [toolCall], userReply: null, finishReason: "tool_calls", stateHash: null };
}
