import { z } from "zod";
import { logprobList, tokenIdList } from "./number-lists.ts";

/** One tool call of an agent turn. `result` is null when the call was not executed (the benchmark runs only the first of a message). */
export const ToolCall = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    argumentsJson: z.string().describe("the model's own JSON text; may be unparsable"),
    result: z.string().nullable(),
    isError: z.boolean(),
    isExecuted: z.boolean(),
  })
  .meta({ id: "ToolCall" });
export type ToolCall = z.infer<typeof ToolCall>;

/** Tokens of one agent turn as the policy server counted them. */
export const TurnTokens = z
  .strictObject({
    promptTokenIds: tokenIdList(),
    tokenIds: tokenIdList("sampled tokens, end-of-turn token included"),
    logprobs: logprobList("nats, of the sampled tokens under the sampling distribution; same length as tokenIds"),
  })
  .meta({ id: "TurnTokens" });
export type TurnTokens = z.infer<typeof TurnTokens>;

/** One assistant message with its tool results, or with the user's answer to it. Turns of a trajectory count 0..K-1. */
export const Turn = z
  .strictObject({
    index: z.int().nonnegative(),
    content: z.string().nullable().describe("text to the user; null for a turn of tool calls only"),
    toolCalls: z.array(ToolCall),
    userReply: z.string().nullable().describe("the simulator's answer; null when the turn called tools or ended the conversation"),
    finishReason: z.enum(["stop", "length", "tool_calls"]),
    stateHash: z.string().nullable().describe("environment state after this turn; null when the source has none"),
    reasoning: z
      .string()
      .min(1)
      .optional()
      .describe(
        "what the model thought before it spoke, where its server hands that apart; nobody hears it. Absent: none, or inside content (<think>…)",
      ),
  })
  .meta({ id: "Turn" });
export type Turn = z.infer<typeof Turn>;

/**
 * One trainable token sequence. A trajectory has one row (branch 0) while every prompt extends the previous prompt plus its
 * sampled tokens; each violation (a template that rewrites history) opens a new branch.
 */
export const TokenRow = z
  .strictObject({
    branch: z.int().nonnegative(),
    tokenIds: tokenIdList(),
    spans: z
      .array(z.strictObject({ turn: z.int().nonnegative(), start: z.int().nonnegative(), end: z.int().positive() }))
      .describe("agent-generated tokens [start, end), ordered and disjoint; everything else is context"),
    logprobs: logprobList("sampling log-probabilities of the span tokens, spans concatenated in order"),
  })
  .meta({ id: "TokenRow" });
export type TokenRow = z.infer<typeof TokenRow>;

/** How a rollout ended. Only ok, task_failed and agent_error carry a reward; the others are retried and never count as zero. */
export const OutcomeType = z.enum(["ok", "task_failed", "agent_error", "env_error", "sim_error", "infra_error"]);
export type OutcomeType = z.infer<typeof OutcomeType>;

/** Ends without a reward: the rollout is made again. */
export const FailedOutcomeType = OutcomeType.extract(["env_error", "sim_error", "infra_error"]);
export type FailedOutcomeType = z.infer<typeof FailedOutcomeType>;

/** `agent-stop`: the agent ended it, by a final tool, by words that nobody answers, or by a call that the environment calls the last. `error-cap`: too many failed calls. */
export const StopReason = z.enum([
  "user-stop",
  "transfer",
  "turn-cap",
  "token-cap",
  "context-cap",
  "unparsable",
  "agent-stop",
  "error-cap",
  "error",
]);
export type StopReason = z.infer<typeof StopReason>;

/** What a rollout earns, whole or in part. What counts as a pass is said apart. */
export const Reward = z.number().min(0).max(1);

export const Outcome = z
  .strictObject({
    type: OutcomeType.describe("ok: passed"),
    reward: Reward.nullable().describe("graded; null when the rollout carries none"),
    passed: z.boolean().nullable().describe("as the environment says, whatever the reward; null exactly when there is no reward"),
    parts: z.record(z.string(), z.number()).describe("of the grade, by name, as the environment gives them; empty where it gives none"),
    stopReason: StopReason,
    isDatabaseMatch: z.boolean().nullable().describe("final database equals the golden one; null when not graded"),
    detail: z.string().nullable().describe("one line for people: error code and message, missing output, …"),
  })
  .meta({ id: "Outcome" });
export type Outcome = z.infer<typeof Outcome>;

export const Usage = z
  .strictObject({
    promptTokens: z.int().nonnegative(),
    completionTokens: z.int().nonnegative(),
    simulatorPromptTokens: z.int().nonnegative(),
    simulatorCompletionTokens: z.int().nonnegative(),
    modelCalls: z.int().nonnegative(),
    simulatorCalls: z.int().nonnegative(),
    reasoningTokens: z
      .int()
      .positive()
      .optional()
      .describe("of completionTokens, those of the policy's reasoning, where its server says so; absent: it does not, or there were none"),
    reasoningCharacters: z
      .int()
      .positive()
      .optional()
      .describe("of the policy's reasoning, handed apart or inside its messages; absent: there was none"),
  })
  .meta({ id: "Usage" });
export type Usage = z.infer<typeof Usage>;

/** One rollout as data. Same inputs give the same bytes: wall times live in the group manifest, not here. */
export const Trajectory = z
  .strictObject({
    schemaVersion: z.literal(2),
    taskId: z.string(),
    trial: z.int().nonnegative(),
    environment: z.string(),
    policy: z.strictObject({ name: z.string(), hash: z.string(), format: z.string() }),
    simulator: z.strictObject({ id: z.string(), hash: z.string() }),
    seed: z.string().describe("seed of the rollout; turn seeds are derived from it"),
    greeting: z.string().optional().describe("what the agent said first, where its environment has it open; absent: it did not"),
    firstUserMessage: z.string(),
    turns: z.array(Turn),
    rows: z.array(TokenRow).describe("empty when the source has no tokens (imported results)"),
    outcome: Outcome,
    usage: Usage,
    numRestarts: z
      .int()
      .positive()
      .optional()
      .describe(
        "times that an interrupted rollout began again, since its environment cannot go on; the usage holds all of them; absent: none",
      ),
    simulatorTroubles: z
      .record(z.string(), z.int().positive())
      .optional()
      .describe(
        "replies of the user that were made again or flagged, by error code, e.g. simulator.premature-stop; simulator.cut-answer: cut at the limit of tokens and taken as it is; absent when none was",
      ),
  })
  .meta({ id: "Trajectory" });
export type Trajectory = z.infer<typeof Trajectory>;
