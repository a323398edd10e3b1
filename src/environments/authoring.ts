// What an environment module imports: `import { … } from "turnwise/environment"`, from whatever folder it lies in. See docs/extending/environment.md.
import type { Task } from "#contracts/task.ts";
import { hashJson } from "#core/canonical-json.ts";
import type { World } from "#core/environment/episode.ts";
import type { Protocol } from "#core/environment/protocol.ts";
import type { Splits } from "#core/environment/splits.ts";
import type { TaskSet } from "#core/environment/task-set.ts";
import { goldenLabeller } from "#core/reward/golden-labeller.ts";

export { z } from "zod";
export type { Task } from "#contracts/task.ts";
export type { Turn } from "#contracts/trajectory.ts";
export type { EnvironmentCall } from "#core/environment/environment.ts";
export type { Episode, FinishedConversation, Grade, Observation, OpenOptions, World } from "#core/environment/episode.ts";
export type { Protocol } from "#core/environment/protocol.ts";
export type { TaskSet } from "#core/environment/task-set.ts";
export type { ToolSchema } from "#core/ports.ts";
export type { LabelledTurn } from "#core/reward/label-trajectory.ts";
export type { Labeller } from "#core/reward/labeller.ts";
export type { EnvironmentPlugin, Resources } from "./plugin.ts";

/** A task of which nothing is known but what is given: no user, no golden actions, no required outputs. */
export function newTask(fields: Pick<Task, "id" | "environment" | "instruction"> & Partial<Task>): Task {
  return {
    schemaVersion: 1,
    userId: null,
    goldenActions: null,
    outputs: null,
    agenda: null,
    kind: fields.environment,
    difficulty: null,
    ...fields,
  };
}

/** The task's instruction is the first message, nobody answers, and the agent's first message without a call is its last. Every call of a message is executed. */
export function taskProtocol(terminalTools: readonly string[] = []): Protocol {
  return {
    opens: "task",
    stopTokens: [],
    terminalTools,
    handOverTools: [],
    callsPerMessage: "all",
    limits: { maxTurns: null, maxErrors: null },
  };
}

export interface TaskSetParts extends Partial<Pick<TaskSet, "labeller" | "formats" | "environment">> {
  readonly world: World;
  /** Splits that are left out are empty. */
  readonly splits: Partial<Splits>;
  /** Tools that change something: tiers tell their calls apart from those that only look. */
  readonly writeTools?: readonly string[];
}

/**
 * A task set of a world and its tasks. Unless it brings its own, its labeller tells errors, repeated calls, reads, writes and messages apart (tier schemes finer/1, paper/1,
 * grounded/1), and compares calls with golden actions where tasks have some.
 */
export function taskSet({ world, splits: given, writeTools = [], ...own }: TaskSetParts): TaskSet {
  const { id, tools, systemPrompt, protocol, resume } = world;
  const splits: Splits = { sft: [], train: [], selection: [], test: [], ...given };
  const isWrite = (name: string): boolean => writeTools.includes(name);
  const isTerminal = (name: string): boolean => protocol.handOverTools.includes(name);
  return {
    world,
    splits,
    dataSha256: hashJson([{ id, tools, systemPrompt, protocol, resume }, splits]),
    labeller: goldenLabeller({ tools, isWrite, isTerminal }),
    formats: {},
    environment: null,
    ...own,
  };
}
