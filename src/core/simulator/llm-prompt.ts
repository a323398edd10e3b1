// What a language model is told when it plays the user, and what counts as playing it wrong. Pure; the call is in adapters/simulator.
import type { Task } from "#contracts/task.ts";
import { CampaignError } from "../errors.ts";
import type { SimulatorView } from "../ports.ts";
import { STOP_TOKEN } from "../rollout/ending.ts";

/** Version of the prompt and of the checks; part of the simulator's hash. */
export const LLM_SIMULATOR_ID = "llm/1";

/** The assistant's opening that the user answers; as in tau-bench it is not part of the agent's conversation. */
const GREETING = "Hi! How can I help you today?";

export interface RoleMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** The system prompt, after the manner of tau-bench's: one customer with one goal, told line by line. */
export function simulatorPrompt(task: Pick<Task, "instruction">): string {
  return `You play a customer who talks to a customer service agent in a text chat.

Who you are and what you want: ${task.instruction}

How you talk:
- Write only what the customer says next, one short message at a time.
- Give a fact when it is needed or asked for; do not tell everything at once.
- Never invent a fact that is not given above. When asked for one, say that you do not remember it.
- Use your own words, do not copy the text above, and keep the personality that it describes.
- You are the customer, never the agent: you do not look anything up and you do not offer help.
- When your goal is reached, or the agent has handed you over to someone else, answer with ${STOP_TOKEN} and nothing else.`;
}

/** The conversation with roles turned round: what the agent says is "user", what the simulated user says is "assistant". */
export function simulatorMessages(task: Pick<Task, "instruction">, view: SimulatorView): RoleMessage[] {
  const opening: RoleMessage[] = view.firstUserMessage === null ? [] : [{ role: "assistant", content: view.firstUserMessage }];
  const exchanges = view.exchanges.flatMap(({ agent, user }): RoleMessage[] => [
    { role: "user", content: agent },
    ...(user === null ? [] : [{ role: "assistant", content: user } as const]),
  ]);
  return [{ role: "system", content: simulatorPrompt(task) }, { role: "user", content: GREETING }, ...opening, ...exchanges];
}

const REFUSAL = /^\s*(i'?m sorry,? but i (can(no|')t|am unable to)|i can(no|')t (assist|help) with|as an ai\b|i am an ai\b)/i;
const AGENT_TALK = /\b(how (can|may) i (help|assist) you|is there anything else i can (help|assist)|thank you for contacting|<tool_call>)/i;

/**
 * The user's message, or a CampaignError that makes the rollout be done again: an empty reply, a refusal of the model to play, a reply in
 * the agent's role, or a conversation ended before it began.
 */
export function checkedReply(content: string | null, refusal: string | null, view: SimulatorView): string {
  const text = (content ?? "").trim();
  if (refusal !== null) throw new CampaignError("simulator.refusal", `the model refused: ${excerpt(refusal)}`);
  if (text === "") throw new CampaignError("simulator.empty-reply", "the simulated user said nothing");
  if (REFUSAL.test(text)) throw new CampaignError("simulator.refusal", `the model refused: ${excerpt(text)}`);
  if (AGENT_TALK.test(text))
    throw new CampaignError("simulator.role-confusion", `the simulated user speaks as the agent: ${excerpt(text)}`);
  if (view.firstUserMessage === null && text.includes(STOP_TOKEN))
    throw new CampaignError("simulator.premature-stop", "the user stopped before asking for anything");
  return text;
}

const excerpt = (text: string): string => JSON.stringify(text.slice(0, 120));
