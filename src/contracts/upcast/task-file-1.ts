// The task file as release 0.1.0 knew it. Frozen: it reads the files that 0.1.0 wrote, and nothing else.
import { z } from "zod";
import { GoldenAction, GoldenTask } from "../task.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Count = z.int().nonnegative();

const TaskDatabase = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("synthetic-airline"), seed: Count }),
  z.strictObject({ name: z.literal("tau-bench-airline") }),
  z.strictObject({ name: z.literal("tau-bench-retail") }),
  z.strictObject({ name: z.literal("tau2-airline") }),
]);

const TaskDecision = z.strictObject({
  kind: z.string(),
  type: z.enum(["write", "withhold", "answer"]),
  rule: z.string().nullable(),
  evidence: z.array(GoldenAction),
  write: GoldenAction.nullable(),
  forbidden: GoldenAction.nullable(),
  outputs: z.array(z.string()),
});

const Scenario = z.strictObject({
  domain: z.string(),
  persona: z.string(),
  reasonForCall: z.string(),
  knownInfo: z.string(),
  unknownInfo: z.string().nullable(),
  taskInstructions: z.string(),
});

const Contamination = z.strictObject({
  sameWrites: z.string().nullable(),
  overlap: z.number().min(0).max(1),
  overlapsWith: z.string().nullable(),
  isFlagged: z.boolean(),
});

const SynthesizedTask = z.strictObject({
  task: GoldenTask,
  split: z.enum(["train", "evaluation"]),
  scenario: Scenario,
  decisions: z.array(TaskDecision).min(1),
  difficulty: z.strictObject({
    writes: z.int().min(0).max(5),
    evidence: z.int().min(0).max(6),
    hasRefusal: z.boolean(),
    value: Count,
    doNothingReward: z.union([z.literal(0), z.literal(1)]),
  }),
  uniqueness: z.enum(["verified", "not-claimed"]),
  contamination: Contamination,
});

const TaskCell = z.strictObject({
  writes: Count,
  evidence: Count,
  wanted: Count,
  made: Count,
  refusals: Count,
  usersTried: Count,
  missing: z.string().nullable(),
});

const SynthesisOptions = z.strictObject({
  seed: Count,
  writes: z.array(z.int().min(0).max(5)).min(1),
  evidence: z.array(z.int().min(0).max(6)).min(1),
  perCell: z.int().positive().max(10_000),
  refusals: z.number().min(0).max(1),
  trainShare: z.number().gt(0).lt(1),
  contaminated: z.enum(["drop", "flag"]),
  maxOverlap: z.number().gt(0).max(1),
});

const SynthesisCounts = z.strictObject({
  tasks: Count,
  users: Count,
  refusals: Count,
  verified: Count,
  problems: z.array(z.string()),
  uniquenessVerified: Count,
  droppedDuplicates: Count,
  rejectedCompositions: Count,
  contaminated: Count,
  benchmarkTasks: Count,
  benchmarkUsers: Count,
  train: Count,
  evaluation: Count,
  scriptedPasses: Count,
  doNothingFloor: z.number().min(0).max(1),
});

export const TaskFile1 = z.strictObject({
  schemaVersion: z.literal(1),
  generator: z.literal("turnwise-synthesize/1"),
  database: TaskDatabase,
  databaseSha256: Sha256,
  options: SynthesisOptions,
  counts: SynthesisCounts,
  cells: z.array(TaskCell),
  tasks: z.array(SynthesizedTask),
});
export type TaskFile1 = z.infer<typeof TaskFile1>;
