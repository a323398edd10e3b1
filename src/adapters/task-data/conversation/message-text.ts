// Role and text of a chat message.
import type { ChatMessage } from "#contracts/rollout-line.ts";

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

export function textOf({ content }: ChatMessage): string {
  if (typeof content === "string") return content;
  return (content ?? []).map((part) => part.text ?? "").join("");
}
