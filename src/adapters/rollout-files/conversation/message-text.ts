// Role and text of a chat message.
import type { ChatMessage } from "#contracts/rollout-line.ts";
import { spokenText } from "#core/rollout/spoken-text.ts";

export type MessageRole = "system" | "user" | "assistant" | "tool";

/** Other names for the same roles: OpenAI's of other years, and those of data sets. */
const ALIASES: Readonly<Record<Exclude<ChatMessage["role"], MessageRole>, MessageRole>> = {
  developer: "system",
  human: "user",
  gpt: "assistant",
  model: "assistant",
  function: "tool",
  observation: "tool",
  ipython: "tool",
};

export function messageRole({ role }: ChatMessage): MessageRole {
  return Object.hasOwn(ALIASES, role) ? ALIASES[role as keyof typeof ALIASES] : (role as MessageRole);
}

export interface SpokenText {
  readonly said: string;
  /** What a model thought in the same text, with its tags; the whole text where thoughts stand between words. Null when there is none. */
  readonly thought: string | null;
}

/** Text of a model of which a part may be thought, as servers leave it that set nothing apart. */
export function splitThought(text: string): SpokenText {
  const said = spokenText(text);
  if (said === text) return { said, thought: null };
  const whole = text.trim();
  return { said, thought: whole.endsWith(said) ? whole.slice(0, whole.length - said.length).trim() : whole };
}

export function textOf({ content, refusal }: ChatMessage): string {
  const text = typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? part.refusal ?? "").join("");
  return text || (refusal ?? "");
}
