// A policy behind /v1/chat/completions: real tool schemas, the server's template. Token ids and log-probabilities come back where the
// server has them (vLLM, `python -m policy_server`); from any other endpoint the turns can be scored and evaluated but not trained on.
import type OpenAI from "openai";
import { z } from "zod";
import { tokenIdList } from "#contracts/number-lists.ts";
import type { PolicyRef } from "#contracts/policy.ts";
import type { RequestFields, TokenLimitField } from "#contracts/request-fields.ts";
import type { TurnTokens } from "#contracts/trajectory.ts";
import { CampaignError } from "#core/errors.ts";
import type { AgentTurn, Policy } from "#core/ports.ts";
import { chatMessages, nativeFormat, parseChatMessage } from "#core/prompt-format/native.ts";
import { askChat } from "./ask-chat.ts";
import { askWithinContext } from "./ask-within-context.ts";
import { FinishReason, turnEnding } from "./chat-answer.ts";
import { WHOLE_DISTRIBUTION } from "./client.ts";
import { AnswerUsage, MessageContent } from "./read-answer.ts";

export interface ChatPolicyOptions {
  readonly client: OpenAI;
  readonly ref: PolicyRef;
  /** What the server calls the model; the policy's own name unless it is the base model. */
  readonly model?: string;
  readonly temperature: number;
  readonly maxTokensPerTurn: number;
  readonly maxContextTokens: number;
  /** False for endpoints that know only OpenAI's fields. */
  readonly hasTokenIds?: boolean;
  readonly tokenLimitField?: TokenLimitField;
  /** Added to the body of every request. */
  readonly requestFields?: RequestFields;
  /** Whether the reasoning of earlier turns goes back to the server. */
  readonly sendsReasoning?: boolean;
  /** Told once what the endpoint is sent otherwise than it was set, and that its tokens cannot all be metered. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

const Tokens = tokenIdList();
const ToolCalls = z.array(
  z.object({
    id: z.string(),
    type: z.literal("function"),
    function: z.object({
      name: z.string(),
      arguments: z
        .string()
        .nullish()
        .transform((text) => text ?? ""),
    }),
  }),
);
const Message = z.object({
  content: MessageContent,
  tool_calls: ToolCalls.nullish(),
  reasoning: z.string().nullish(),
  reasoning_content: z.string().nullish(),
});
const ChatCompletion = z.object({
  prompt_token_ids: Tokens.nullish(),
  choices: z
    .array(
      z.object({
        message: Message.nullish().transform((message) => message ?? Message.parse({})),
        finish_reason: FinishReason,
        token_ids: Tokens.nullish(),
        logprobs: z.object({ content: z.array(z.object({ logprob: z.number() })).nullish() }).nullish(),
      }),
    )
    .min(1),
  usage: AnswerUsage,
});
type ChatCompletion = z.infer<typeof ChatCompletion>;

export function createChatPolicy(options: ChatPolicyOptions): Policy {
  const { client, ref, model = ref.name, temperature, maxTokensPerTurn, maxContextTokens, hasTokenIds = true } = options;
  const { tokenLimitField = "max_tokens", requestFields = {}, sendsReasoning = false } = options;
  const who = `policy ${ref.name}`;
  const noteUncounted = once(() =>
    options.onWarning?.(`${who} at ${client.baseURL}: its server does not say all tokens, and what it does not say is metered as none`),
  );
  const tokenFields = hasTokenIds ? { ...WHOLE_DISTRIBUTION, return_token_ids: true, logprobs: true, top_logprobs: 0 } : {};
  return {
    ref,
    format: nativeFormat(requestFields),
    async respond(conversation, { seed, signal }): Promise<AgentTurn> {
      const messages = chatMessages(conversation, { sendsReasoning });
      const { tools } = conversation;
      const ask = (maxTokens: number | null) => {
        const body = { ...requestFields, messages, tools, ...tokenFields };
        const request = { client, model, body, tokenLimitField, maxTokens, temperature, seed, canLeaveOut: false };
        return askChat(request, { who, signal, canReappear: true, onAdapted: options.onWarning }, ChatCompletion).then((answer) =>
          counted(answer, noteUncounted),
        );
      };
      const { answer, usage } = await askWithinContext(ask, { most: maxTokensPerTurn, context: maxContextTokens });
      const reasoningTokens = answer.usage.reasoningTokens ?? undefined;
      const { message, finish_reason: saidReason } = answer.choices[0] as ChatCompletion["choices"][number];
      const finishReason = turnEnding(saidReason, (message.tool_calls ?? []).length > 0, who);
      return {
        ...parseChatMessage(message.content.text, message.tool_calls ?? []),
        reasoning: message.reasoning ?? message.reasoning_content ?? message.content.thoughts ?? undefined,
        tokens: hasTokenIds ? sampledTokens(answer, who) : null,
        finishReason,
        usage: reasoningTokens === undefined ? usage : { ...usage, reasoningTokens },
      };
    },
  };
}

/** Where the server does not count, its own token ids do; of an answer without either nothing is known, and nothing is asked again for its length. */
function counted(answer: ChatCompletion, noteUncounted: () => void) {
  const { promptTokens, completionTokens } = answer.usage;
  const numPrompt = promptTokens ?? answer.prompt_token_ids?.length ?? null;
  const numSampled = completionTokens ?? answer.choices[0]?.token_ids?.length ?? null;
  if (numPrompt === null || numSampled === null) noteUncounted();
  return { ...answer, usage: { ...answer.usage, prompt_tokens: numPrompt ?? 0, completion_tokens: numSampled ?? 0 } };
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}

/** Throws provider.rejected when the server does not give ids or log-probabilities, provider.invalid-response when they do not match. */
function sampledTokens(answer: ChatCompletion, who: string): TurnTokens {
  const choice = answer.choices[0];
  const { prompt_token_ids: promptTokenIds } = answer;
  const tokenIds = choice?.token_ids;
  const logprobs = choice?.logprobs?.content?.map(({ logprob }) => logprob);
  if (!promptTokenIds || !tokenIds || !logprobs) {
    throw new CampaignError("provider.rejected", `${who}: the server answers without token ids or log-probabilities`, {
      next: "training needs a server with return_token_ids, such as vLLM 0.10.2 or newer",
    });
  }
  if (logprobs.length === tokenIds.length) return { promptTokenIds, tokenIds, logprobs };
  throw new CampaignError("provider.invalid-response", `${who}: ${tokenIds.length} tokens with ${logprobs.length} log-probabilities`);
}
