// turnwise synthesize: tasks by number of write decisions and evidence per decision, over any database there is.
import type { Command } from "commander";
import { z } from "zod";
import { DEFAULT_DATABASE, synthesizeTasks } from "#application/environments/synthesize-tasks.ts";
import { type SynthesisOptions, type TaskCell, TaskDatabase, type TaskFile } from "#contracts/task-file.ts";
import { CampaignError } from "#core/errors.ts";
import { formatPercent } from "#core/format.ts";
import { describeOptions } from "../issues.ts";
import { numberOption, SEED, wholeNumberOption } from "../number-options.ts";
import { type Column, emit, type OutputOptions, renderPairs, renderTable } from "../output.ts";
import { style } from "../style.ts";

const DATABASES = TaskDatabase.options.map(({ shape }) => shape.name.value);

/** "0-5", "2" or "0,2,4-6" as whole numbers, in ascending order, each once. */
const NumberList = (highest: number) =>
  z.string().transform((text, context) => {
    const parts = text.split(",").map((part) => /^(\d+)(?:-(\d+))?$/.exec(part.trim()));
    const numbers = parts.flatMap((match) => {
      const [low, high] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
      return match === null || low > high || high > highest
        ? [Number.NaN]
        : Array.from({ length: high - low + 1 }, (_, index) => low + index);
    });
    if (numbers.every(Number.isInteger)) return Array.from(new Set(numbers)).sort((left, right) => left - right);
    context.addIssue({
      code: "custom",
      message: `${text} is not a number from 0 to ${highest}, a range such as 0-${highest}, or a list of them`,
    });
    return z.NEVER;
  });

const Options = z.object({
  database: z.enum(DATABASES as [string, ...string[]], { error: ({ input }) => `${String(input)} is none of ${DATABASES.join(", ")}` }),
  databaseSeed: z.number(),
  seed: z.number(),
  writes: NumberList(5),
  evidence: NumberList(6),
  perCell: z.number(),
  refusals: z.number(),
  trainShare: z.number(),
  selectionShare: z.number(),
  contaminated: z.enum(["drop", "flag"]),
  maxOverlap: z.number(),
  format: z.enum(["turnwise", "tau-bench", "tau2"]),
  data: z.string().optional(),
  out: z.string().optional(),
});
type Options = z.infer<typeof Options>;

export function registerSynthesize(program: Command): void {
  program
    .command("synthesize")
    .option("--database <name>", `one of ${DATABASES.join(", ")}`, DEFAULT_DATABASE)
    .option("--data <folder>", "folder with tau-bench's data (default: TURNWISE_TAU_BENCH)")
    .addOption(
      wholeNumberOption("--database-seed <number>", "seed of the synthetic airline's users, flights and reservations", {
        ...SEED,
        default: 1,
      }),
    )
    .option("--writes <numbers>", "write decisions per task, e.g. 0-5 or 1,2", "0-5")
    .option("--evidence <numbers>", "reads that each decision needs, e.g. 0-6", "0-6")
    .addOption(wholeNumberOption("--per-cell <count>", "tasks for each pair of both", { min: 1, max: 10_000, default: 4 }))
    .addOption(
      numberOption("--refusals <share>", "share of each cell's tasks with a wish that must be refused", { min: 0, max: 1, default: 0.25 }),
    )
    .addOption(
      numberOption("--train-share <share>", "share of the tasks for training; no user is on both sides", {
        min: 0.001,
        max: 0.999,
        default: 0.8,
      }),
    )
    .addOption(
      numberOption("--selection-share <share>", "share of the held-out tasks, by user, that choose the policy; the others are the test", {
        min: 0,
        max: 0.999,
        default: 0.4,
      }),
    )
    .option("--contaminated <drop|flag>", "what becomes of tasks that are a benchmark's own", "drop")
    .addOption(
      numberOption("--max-overlap <share>", "share of common word sequences that makes an instruction a benchmark's", {
        min: 0.001,
        max: 1,
        default: 0.3,
      }),
    )
    .addOption(wholeNumberOption("--seed <number>", "seed of the tasks", { ...SEED, default: 1 }))
    .option("--out <path>", "where to write: a file, or for the benchmarks' formats a folder")
    .option("--format <name>", "turnwise, tau-bench or tau2", "turnwise")
    .option("--json", "counts and cells as JSON")
    .action(run);
}

async function run(given: unknown): Promise<void> {
  const options = parseOptions(given);
  const database: TaskDatabase =
    options.database === DEFAULT_DATABASE
      ? { name: DEFAULT_DATABASE, seed: options.databaseSeed }
      : ({ name: options.database } as TaskDatabase);
  const { data, out, format } = options;
  const { file, written } = await synthesizeTasks({ database, options: pickSynthesis(options), data, out, format });
  const { counts, cells } = file;
  emit({ database, counts, cells, written }, given as OutputOptions, () => render(file, written, options));
  if (counts.verified < counts.tasks || counts.scriptedPasses < counts.tasks) process.exitCode = 1;
}

function parseOptions(given: unknown): Options {
  const parsed = Options.safeParse(given);
  if (!parsed.success)
    throw new CampaignError("config.invalid", describeOptions(parsed.error, given), { next: "turnwise synthesize --help" });
  if (parsed.data.format !== "turnwise" && parsed.data.out === undefined) {
    throw new CampaignError("config.invalid", `--format ${parsed.data.format} needs --out FOLDER to write to`, {
      next: `turnwise synthesize --format ${parsed.data.format} --out tasks`,
    });
  }
  return parsed.data;
}

function pickSynthesis(options: Options): SynthesisOptions {
  const { seed, writes, evidence, perCell, refusals, trainShare, selectionShare, contaminated, maxOverlap } = options;
  return { seed, writes, evidence, perCell, refusals, trainShare, selectionShare, contaminated, maxOverlap };
}

function render(file: TaskFile, written: readonly string[], { format, out }: Options): string {
  const unfilled = file.cells.filter(({ missing }) => missing !== null);
  return [
    style.bold(`tasks over ${file.database.name} by write decisions (rows) and evidence per decision (columns)`),
    renderGrid(file),
    "",
    renderCounts(file),
    ...file.counts.problems.map((problem) => style.red(`wrong: ${problem}`)),
    ...(unfilled.length === 0 ? [] : ["", style.bold(`cells that this database does not fill`), ...unfilled.map(describeMissing)]),
    "",
    ...(out === undefined ? [style.dim("nothing was written; --out FILE keeps the tasks")] : written.map((path) => `wrote ${path}`)),
    ...noteOnFormat(file, format),
  ].join("\n");
}

/** A cell is `made`, or `made/wanted` when there are fewer. */
function renderGrid({ cells, options }: TaskFile): string {
  const find = (writes: number, evidence: number) => cells.find((cell) => cell.writes === writes && cell.evidence === evidence);
  const text = (cell: TaskCell | undefined) =>
    cell === undefined ? "" : cell.missing === null ? String(cell.made) : `${cell.made}/${cell.wanted}`;
  const columns: Column<number>[] = [
    { header: "w \\ e", value: String },
    ...options.evidence.map(
      (evidence): Column<number> => ({ header: String(evidence), align: "right", value: (writes) => text(find(writes, evidence)) }),
    ),
    {
      header: "refusals",
      align: "right",
      value: (writes) => String(cells.filter((cell) => cell.writes === writes).reduce((sum, cell) => sum + cell.refusals, 0)),
    },
  ];
  return renderTable(columns, options.writes);
}

function renderCounts({ counts, options, cells }: TaskFile): string {
  const { tasks, contaminated, benchmarkTasks } = counts;
  const withWrites = cells.filter(({ writes }) => writes > 0).reduce((sum, { made }) => sum + made, 0);
  const compared =
    benchmarkTasks === 0
      ? "not compared: no benchmark tasks at hand"
      : `${contaminated} ${options.contaminated === "drop" ? "dropped" : "flagged"}, compared with ${benchmarkTasks} benchmark tasks; ${counts.benchmarkUsers} tasks share a user with one`;
  return renderPairs([
    ["tasks", `${tasks} of ${counts.users} users`],
    ["with a refusal", String(counts.refusals)],
    ["golden actions verified", `${counts.verified} of ${tasks}`],
    ["shortest and order-free", `${counts.uniquenessVerified} of ${withWrites} with writes`],
    ["passed with the scripted user", `${counts.scriptedPasses} of ${tasks}`],
    ["do-nothing floor", formatPercent(counts.doNothingFloor)],
    ["duplicates dropped", String(counts.droppedDuplicates)],
    ["drafts refused by a check", String(counts.rejectedCompositions)],
    ["contaminated", compared],
    ["split by user", `${counts.train} train, ${counts.selection} selection, ${counts.test} test`],
  ]);
}

const describeMissing = ({ writes, evidence, made, wanted, missing }: TaskCell): string =>
  `w=${writes} e=${evidence}  ${made} of ${wanted}: ${missing}`;

function noteOnFormat({ database }: TaskFile, format: Options["format"]): string[] {
  const isTau2Database = database.name === "tau2-airline";
  if (format === "tau2" && !isTau2Database)
    return [
      "note: verified with tau-bench's tools and policy, from which tau2's differ in places; --database tau2-airline verifies with tau2's",
    ];
  if (format === "tau-bench" && isTau2Database)
    return [
      "note: verified with tau2's tools and policy, from which tau-bench's differ in places; --database tau-bench-airline verifies with tau-bench's",
    ];
  return [];
}
