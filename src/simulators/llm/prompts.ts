// What a language model is told when it plays the user: after tau-bench's strategies (tau_bench/envs/user.py), in our own words.
import type { Task } from "#contracts/task.ts";
import type { SimulatorView } from "#core/ports.ts";
import { STOP_TOKEN } from "#core/rollout/ending.ts";

/** The assistant's opening that the user answers where no agent opens; as in tau-bench it is not part of the agent's conversation. */
const GREETING = "Hi! How can I help you today?";

export interface RoleMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

const RULES = `- Give a fact when it is needed or asked for; do not tell everything at once.
- Never invent a fact that is not given above. When asked for one, say that you do not remember it.
- Use your own words, do not copy the text above, and keep the personality that it describes.
- You are the customer, never the agent: you do not look anything up and you do not offer help.`;

/** The system prompt of every strategy but react: one customer with one goal, told line by line. */
export function simulatorPrompt(task: Pick<Task, "instruction">): string {
  return `You play a customer who talks to a customer service agent in a text chat.

Who you are and what you want: ${task.instruction}

How you talk:
- Write only what the customer says next, one short message at a time.
${RULES}
- When your goal is reached, or the agent has handed you over to someone else, answer with ${STOP_TOKEN} and nothing else.`;
}

export const THOUGHT_MARK = "Thought:";
export const RESPONSE_MARK = "User Response:";

/** The same customer, who thinks before every message. */
export function reactPrompt(task: Pick<Task, "instruction">): string {
  return `You play a customer who talks to a customer service agent in a text chat.

Who you are and what you want: ${task.instruction}

How you talk:
- First think about what the customer should say next. The agent never sees this thought.
- Then write what the customer says, one short message. Only this is sent to the agent.
${RULES}
- When your goal is reached, or the agent has handed you over to someone else, the message is ${STOP_TOKEN} and nothing else.

Answer in exactly this form:

${THOUGHT_MARK}
<your thought>

${RESPONSE_MARK}
<what the customer says to the agent>`;
}

/** Asks whether a reply is good: the answer is read as "true" or not. */
export function verifyPrompt(messages: readonly RoleMessage[], response: string): string {
  return `You supervise a simulated customer who talks to a customer service agent. Below are the customer's instructions with the conversation so far, and the customer's next message.
Judge that message: true if this customer may say this now, false if it breaks the instructions, invents facts, speaks as the agent, or ends too early or too late.
A program reads your answer: write true or false and nothing else.

# Conversation
${transcript(messages)}

# Next message of the customer
${response}

# Judgement (true or false)`;
}

export const REWRITE_MARK = "Response:";

/** Asks what was wrong with a rejected reply, and for a better one. */
export function reflectPrompt(messages: readonly RoleMessage[], response: string): string {
  return `You supervise a simulated customer who talks to a customer service agent. Below are the customer's instructions with the conversation so far, and a next message of the customer that you have rejected.
Say what is wrong with it, and write a message that is right.

# Conversation
${transcript(messages)}

# Rejected message of the customer
${response}

A program reads what comes after "${REWRITE_MARK}". Answer in exactly this form:

Reflection:
<what is wrong>

${REWRITE_MARK}
<the new message of the customer>`;
}

/** Who speaks, for a reader: the roles are turned round in the simulator's own conversation. */
const SPEAKERS = { system: "Instructions of the customer", user: "Agent", assistant: "Customer" } as const;
const transcript = (messages: readonly RoleMessage[]): string =>
  messages.map(({ role, content }) => `${SPEAKERS[role]}: ${content}`).join("\n");

/**
 * The conversation with roles turned round: what the agent says is "user", what the simulated user says is "assistant". Where the user
 * remembers more than it said (react's thoughts), that stands in the place of what it said.
 */
export function simulatorMessages(
  systemPrompt: string,
  { greeting, firstUserMessage, exchanges, memories = [] }: SimulatorView,
): RoleMessage[] {
  const own = (said: string, index: number): RoleMessage => ({ role: "assistant", content: memories[index] ?? said });
  const opening = firstUserMessage === null ? [] : [own(firstUserMessage, 0)];
  const rest = exchanges.flatMap(({ agent, user }, index): RoleMessage[] => [
    { role: "user", content: agent },
    ...(user === null ? [] : [own(user, index + 1)]),
  ]);
  return [{ role: "system", content: systemPrompt }, { role: "user", content: greeting ?? GREETING }, ...opening, ...rest];
}
