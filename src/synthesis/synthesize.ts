// The grid: tasks by number of write decisions and evidence per decision, over any database of a domain. A pure function of its input.

import type { GoldenTask } from "#contracts/task.ts";
import type { SynthesisCounts, SynthesisOptions, SynthesizedTask, TaskCell } from "#contracts/task-file.ts";
import { randomFrom } from "#core/random-source.ts";
import { countSplits, withSplits } from "#environments/task-file/splits.ts";
import { type Admission, createAdmission } from "./admission.ts";
import { composeDrafts } from "./compose.ts";
import { type Benchmark, createBenchmark } from "./contamination.ts";
import type { Domain } from "./domain.ts";
import { entryOf, givesAnswerAway, type RenderInstruction } from "./entry.ts";
import { passesWithScriptedUser } from "./golden-agent.ts";
import { verifyTask } from "./verify-task.ts";
import type { World } from "./world.ts";

export interface SynthesisInput<Wish> {
  readonly world: World;
  readonly domain: Domain<Wish>;
  readonly renderInstruction: RenderInstruction;
  /** A benchmark's own tasks over this database; none when there are none. */
  readonly benchmarkTasks: readonly GoldenTask[];
  readonly options: SynthesisOptions;
}

export interface Synthesis {
  readonly tasks: readonly SynthesizedTask[];
  readonly cells: readonly TaskCell[];
  readonly counts: SynthesisCounts;
}

type Unsplit = Omit<SynthesizedTask, "split">;
interface FilledCell {
  readonly tasks: readonly Unsplit[];
  readonly cell: TaskCell;
  readonly rejected: number;
}

/** Every cell in turn, over the users in an order of its own; a user has at most one task in a cell. */
export function synthesize<Wish>(input: SynthesisInput<Wish>): Synthesis {
  const { options, world } = input;
  const isWrite = (name: string) => world.environment.isWrite(name);
  const benchmark = createBenchmark(input.benchmarkTasks, isWrite, options.maxOverlap);
  const admission = createAdmission(benchmark, options);
  const filled = options.writes.flatMap((writes) => options.evidence.map((evidence) => fillCell(input, { writes, evidence }, admission)));
  const tasks = withSplits(
    filled.flatMap((cell) => cell.tasks),
    options,
  );
  const rejected = filled.reduce((sum, cell) => sum + cell.rejected, 0);
  return { tasks, cells: filled.map(({ cell }) => cell), counts: countTasks(world, tasks, { benchmark, rejected, ...admission.tally }) };
}

function fillCell<Wish>(input: SynthesisInput<Wish>, place: { writes: number; evidence: number }, admission: Admission): FilledCell {
  const { options, world } = input;
  const wantedRefusals = Math.round(options.perCell * options.refusals);
  const tasks: Unsplit[] = [];
  const tally = { refusals: 0, rejected: 0, usersTried: 0 };
  for (const userId of randomFrom(options.seed, "users", place.writes, place.evidence).shuffle(world.userIds)) {
    if (tasks.length === options.perCell) break;
    tally.usersTried += 1;
    const wantsRefusal = tally.refusals < wantedRefusals;
    for (const hasRefusal of waysToFill(place.writes, wantsRefusal)) {
      const id = `w${place.writes}-e${place.evidence}-${String(tasks.length).padStart(4, "0")}`;
      const found = findTask(input, { ...place, hasRefusal, userId, id });
      if (found === "rejected") tally.rejected += 1;
      if (typeof found === "string") continue;
      const contamination = admission.admit(found);
      if (contamination === null) continue;
      tasks.push({ ...found, contamination });
      if (hasRefusal) tally.refusals += 1;
      break;
    }
  }
  const { rejected, ...counts } = tally;
  return {
    tasks,
    rejected,
    cell: {
      ...place,
      wanted: options.perCell,
      made: tasks.length,
      ...counts,
      missing: reasonFor(tasks.length, options.perCell, tally.usersTried),
    },
  };
}

/** With a refusal first while some are wanted. A cell that only questions or only refusals can fill is filled with those. */
function waysToFill(writes: number, wantsRefusal: boolean): boolean[] {
  if (writes === 0) return [wantsRefusal, !wantsRefusal];
  return wantsRefusal ? [true, false] : [false];
}

function findTask<Wish>(
  { world, domain, options, renderInstruction }: SynthesisInput<Wish>,
  place: { writes: number; evidence: number; hasRefusal: boolean; userId: string; id: string },
) {
  const { userId, id, evidence } = place;
  const identity = domain.identify(userId);
  if (identity === null) return "none";
  const random = randomFrom(options.seed, "task", place.writes, evidence, userId, String(place.hasRefusal));
  const { drafts, isRejected } = composeDrafts(world, domain, userId, place, random);
  if (drafts === null) return isRejected ? "rejected" : "none";
  const entry = entryOf(world.environment, domain, renderInstruction, { id, userId, identity, evidence, drafts, seed: options.seed });
  return givesAnswerAway(entry) ? "rejected" : entry;
}

function reasonFor(made: number, wanted: number, usersTried: number): string | null {
  if (made === wanted) return null;
  return made === 0
    ? `none of the ${usersTried} users has such wishes`
    : `only ${made} of the ${usersTried} users have such wishes that fit together`;
}

function countTasks(
  world: World,
  tasks: readonly SynthesizedTask[],
  tally: { benchmark: Benchmark; rejected: number; duplicates: number; contaminated: number },
): SynthesisCounts {
  const count = (isCounted: (entry: SynthesizedTask) => boolean): number => tasks.filter(isCounted).length;
  const problems = tasks
    .map((entry) => ({ id: entry.task.id, found: verifyTask(world.environment, entry) }))
    .filter(({ found }) => found.length > 0);
  return {
    tasks: tasks.length,
    users: new Set(tasks.map(({ task }) => task.userId)).size,
    refusals: count(({ difficulty }) => difficulty.hasRefusal),
    verified: tasks.length - problems.length,
    problems: problems.map(({ id, found }) => `${id}: ${found.join("; ")}`),
    uniquenessVerified: count(({ uniqueness }) => uniqueness === "verified"),
    droppedDuplicates: tally.duplicates,
    rejectedCompositions: tally.rejected,
    contaminated: tally.contaminated,
    benchmarkTasks: tally.benchmark.numTasks,
    benchmarkUsers: count(({ task }) => tally.benchmark.users.has(task.userId)),
    ...countSplits(tasks),
    scriptedPasses: count((entry) => passesWithScriptedUser(world.environment, entry)),
    doNothingFloor: tasks.length === 0 ? 0 : count(({ difficulty }) => difficulty.doNothingReward === 1) / tasks.length,
  };
}
