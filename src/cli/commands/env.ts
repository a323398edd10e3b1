// turnwise env …: checks of environments that need no model.
import type { Command } from "commander";
import { checkTaskSets, compareVectors, type FileConformance, type SetCheck } from "#application/environments/check-task-sets.ts";
import { TASK_SET_NAMES } from "#application/rollouts/task-set-names.ts";
import { formatPercent } from "#core/format.ts";
import { plainText } from "#core/text.ts";
import { emit, printLine, renderTable } from "../output.ts";

interface CheckOptions {
  readonly taskSet?: string;
  readonly data?: string;
  readonly json?: boolean;
}

export function registerEnv(program: Command): void {
  const family = program.command("env");
  family
    .command("check")
    .option("--task-set <name>", `one of ${TASK_SET_NAMES.join(", ")} (default: all that are at hand)`)
    .option("--data <folder>", "folder with tau-bench's data (default: TURNWISE_TAU_BENCH)")
    .option("--json")
    .description("play every task's golden actions and see whether they earn the full reward")
    .action(check);
  family
    .command("conformance")
    .argument("<folder>", "golden vectors, any .jsonl below it")
    .option("--data <folder>", "folder with tau-bench's data (default: TURNWISE_TAU_BENCH)")
    .option("--json")
    .description("compare the environments with recorded vectors of the benchmarks, byte by byte")
    .action(conformance);
}

async function check(options: CheckOptions): Promise<void> {
  const results = await checkTaskSets(options.taskSet, options.data);
  emit(results, options, renderCheck);
  if (results.some(({ exceptions }) => exceptions.some(({ isKnown }) => !isKnown))) process.exitCode = 1;
}

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
