// Where questions are opened as episodes.
import type { CodeTask } from "#contracts/code-task.ts";
import type { World } from "#core/environment/episode.ts";
import type { Protocol } from "#core/environment/protocol.ts";
import { CampaignError } from "#core/errors.ts";
import type { CodeRuntime } from "../code-runtime.ts";
import type { CodeReasoningConfig } from "../config.ts";
import { codeEpisode } from "./code-episode.ts";
import { systemPrompt } from "./system-prompt.ts";
import { ANSWER, codeTools } from "./tools.ts";

export const CODE_REASONING = "code-reasoning";

/** Questions by the id of their task. */
export type Questions = ReadonlyMap<string, CodeTask>;

export function codeWorld(config: CodeReasoningConfig, questions: Questions, runtime: CodeRuntime): World {
  const tools = codeTools(config);
  return {
    id: CODE_REASONING,
    tools,
    systemPrompt: systemPrompt(config),
    protocol: codeProtocol(config),
    // A process of the host has addresses and a clock of its own, which code may print: what it printed need not come again.
    resume: config.runtime === "pyodide" ? "re-execute" : "restart",
    open: async (task) => codeEpisode(questionOf(questions, task.id), { config, tools, runtime }),
  };
}

/** The question opens, nobody answers, and a message without a call is the last. */
function codeProtocol({ answer }: CodeReasoningConfig): Protocol {
  return {
    opens: "task",
    stopTokens: [],
    terminalTools: answer === "tool" ? [ANSWER] : [],
    handOverTools: [],
    callsPerMessage: "first",
    limits: { maxTurns: null, maxErrors: null },
  };
}

export function questionOf(questions: Questions, taskId: string): CodeTask {
  const question = questions.get(taskId);
  if (question !== undefined) return question;
  throw new CampaignError("environment.data-changed", `the tasks of ${CODE_REASONING} have no question ${taskId}`, {
    next: "use the options or the file that the rollouts were made with",
  });
}
