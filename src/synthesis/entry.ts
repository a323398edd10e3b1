// From drafts to a task: golden actions, words, scripted user, difficulty.

import type { GoldenAction, GoldenTask } from "#contracts/task.ts";
import type { SynthesizedTask, TaskDecision } from "#contracts/task-file.ts";
import type { Environment } from "#core/environment/environment.ts";
import { randomFrom } from "#core/random-source.ts";
import type { DatabaseState } from "#environments/tau/database.ts";
import { taskKind } from "#environments/tau/task-kind.ts";
import type { Agenda } from "#simulators/agenda.ts";
import { type Draft, goldenActionsOf, writesOf } from "./compose.ts";
import type { Domain, Identity } from "./domain.ts";
import { drawPersona } from "./persona.ts";
import { type TaskWords, writeTask } from "./scenario.ts";
import { searchWrites } from "./uniqueness.ts";

/** A task before it is compared with others and given a side of the split. */
export type Entry = Omit<SynthesizedTask, "split" | "contamination">;
/** The text for an LLM that plays the user, as the environment's own tasks have it. */
export type RenderInstruction = (words: TaskWords) => string;

export interface EntryFacts<Wish> {
  readonly id: string;
  readonly userId: string;
  readonly identity: Identity;
  /** Of each decision. */
  readonly evidence: number;
  readonly drafts: readonly Draft<Wish>[];
  readonly seed: number;
}

export function entryOf<Wish>(
  environment: Environment<DatabaseState>,
  domain: Domain<Wish>,
  renderInstruction: RenderInstruction,
  { id, userId, identity, evidence, drafts, seed }: EntryFacts<Wish>,
): Entry {
  const random = randomFrom(seed, "words", id, userId);
  const persona = drawPersona(random);
  const words = drafts.map(({ wish }) => domain.words(wish, identity, random));
  const written = writeTask(domain.name, identity, persona, words, random);
  const decisions = drafts.map((draft) => decisionOf(domain.kindOf(draft.wish), draft));
  const goldenActions = goldenActionsOf(drafts);
  const agenda: Agenda = {
    userId: identity.spokenId,
    opensWithUserId: random.chance(0.5),
    wishes: words.map(({ agenda }) => ({ ...agenda, insists: persona.insists })),
  };
  const tools = environment.tools.map((tool) => ({ name: tool.function.name, isWrite: environment.isWrite(tool.function.name) }));
  const task: GoldenTask = {
    schemaVersion: 1,
    id,
    environment: environment.id,
    userId,
    instruction: renderInstruction(written),
    goldenActions,
    outputs: decisions.flatMap(({ outputs }) => outputs),
    agenda,
    ...taskKind(goldenActions, tools),
  };
  const difficulty = difficultyOf(environment, task, decisions, evidence);
  return { task, scenario: written.scenario, decisions, difficulty, uniqueness: uniquenessOf(environment, writesOf(drafts)) };
}

function uniquenessOf(environment: Environment<DatabaseState>, writes: readonly GoldenAction[]): Entry["uniqueness"] {
  const { isOrderFree, isShortest } = searchWrites(environment, writes);
  return writes.length > 0 && isOrderFree && isShortest ? "verified" : "not-claimed";
}

/** True when the user's own words hold an answer, if only as part of an id: repeating them would do. */
export function givesAnswerAway({ task }: Pick<Entry, "task">): boolean {
  const words = task.instruction.toLowerCase().replaceAll(",", "");
  return task.outputs.some((output) => words.includes(output.toLowerCase()));
}

function difficultyOf(
  environment: Environment<DatabaseState>,
  task: GoldenTask,
  decisions: readonly TaskDecision[],
  evidence: number,
): SynthesizedTask["difficulty"] {
  const writes = decisions.filter(({ type }) => type === "write").length;
  return {
    writes,
    evidence,
    hasRefusal: decisions.some(({ type }) => type === "withhold"),
    value: writes * (1 + evidence),
    doNothingReward: environment.grade(environment.reset(), task, []).reward,
  };
}

function decisionOf<Wish>(kind: string, { decision, evidence, forbidden }: Draft<Wish>): TaskDecision {
  return {
    kind,
    type: decision.type,
    rule: decision.type === "withhold" ? decision.rule : null,
    evidence: [...evidence],
    write: decision.type === "write" ? decision.call : null,
    forbidden,
    outputs: decision.type === "answer" ? [...decision.outputs] : [],
  };
}
