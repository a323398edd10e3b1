// What `turnwise simulator audit` prints: how much of an outcome is the simulated user's doing.
import { z } from "zod";
import { RolloutReading } from "./rollout-reading.ts";
import { Usage } from "./trajectory.ts";

const Share = z.number().min(0).max(1);
const Count = z.int().nonnegative();
export const ShareInterval = z
  .strictObject({ value: Share, low: Share.nullable(), high: Share.nullable() })
  .describe("low and high are null when they cannot be estimated");

export const UserFlag = z
  .strictObject({
    kind: z
      .enum(["wrong-fact", "early-stop", "gold-leak"])
      .describe(
        "a fact that stands neither in the task nor in the conversation nor in the user's records; a stop before the last golden write; a tool name or a golden id that the user cannot know",
      ),
    taskId: z.string(),
    trial: Count,
    message: Count.describe("which message of the user, from 0"),
    what: z.string(),
    quote: z.string().describe("the message, at most 200 characters"),
  })
  .meta({ id: "UserFlag" });
export type UserFlag = z.infer<typeof UserFlag>;

export const FlagCounts = z.strictObject({
  conversations: Count,
  wrongFact: Count.describe("conversations with at least one"),
  earlyStop: Count,
  goldLeak: Count,
});
export type FlagCounts = z.infer<typeof FlagCounts>;

export const AuditedTask = z
  .strictObject({
    taskId: z.string(),
    numScripts: Count.describe("sequences of agent actions that were replayed: trajectories of the task, or its golden actions"),
    numReplays: Count.describe("replays with an outcome"),
    numPasses: Count,
    passRate: ShareInterval.nullable().describe("Wilson interval over replays; null without any"),
    disagreement: ShareInterval.nullable().describe(
      "share of pairs of replays of the same actions whose outcomes differ; null below 2 replays",
    ),
    numEarlyEnds: Count.describe("replays that the user stopped before the last action"),
    numOpenEnds: Count.describe("replays that the user did not stop at all"),
    numSimulatorErrors: Count.describe("replays without an outcome: never counted as failed"),
    numReproduced: Count.nullable().describe("replays with the recorded outcome; null for golden actions, which have none"),
  })
  .meta({ id: "AuditedTask" });
export type AuditedTask = z.infer<typeof AuditedTask>;

export const SimulatorAudit = z
  .strictObject({
    schemaVersion: z.literal(1),
    taskSet: z.string(),
    simulator: z.strictObject({ id: z.string(), hash: z.string(), isDeterministic: z.boolean() }),
    source: z.enum(["trajectories", "golden-actions"]),
    reading: RolloutReading.optional().describe("of trajectories: what was read, and what was not; absent for golden actions"),
    trials: z.int().min(2).describe("replays of each sequence of actions"),
    seed: z.string(),
    doNothingFloor: Share.describe("pass rate on these tasks of an agent that says and does nothing"),
    tasks: z.array(AuditedTask).describe("by task id"),
    overall: z.strictObject({
      passRate: ShareInterval.nullable().describe("mean over tasks, bootstrap over tasks"),
      disagreement: ShareInterval.nullable().describe("the noise floor: mean over tasks, bootstrap over tasks"),
      passRateDeviation: z
        .number()
        .nonnegative()
        .nullable()
        .describe("standard deviation that the user alone gives to the pass rate of these tasks with one trial each"),
      confidence: Share,
    }),
    recorded: FlagCounts.nullable().describe("of the users in the given trajectories; null for golden actions"),
    replayed: FlagCounts.describe("of the audited simulator"),
    flags: z.array(UserFlag).describe("of the recorded users, by task and trial"),
    replayedFlags: z.array(UserFlag).describe("of the audited simulator; `trial` counts the replays of a task"),
    usage: Usage.pick({ simulatorPromptTokens: true, simulatorCompletionTokens: true, simulatorCalls: true }),
    estimatedUsd: z.number().nonnegative().nullable().describe("null where no prices are known"),
    failures: z
      .array(z.strictObject({ code: z.string(), message: z.string(), count: Count }))
      .describe("why replays have no outcome, in the endpoint's words where it has any; the most frequent first"),
    troubles: z
      .record(z.string(), Count)
      .describe(
        "replies that were made again or flagged, by error code; provider.unknown-usage: answers whose tokens the server does not say, metered as none; simulator.cut-answer: answers that were cut at the limit of tokens and taken as they are",
      ),
    notes: z.array(z.string()).describe("what the endpoint was sent otherwise than it was set, because it refuses it"),
  })
  .meta({ id: "SimulatorAudit" });
export type SimulatorAudit = z.infer<typeof SimulatorAudit>;
