// The environment `code-reasoning`: multi-turn reasoning with a Python tool, after GTPO (arXiv:2511.14846). docs/code-reasoning.md
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { hashJson } from "#core/canonical-json.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import { CampaignError } from "#core/errors.ts";
import { utf8Text } from "#core/utf8-text.ts";
import type { EnvironmentPlugin, Resources } from "../plugin.ts";
import { codeCompactFormat } from "./compact-format/compact.ts";
import { CodeReasoningConfig, type CodeTaskSource } from "./config.ts";
import { codeLabeller } from "./labels/code-labeller.ts";
import { CODE_SPLITS, type CodeSplits, generateTasks, splitOfQuestion } from "./tasks/generate-tasks.ts";
import { parseQuestions } from "./tasks/parse-questions.ts";
import { taskOf } from "./tasks/task-of.ts";
import { CODE_REASONING, codeWorld } from "./world/code-world.ts";

/** Counts up with everything beside the tasks that decides what a rollout is: prompts, what is shown of a cell, how it is graded. */
const VERSION = 1;

export const codeReasoning: EnvironmentPlugin<CodeReasoningConfig> = {
  id: CODE_REASONING,
  configSchema: CodeReasoningConfig,
  async openTaskSet(config, resources) {
    const splits = await questionsOf(config.tasks, resources);
    const questions = new Map(CODE_SPLITS.flatMap((split) => splits[split]).map((question) => [question.id, question]));
    const { tasks: _, ...setting } = config;
    return {
      world: codeWorld(config, questions, resources.codeRuntime(config.runtime)),
      splits: {
        sft: [],
        train: splits.train.map(taskOf),
        selection: splits.selection.map(taskOf),
        test: splits.test.map(taskOf),
      },
      dataSha256: hashJson([VERSION, setting, splits.train, splits.selection, splits.test]),
      labeller: codeLabeller(questions),
      formats: { compact: codeCompactFormat },
      environment: null,
    } satisfies TaskSet;
  },
  async pin(config, resources) {
    const { tasks } = config;
    return tasks.source === "file" ? { ...config, tasks: { ...tasks, sha256: hashOf(await resources.readFile(tasks.path)) } } : config;
  },
};

async function questionsOf(tasks: CodeTaskSource, resources: Resources): Promise<CodeSplits> {
  if (tasks.source === "generated") {
    const { source: _, ...options } = tasks;
    return generateTasks(options);
  }
  const bytes = await resources.readFile(tasks.path);
  if (tasks.sha256 !== undefined && hashOf(bytes) !== tasks.sha256) {
    throw new CampaignError("environment.data-changed", `${tasks.path} is not the file that the campaign began with`, {
      next: "put the file back, or start a new campaign",
    });
  }
  const questions = parseQuestions(utf8Text(bytes, tasks.path), tasks.path);
  const inSplit = Map.groupBy(questions, ({ question }) => splitOfQuestion(question));
  return { train: inSplit.get("train") ?? [], selection: inSplit.get("selection") ?? [], test: inSplit.get("test") ?? [] };
}

const hashOf = (bytes: Uint8Array): string => bytesToHex(sha256(bytes));
