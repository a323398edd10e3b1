// A model behind an OpenAI-compatible endpoint proposes a reward table. Its answers are read by the core; this asks, again where
// an answer cannot be used, and counts.
import type OpenAI from "openai";
import { z } from "zod";
import type { ProposerConfig } from "#contracts/campaign-config.ts";
import { type ProposalRecord, type ProposerMessage, TableProposal } from "#contracts/table-proposal.ts";
import type { Proposer } from "#core/calibration/proposal/propose.ts";
import { costOf } from "#core/rollout/cost.ts";
import { askChat } from "../inference/ask-chat.ts";
import { createInferenceClient } from "../inference/client.ts";
import { AnswerUsage, MessageContent } from "../inference/read-answer.ts";

const ANSWER = z.object({
  choices: z.array(z.object({ message: z.object({ content: MessageContent }) })).min(1),
  usage: AnswerUsage,
});
const RESPONSE_FORMAT = {
  type: "json_schema" as const,
  json_schema: {
    name: "table_proposal",
    schema: z.toJSONSchema(TableProposal, { io: "input", reused: "inline" }) as Record<string, unknown>,
  },
};

/** Throws provider.unauthorized when the key's variable is not set, config.invalid for an address that is not allowed. */
export function openProposer(
  config: ProposerConfig,
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  onWarning: (message: string) => void,
): Proposer {
  const client = createInferenceClient({
    baseUrl: config.baseUrl,
    apiKeyEnv: config.apiKeyEnv,
    environment,
    timeoutSeconds: config.timeoutSeconds,
  });
  return async (prompt, read) => {
    const attempts: ProposalRecord["attempts"] = [];
    const usage = { modelCalls: 0, promptTokens: 0, completionTokens: 0 };
    const messages = [...prompt];
    let proposal: TableProposal | null = null;
    while (proposal === null && attempts.length < config.attempts) {
      const { text, tokens } = await ask(client, config, messages, { signal, onWarning });
      usage.modelCalls += 1;
      usage.promptTokens += tokens.promptTokens ?? 0;
      usage.completionTokens += tokens.completionTokens ?? 0;
      const found = read(text);
      attempts.push({ answer: text, problem: found.problem });
      proposal = found.proposal;
      messages.push(
        { role: "assistant", content: text },
        { role: "user", content: `This answer cannot be used: ${found.problem}. Answer again with the whole JSON object.` },
      );
    }
    return {
      model: config.model,
      prompt: [...prompt],
      attempts,
      usage: { ...usage, usd: costOf(usage, config.priceUsdPerMillionTokens) },
      proposal,
    };
  };
}

async function ask(
  client: OpenAI,
  config: ProposerConfig,
  messages: readonly ProposerMessage[],
  { signal, onWarning }: { readonly signal: AbortSignal; readonly onWarning: (message: string) => void },
) {
  const { model, temperature, maxTokens, tokenLimitField, requestFields } = config;
  const body = { ...requestFields, response_format: RESPONSE_FORMAT, messages: [...messages] };
  const { choices, usage } = await askChat(
    { client, model, body, tokenLimitField, maxTokens, temperature, seed: null, canLeaveOut: true },
    { who: `proposer ${model}`, signal, canReappear: false, onAdapted: onWarning },
    ANSWER,
  );
  return { text: choices[0]?.message.content.text ?? "", tokens: usage };
}
