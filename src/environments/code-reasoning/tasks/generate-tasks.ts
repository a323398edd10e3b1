// Task sets from a seed. Which split a question is in follows from the question alone.
import { type CodeFamily, type CodeTask, CodeTaskOptions } from "#contracts/code-task.ts";
import { CampaignError } from "#core/errors.ts";
import { randomFrom } from "#core/random-source.ts";
import { deriveSeed, seedToInt } from "#core/rng.ts";
import { arithmetic } from "./arithmetic.ts";
import { counting } from "./counting.ts";
import { dates } from "./dates.ts";
import type { TaskFamily } from "./family.ts";
import { programs } from "./programs.ts";
import { tables } from "./tables.ts";

const FAMILIES: Readonly<Record<CodeFamily, TaskFamily>> = { arithmetic, dates, counting, tables, programs };
export const CODE_SPLITS = ["train", "selection", "test"] as const;
export type CodeSplit = (typeof CODE_SPLITS)[number];
export type CodeSplits = Readonly<Record<CodeSplit, readonly CodeTask[]>>;

/** Of ten questions that are drawn, as many go here. */
const TENTHS: readonly CodeSplit[] = ["train", "train", "train", "train", "train", "train", "selection", "selection", "test", "test"];
/** Draws in a row without a question that is new and wanted, after which a family counts as used up. */
const MAX_IDLE_DRAWS = 1_000;

/** No seed goes in: what one task set trains on, no other one tests. White space and case make no other question. */
export function splitOfQuestion(question: string): CodeSplit {
  return TENTHS[seedToInt(hashOfQuestion(question)) % TENTHS.length] as CodeSplit;
}

/** 64 hexadecimal digits. */
export function hashOfQuestion(question: string): string {
  return deriveSeed("code-reasoning", question.trim().replace(/\s+/g, " ").toLowerCase());
}

/**
 * Tasks of every split, dealt to families and difficulties in turn. The same options give the same tasks, and more tasks of the same seed
 * begin with them. No question is met twice. Throws config.invalid when a family has no more questions of a difficulty.
 */
export function generateTasks(given: CodeTaskOptions): CodeSplits {
  const options = CodeTaskOptions.parse(given);
  const cells = [...new Set(options.difficulties)].flatMap((difficulty) =>
    [...new Set(options.families)].map((family) => ({ family, difficulty })),
  );
  const numWanted = (split: CodeSplit, cell: number) => Math.max(0, Math.ceil((options[split] - cell) / cells.length));
  const filled = cells.map((cell, i) =>
    fillCell(options.seed, cell, { train: numWanted("train", i), selection: numWanted("selection", i), test: numWanted("test", i) }),
  );
  const dealt = (split: CodeSplit) =>
    Array.from({ length: options[split] }, (_, i) => filled[i % cells.length]?.[split][Math.floor(i / cells.length)] as CodeTask);
  return { train: dealt("train"), selection: dealt("selection"), test: dealt("test") };
}

interface Cell {
  readonly family: CodeFamily;
  readonly difficulty: number;
}

function fillCell(seed: number, cell: Cell, wanted: Readonly<Record<CodeSplit, number>>): Record<CodeSplit, CodeTask[]> {
  const splits: Record<CodeSplit, CodeTask[]> = { train: [], selection: [], test: [] };
  const seen = new Set<string>();
  const isWanted = (split: CodeSplit) => splits[split].length < wanted[split];
  for (let [draw, idle] = [0, 0]; CODE_SPLITS.some(isWanted); draw += 1, idle += 1) {
    if (idle === MAX_IDLE_DRAWS) throw usedUp(cell, splits);
    const task = drawTask(seed, cell, draw);
    const split = splitOfQuestion(task.question);
    if (seen.has(task.id) || !isWanted(split)) continue;
    seen.add(task.id);
    splits[split].push(task);
    idle = 0;
  }
  return splits;
}

/**
 * Task `index` of an endless series of the training split, dealt to families and difficulties in turn. A question comes again where a family
 * has few of them; none is of the selection or the test, whatever their seed.
 */
export function trainingTask({ seed, families, difficulties }: SeriesOptions, index: number): CodeTask {
  const family = families[index % families.length] as CodeFamily;
  const difficulty = difficulties[Math.floor(index / families.length) % difficulties.length] as number;
  for (let attempt = 0; ; attempt += 1) {
    const task = drawTask(seed, { family, difficulty }, index * MAX_IDLE_DRAWS + attempt);
    if (splitOfQuestion(task.question) === "train") return task;
    if (attempt === MAX_IDLE_DRAWS - 1) throw usedUp({ family, difficulty }, { train: [], selection: [], test: [] });
  }
}
export type SeriesOptions = Pick<CodeTaskOptions, "seed" | "families" | "difficulties">;

function drawTask(seed: number, { family, difficulty }: Cell, draw: number): CodeTask {
  const { question, answer, tests, solution } = FAMILIES[family](randomFrom("code-reasoning", seed, family, difficulty, draw), difficulty);
  const id = `${family}-${difficulty}-${hashOfQuestion(question).slice(0, 16)}`;
  return { schemaVersion: 1, id, family, question, answer, tests: tests === null ? null : [...tests], difficulty, solution };
}

function usedUp({ family, difficulty }: Cell, splits: Readonly<Record<CodeSplit, readonly CodeTask[]>>): CampaignError {
  const found = CODE_SPLITS.map((split) => `${splits[split].length} for ${split}`).join(", ");
  return new CampaignError("config.invalid", `the family ${family} has no more questions of difficulty ${difficulty}: found ${found}`, {
    next: "ask for fewer tasks, or for more families and difficulties",
  });
}
