// turnwise env …: checks of environments that need no model.
import { resolve } from "node:path";
import type { Command } from "commander";
import { readSettings } from "#adapters/settings.ts";
import { checkConformance, type FileConformance } from "#adapters/task-data/conformance.ts";
import { findData } from "#adapters/task-data/find-data.ts";
import { TASK_SET_SOURCES, type WholeTaskSet } from "#adapters/task-data/task-sets.ts";
import type { Task } from "#contracts/task.ts";
import { checkTask, type TaskCheck } from "#core/environment/check-task.ts";
import { doNothingFloor } from "#core/environment/do-nothing-floor.ts";
import { CampaignError } from "#core/errors.ts";
import { KNOWN_DEFECTS } from "#environments/tau/known-defects.ts";
import { emit, formatPercent, plainText, printLine, renderTable } from "../output.ts";

interface CheckOptions {
  readonly taskSet?: string;
  readonly data?: string;
  readonly json?: boolean;
}

export function registerEnv(program: Command): void {
  const family = program.command("env").description("checks of environments that need no model");
  family
    .command("check")
    .option("--task-set <name>", `one of ${TASK_SET_SOURCES.map(({ name }) => name).join(", ")} (default: all that are at hand)`)
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

interface SetCheck {
  readonly taskSet: string;
  readonly numTasks: number;
  readonly numPassed: number;
  readonly doNothingFloor: number;
  /** Tasks without full reward, or with golden writes that fail, or with a defect that is publicly known. */
  readonly exceptions: readonly { readonly taskId: string; readonly reward: 0 | 1; readonly why: string; readonly isKnown: boolean }[];
}

async function check(options: CheckOptions): Promise<void> {
  const data = findData(options.data, readSettings());
  const wanted = TASK_SET_SOURCES.filter(({ name, needsData }) =>
    options.taskSet === undefined ? data !== null || !needsData : name === options.taskSet,
  );
  if (wanted.length === 0) {
    throw new CampaignError("config.invalid", `unknown task set ${options.taskSet}`, {
      next: `choose one of ${TASK_SET_SOURCES.map(({ name }) => name).join(", ")}`,
    });
  }
  const results: SetCheck[] = [];
  for (const { load } of wanted) results.push(...(await load(data)).map(checkSet));
  emit(results, options, renderCheck);
  if (results.some(({ exceptions }) => exceptions.some(({ isKnown }) => !isKnown))) process.exitCode = 1;
}

function checkSet({ name: taskSet, environment, tasks }: WholeTaskSet): SetCheck {
  const checks = tasks.map((task) => ({ task, result: checkTask(environment, task) }));
  return {
    taskSet,
    numTasks: tasks.length,
    numPassed: checks.filter(({ result }) => result.reward === 1 && result.failedWrites.length === 0).length,
    doNothingFloor: doNothingFloor(environment, tasks),
    exceptions: checks.flatMap(({ task, result }) => describeException(task, result)),
  };
}

function describeException(task: Task, { reward, failedWrites }: TaskCheck): SetCheck["exceptions"] {
  const known = KNOWN_DEFECTS.get(task.id);
  const calls = failedWrites.map(({ index, name, observation }) => `golden action ${index} ${name} fails: ${plainText(observation)}`);
  const found = reward === 1 ? calls : ["the golden actions do not earn the reward", ...calls];
  if (known === undefined && found.length === 0) return [];
  return [{ taskId: task.id, reward, why: [...(known === undefined ? [] : [known]), ...found].join("; "), isKnown: known !== undefined }];
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
  const directory = resolve(folder);
  const data = findData(options.data, readSettings(), directory);
  const files: FileConformance[] = [];
  for await (const file of checkConformance(directory, data)) {
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
