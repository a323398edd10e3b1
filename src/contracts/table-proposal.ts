// A reward table proposed by a model: what it may answer, and what is kept of the exchange.
import { z } from "zod";
import { TierSplit } from "./reward-table.ts";

/** The answer that a model is asked for. Tiers that it leaves out keep the value in force. */
export const TableProposal = z
  .strictObject({
    rationale: z.string().max(4000),
    splits: z.array(TierSplit).max(5).describe("tiers to tell apart further; each begins with the value of the tier it came from"),
    values: z.array(z.strictObject({ tier: z.string(), value: z.number().min(-1).max(1) })).max(60),
  })
  .meta({ id: "TableProposal" });
export type TableProposal = z.infer<typeof TableProposal>;

export const ProposerMessage = z.strictObject({ role: z.enum(["system", "user", "assistant"]), content: z.string() });
export type ProposerMessage = z.infer<typeof ProposerMessage>;

/** The whole exchange, so that anybody can see what the model was shown and what it said. */
export const ProposalRecord = z
  .strictObject({
    model: z.string(),
    prompt: z.array(ProposerMessage),
    attempts: z
      .array(z.strictObject({ answer: z.string(), problem: z.string().nullable().describe("why the answer was not used; null: it was") }))
      .min(1),
    usage: z.strictObject({
      modelCalls: z.int().nonnegative(),
      promptTokens: z.int().nonnegative(),
      completionTokens: z.int().nonnegative(),
      usd: z.number().nonnegative(),
      uncountedCalls: z
        .int()
        .positive()
        .optional()
        .describe("calls whose server does not say all tokens that they cost, which are metered as none; absent: none"),
    }),
    proposal: TableProposal.nullable().describe("null when no attempt gave a usable answer: the table in force stays"),
  })
  .meta({ id: "ProposalRecord" });
export type ProposalRecord = z.infer<typeof ProposalRecord>;
