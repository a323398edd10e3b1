import type { SeedRecipe } from "#contracts/seed-recipe.ts";
import type { CodeRuntime } from "#environments/code-reasoning/code-runtime.ts";
import {
  CODE_COMPACT_ATOMIC_TOKENS,
  CODE_COMPACT_SPECIAL_TOKENS,
  codeCompactFormat,
} from "#environments/code-reasoning/compact-format/compact.ts";
import { CodeReasoningConfig } from "#environments/code-reasoning/config.ts";
import { codeDemonstration } from "#environments/code-reasoning/demonstrations.ts";
import { generateTasks } from "#environments/code-reasoning/tasks/generate-tasks.ts";
import { taskOf } from "#environments/code-reasoning/tasks/task-of.ts";
import { codeWorld } from "#environments/code-reasoning/world/code-world.ts";
import { pyodideRuntime } from "../../code-sandbox/pyodide/pyodide-runtime.ts";
import type { SeedEnvironment } from "./seed-environment.ts";

/** Episodes that are in their cells at the same time while a policy is measured. */
const SANDBOX = { threads: 4, memoryMib: 128 } as const;

type CodeSeedOptions = Extract<SeedRecipe["environment"], { type: "code-reasoning" }>;

/** Demonstrations are about questions of the training split, which come again where a family has few. Cells are run in the sandbox. */
export function codeSeedEnvironment(
  { seed, families, difficulties }: CodeSeedOptions,
  measure: SeedRecipe["measure"],
  signal: AbortSignal,
): SeedEnvironment {
  const runtime: CodeRuntime = pyodideRuntime(SANDBOX);
  const selection = Math.ceil(measure.evaluationTasks / 2);
  const options = { seed, families, difficulties, train: measure.mixedTasks, selection, test: measure.evaluationTasks - selection };
  const splits = generateTasks(options);
  const config = CodeReasoningConfig.parse({ type: "code-reasoning", tasks: { source: "generated", ...options } });
  const questions = new Map(Object.values(splits).flatMap((tasks) => tasks.map((task) => [task.id, task] as const)));
  return {
    format: codeCompactFormat,
    specialTokens: CODE_COMPACT_SPECIAL_TOKENS,
    atomicTokens: CODE_COMPACT_ATOMIC_TOKENS,
    demonstrate: (index, slipRate) => codeDemonstration({ tasks: options, runtime, signal }, index, slipRate),
    world: codeWorld(config, questions, runtime),
    tasks: { heldOut: [...splits.selection, ...splits.test].map(taskOf), training: splits.train.map(taskOf) },
    limits: { maxTurns: 6, maxTokensPerTurn: 96, maxContextTokens: 512 },
    close: () => runtime.close(),
  };
}
