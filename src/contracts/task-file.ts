// The file that `turnwise synthesize` writes and a campaign's environment of type task-file reads.
import { z } from "zod";
import { GoldenAction, GoldenTask } from "./task.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Count = z.int().nonnegative();

/** The database that the tasks are about. */
export const TaskDatabase = z
  .discriminatedUnion("name", [
    z.strictObject({ name: z.literal("synthetic-airline"), seed: Count.describe("of users, flights and reservations") }),
    z.strictObject({ name: z.literal("tau-bench-airline") }),
    z.strictObject({ name: z.literal("tau-bench-retail") }),
    z.strictObject({ name: z.literal("tau2-airline") }),
  ])
  .meta({ id: "TaskDatabase" });
export type TaskDatabase = z.infer<typeof TaskDatabase>;

/** How one wish of the user must end, and the reads that no correct way there can do without. */
export const TaskDecision = z
  .strictObject({
    kind: z.string().describe("what the wish is about, e.g. cancel"),
    type: z.enum(["write", "withhold", "answer"]).describe("withhold: the policy, or a condition of the user, forbids the write"),
    rule: z.string().nullable().describe("withhold: what forbids it"),
    evidence: z.array(GoldenAction).describe("the reads that the decision rests on; their number is its e"),
    write: GoldenAction.nullable(),
    forbidden: GoldenAction.nullable().describe("withhold: the write of an agent that gives in; it changes the database"),
    outputs: z.array(z.string()).describe("answer: what the agent must say"),
  })
  .meta({ id: "TaskDecision" });
export type TaskDecision = z.infer<typeof TaskDecision>;

/** What an LLM that plays the user is told, by part; the task's instruction is made from it. */
export const Scenario = z
  .strictObject({
    domain: z.string(),
    persona: z.string(),
    reasonForCall: z.string(),
    knownInfo: z.string(),
    unknownInfo: z.string().nullable(),
    taskInstructions: z.string(),
  })
  .meta({ id: "Scenario" });
export type Scenario = z.infer<typeof Scenario>;

export const Contamination = z
  .strictObject({
    sameWrites: z.string().nullable().describe("id of a benchmark task of the same user with the same golden writes"),
    overlap: z.number().min(0).max(1).describe("largest share of the instruction's word sequences that one benchmark instruction has too"),
    overlapsWith: z.string().nullable().describe("id of that benchmark task; null when nothing is shared"),
    isFlagged: z.boolean(),
  })
  .meta({ id: "Contamination" });
export type Contamination = z.infer<typeof Contamination>;

export const SynthesizedTask = z
  .strictObject({
    task: GoldenTask,
    split: z.enum(["train", "selection", "test"]).describe("no user is in two of them"),
    scenario: Scenario,
    decisions: z.array(TaskDecision).min(1),
    difficulty: z.strictObject({
      writes: z.int().min(0).max(5).describe("w: write decisions"),
      evidence: z.int().min(0).max(6).describe("e: reads that each decision needs, counted for each alone"),
      hasRefusal: z.boolean(),
      value: Count.describe("w * (1 + e)"),
      doNothingReward: z.union([z.literal(0), z.literal(1)]).describe("what an agent earns that calls nothing and says nothing"),
    }),
    uniqueness: z
      .enum(["verified", "not-claimed"])
      .describe("verified: every order of the writes leads to the same database, and no smaller set of them in any order does"),
    contamination: Contamination,
  })
  .meta({ id: "SynthesizedTask" });
export type SynthesizedTask = z.infer<typeof SynthesizedTask>;

/** One cell of the grid; `missing` says why it holds fewer than wanted. */
export const TaskCell = z
  .strictObject({
    writes: Count,
    evidence: Count,
    wanted: Count,
    made: Count,
    refusals: Count,
    usersTried: Count,
    missing: z.string().nullable(),
  })
  .meta({ id: "TaskCell" });
export type TaskCell = z.infer<typeof TaskCell>;

export const SynthesisOptions = z.strictObject({
  seed: Count,
  writes: z.array(z.int().min(0).max(5)).min(1),
  evidence: z.array(z.int().min(0).max(6)).min(1),
  perCell: z.int().positive().max(10_000),
  refusals: z.number().min(0).max(1).describe("share of each cell's tasks with a wish that must be refused"),
  trainShare: z.number().gt(0).lt(1).describe("share of the tasks for training; the others are held out"),
  selectionShare: z.number().min(0).lt(1).describe("share of the held-out tasks that choose the policy; the others are the test"),
  contaminated: z.enum(["drop", "flag"]),
  maxOverlap: z.number().gt(0).max(1).describe("share of word sequences from which on an instruction counts as a benchmark's"),
});
export type SynthesisOptions = z.infer<typeof SynthesisOptions>;

export const SynthesisCounts = z.strictObject({
  tasks: Count,
  users: Count,
  refusals: Count,
  verified: Count.describe("golden actions earn 1; without any one write, with a forbidden one, or with nothing done or said, they earn 0"),
  problems: z.array(z.string()).describe("of tasks that are not verified: task id and what is wrong"),
  uniquenessVerified: Count,
  droppedDuplicates: Count,
  rejectedCompositions: Count.describe("drafts that a check refused: a failing call, an order that matters, an unneeded read"),
  contaminated: Count.describe("dropped or flagged"),
  benchmarkTasks: Count.describe("that the tasks were compared with"),
  benchmarkUsers: Count.describe("tasks whose user is also the user of a benchmark task"),
  train: Count,
  selection: Count,
  test: Count,
  scriptedPasses: Count.describe("tasks that an agent with the golden actions passes with the scripted user"),
  doNothingFloor: z.number().min(0).max(1),
});
export type SynthesisCounts = z.infer<typeof SynthesisCounts>;

export const TaskFile = z
  .strictObject({
    schemaVersion: z.literal(2),
    generator: z
      .enum(["turnwise-synthesize/1", "turnwise-synthesize/2"])
      .describe("1: its held-out tasks were divided when they were read"),
    database: TaskDatabase,
    databaseSha256: Sha256.describe("of the database the tasks were made and checked with"),
    options: SynthesisOptions,
    counts: SynthesisCounts,
    cells: z.array(TaskCell),
    tasks: z.array(SynthesizedTask),
  })
  .meta({ id: "TaskFile" });
export type TaskFile = z.infer<typeof TaskFile>;
