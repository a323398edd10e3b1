// How a conversation becomes model input and how model output becomes an agent turn. Pure; tokenization stays with the adapter.
import type { AgentTurn, Conversation } from "../ports.ts";

/**
 * Part of a prompt. Every text segment is tokenized on its own, and agent turns of the past are the very token ids that were sampled,
 * so a later prompt always extends the earlier prompt plus its sampled tokens (one trainable row per trajectory).
 */
export type Segment = { readonly text: string } | { readonly tokenIds: readonly number[] };

export interface PromptFormat {
  /** Versioned, e.g. compact/1. */
  readonly id: string;
  /** Special tokens that end an agent turn; they are part of the sampled turn. */
  readonly stopTokens: readonly string[];
  renderPrompt(conversation: Conversation): Segment[];
  /** `text` is one sampled turn without its stop token. Unparsable text gives `parseError`, never an exception. */
  parseTurn(text: string, conversation: Conversation): Pick<AgentTurn, "content" | "toolCalls" | "parseError">;
}

/** Text to ids and back, of one tokenizer.json. */
export interface Tokenizer {
  encode(text: string): number[];
  decode(tokenIds: readonly number[]): string;
  /** Id of a special token. Throws contract.invalid when the tokenizer has none of that name. */
  specialId(token: string): number;
}
