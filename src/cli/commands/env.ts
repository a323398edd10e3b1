// turnwise env …: checks of environments that need no model.
import type { Command } from "commander";
import { checkEnvironment, type EnvironmentCheck, type LawResult } from "#application/environments/check-environment.ts";
import { checkTaskSets, compareVectors, type FileConformance, type SetCheck } from "#application/environments/check-task-sets.ts";
import { TASK_SET_NAMES } from "#application/rollouts/task-set-names.ts";
import { CampaignError } from "#core/errors.ts";
import { formatPercent } from "#core/format.ts";
import { plainText } from "#core/text.ts";
import { wholeNumberOption } from "../number-options.ts";
import { emit, printLine, renderPairs, renderTable } from "../output.ts";

interface CheckOptions {
  readonly set: readonly string[];
  readonly tasks: number;
  readonly taskSet?: string;
  readonly data?: string;
  readonly json?: boolean;
}

export function registerEnv(program: Command): void {
  const family = program.command("env");
  family
    .command("check")
    .argument(
      "[file]",
      "an environment of your own, whose default export is a plugin (.ts), or a campaign file (.yaml), whose environment is meant",
    )
    .option("--set <key=value>", "a setting of that environment, or a value of that campaign file; may be repeated", collect, [])
    .addOption(
      wholeNumberOption("--tasks <n>", "of that environment, that the laws of episodes are tried on", { min: 1, max: 10_000, default: 20 }),
    )
    .option("--task-set <name>", `one of ${TASK_SET_NAMES.join(", ")} (default: all that are at hand)`)
    .option("--data <folder>", "folder with tau-bench's data (default: TURNWISE_TAU_BENCH)")
    .option("--json")
    .description("play every task's golden actions and see whether they earn the full reward; with a file, try the laws of episodes on it")
    .action(check);
  family
    .command("conformance")
    .argument("<folder>", "golden vectors, any .jsonl below it")
    .option("--data <folder>", "folder with tau-bench's data (default: TURNWISE_TAU_BENCH)")
    .option("--json")
    .description("compare the environments with recorded vectors of the benchmarks, byte by byte")
    .action(conformance);
}

async function check(file: string | undefined, options: CheckOptions): Promise<void> {
  if (file !== undefined) return await checkOwn(file, options);
  if (options.set.length > 0)
    throw new CampaignError("config.invalid", "--set is of an environment of your own", { next: "name its file" });
  const results = await checkTaskSets(options.taskSet, options.data);
  emit(results, options, renderCheck);
  if (results.some(({ exceptions }) => exceptions.some(({ isKnown }) => !isKnown))) process.exitCode = 1;
}

async function checkOwn(file: string, options: CheckOptions): Promise<void> {
  const other = options.taskSet !== undefined ? "task-set" : options.data !== undefined ? "data" : undefined;
  if (other !== undefined)
    throw new CampaignError("config.invalid", `--${other} is of the task sets that are here, and ${file} is one of its own`, {
      next: `leave --${other} out`,
    });
  const result = await checkEnvironment({ file, overrides: options.set, tasks: options.tasks });
  emit(result, options, renderOwn);
  if (result.laws.some(({ broken }) => broken.length > 0)) process.exitCode = 1;
}

function renderOwn(result: EnvironmentCheck): string {
  const { type, path, sha256, ...settings } = result.environment;
  const facts = renderPairs([
    ["environment", type === "module" ? `${String(path)}, sha256 ${String(sha256).slice(0, 12)} with what it imports` : type],
    ["settings", JSON.stringify(settings)],
    ["data", `sha256 ${result.dataSha256.slice(0, 12)}: what a campaign would be held to`],
    [
      "tasks",
      Object.entries(result.splits)
        .flatMap(([split, count]) => (count === 0 ? [] : [`${count} ${split}`]))
        .join(", "),
    ],
    ["tools", result.tools.join(", ")],
    ["conversation", `opened by the ${result.opens}; interrupted, it does ${result.resume}`],
    ["doing nothing", `passes ${formatPercent(result.doNothingFloor)} of ${result.numTasks} tasks`],
  ]);
  const table = renderTable<LawResult>(
    [
      { header: `law, tried on ${result.numTasks} tasks with ${result.numCalls} made-up calls`, value: ({ words }) => words },
      { header: "holds", value: ({ broken }) => (broken.length === 0 ? "yes" : `no, ${broken.length} times`) },
    ],
    result.laws,
  );
  const lines = result.laws.flatMap(({ broken }) => broken.map(({ taskId, what }) => plainText(`${taskId}  ${what}`.trim())));
  return [facts, "", table, ...(lines.length === 0 ? [] : ["", ...new Set(lines)])].join("\n");
}

const collect = (value: string, values: readonly string[]): string[] => [...values, value];

function renderCheck(results: readonly SetCheck[]): string {
  const overview = renderTable<SetCheck>(
    [
      { header: "task set", value: ({ taskSet }) => taskSet },
      { header: "tasks", align: "right", value: ({ numTasks }) => String(numTasks) },
      { header: "golden actions pass", align: "right", value: ({ numPassed }) => String(numPassed) },
      { header: "do-nothing floor", align: "right", value: (row) => formatPercent(row.doNothingFloor) },
      { header: "exceptions", align: "right", value: ({ exceptions }) => String(exceptions.length) },
    ],
    results,
  );
  const lines = results.flatMap(({ exceptions }) =>
    exceptions.map(({ taskId, isKnown, why }) => `${taskId}  ${isKnown ? "known" : "NEW"}  ${why}`),
  );
  return [overview, ...(lines.length === 0 ? [] : ["", ...lines])].join("\n");
}

async function conformance(folder: string, options: { readonly data?: string; readonly json?: boolean }): Promise<void> {
  const files: FileConformance[] = [];
  for await (const file of compareVectors(folder, options.data)) {
    files.push(file);
    if (options.json !== true) printFile(file);
  }
  const passed = files.reduce((sum, file) => sum + file.passed, 0);
  const failed = files.reduce((sum, file) => sum + file.failures.length, 0);
  emit({ files, passed, failed }, options, () => `${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

function printFile({ file, passed, failures }: FileConformance): void {
  printLine(`${file}  ${passed} passed, ${failures.length} failed`);
  for (const { line, id, difference } of failures) printLine(`  line ${line} ${id}: ${plainText(difference)}`);
}
