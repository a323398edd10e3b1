// A turn may be as long as the context has room for. How long the prompt is, its server says first: it renders the template.
import { CampaignError } from "#core/errors.ts";
import type { ModelUsage } from "#core/ports.ts";

interface Counted {
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

export interface Room {
  /** Tokens that an answer may have at most. */
  readonly most: number;
  /** Tokens that prompt and answer may have together. */
  readonly context: number;
}

/**
 * Asks for up to `most` tokens. What does not fit is asked again, with the same seed, for the room that is left: a prompt that leaves less
 * than `most` in the server's own context without any limit, since a server without a limit gives all it has room for; an answer that went
 * beyond `context` with the limit that the prompt's length leaves.
 *
 * returns the answer with the usage of all requests together
 * throws  provider.context-overflow when the prompt leaves no room at all; whatever `ask` throws
 */
export async function askWithinContext<Answer extends Counted>(
  ask: (maxTokens: number | null) => Promise<Answer>,
  { most, context }: Room,
): Promise<{ readonly answer: Answer; readonly usage: ModelUsage }> {
  let usage: ModelUsage = { promptTokens: 0, completionTokens: 0, calls: 0 };
  const counted = async (maxTokens: number | null): Promise<Answer> => {
    usage = { ...usage, calls: usage.calls + 1 };
    const answer = await ask(maxTokens);
    const promptTokens = usage.promptTokens + answer.usage.prompt_tokens;
    usage = { ...usage, promptTokens, completionTokens: usage.completionTokens + answer.usage.completion_tokens };
    return answer;
  };
  const answer = await counted(most).catch((error: unknown) => {
    if (error instanceof CampaignError && error.code === "provider.context-overflow") return counted(null);
    throw error;
  });
  const { prompt_tokens: numPrompt, completion_tokens: numSampled } = answer.usage;
  const room = Math.min(most, context - numPrompt);
  if (room < 1) throw new CampaignError("provider.context-overflow", `the prompt has ${numPrompt} of ${context} tokens`);
  return { answer: numSampled <= room ? answer : await counted(room), usage };
}
