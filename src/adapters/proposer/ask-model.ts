// A model behind an OpenAI-compatible endpoint proposes a reward table. Its answers are read by the core; this asks, again where
// an answer cannot be used, and counts.
import type OpenAI from "openai";
import { z } from "zod";
import type { ProposerConfig } from "#contracts/campaign-config.ts";
import { type ProposalRecord, type ProposerMessage, TableProposal } from "#contracts/table-proposal.ts";
import type { Proposer } from "#core/calibration/proposal/propose.ts";
import { costOf } from "#core/rollout/cost.ts";
import { spokenText } from "#core/rollout/spoken-text.ts";
import { askChat } from "../inference/ask-chat.ts";
import { ChatAnswer, readSaid, type SaidAnswer } from "../inference/chat-answer.ts";
import { createInferenceClient } from "../inference/client.ts";

/** What stands in the exchange for an answer without any: many servers refuse empty messages. */
const NO_WORDS = "(no answer)";
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
    let numUncounted = 0;
    const messages = [...prompt];
    let proposal: TableProposal | null = null;
    while (proposal === null && attempts.length < config.attempts) {
      const { answer, text, problem, tokens } = await ask(client, config, messages, { signal, onWarning });
      usage.modelCalls += 1;
      usage.promptTokens += tokens.promptTokens ?? 0;
      usage.completionTokens += tokens.completionTokens ?? 0;
      if (tokens.promptTokens === null || tokens.completionTokens === null) numUncounted += 1;
      const found = problem === null ? read(text) : { proposal: null, problem };
      attempts.push({ answer, problem: found.problem });
      proposal = found.proposal;
      messages.push(
        { role: "assistant", content: text === "" ? NO_WORDS : text },
        { role: "user", content: `This answer cannot be used: ${found.problem}. Answer again with the whole JSON object.` },
      );
    }
    return {
      model: config.model,
      prompt: [...prompt],
      attempts,
      usage: {
        ...usage,
        usd: costOf(usage, config.priceUsdPerMillionTokens),
        ...(numUncounted === 0 ? {} : { uncountedCalls: numUncounted }),
      },
      proposal,
    };
  };
}

/** One answer as it came, its words without thoughts, and what keeps them from being read. Throws provider.*. */
async function ask(
  client: OpenAI,
  config: ProposerConfig,
  messages: readonly ProposerMessage[],
  { signal, onWarning }: { readonly signal: AbortSignal; readonly onWarning: (message: string) => void },
) {
  const { model, temperature, maxTokens, tokenLimitField, requestFields } = config;
  const who = `proposer ${model}`;
  const body = { ...requestFields, response_format: RESPONSE_FORMAT, messages: [...messages] };
  const completion = await askChat(
    { client, model, body, tokenLimitField, maxTokens, temperature, seed: null, canLeaveOut: true },
    { who, signal, canReappear: false, onAdapted: onWarning },
    ChatAnswer,
  );
  const said = readSaid(completion, { maxTokens, who });
  const text = spokenText(said.text ?? "").trim();
  return { answer: said.text ?? "", text, problem: problemOf(said, text, maxTokens), tokens: completion.usage };
}

/** What keeps an answer from being read at all; null where nothing does. */
function problemOf({ refusal, isCut, silence }: SaidAnswer, text: string, maxTokens: number): string | null {
  if (refusal !== null) return refusal;
  if (text === "") return silence.why;
  return isCut ? `it was cut at ${maxTokens} tokens: raise --max-tokens` : null;
}
