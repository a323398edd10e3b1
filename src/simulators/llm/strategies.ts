// tau-bench's four ways of asking a language model for the user's next message (tau_bench/envs/user.py at 59a200c6). Which calls are
// made, in which order and what their answers lead to is the benchmark's; what differs from it is listed in docs/simulators.md.
import type { Task } from "#contracts/task.ts";
import { CampaignError } from "#core/errors.ts";
import { STOP_TOKEN } from "#core/rollout/ending.ts";
import { startOf } from "#core/text.ts";
import {
  RESPONSE_MARK,
  REWRITE_MARK,
  type RoleMessage,
  reactPrompt,
  reflectPrompt,
  simulatorPrompt,
  THOUGHT_MARK,
  verifyPrompt,
} from "./prompts.ts";

/** One call of the model: its text, never empty. */
type Complete = (messages: readonly RoleMessage[]) => Promise<string>;

export interface SpokenReply {
  /** What the agent hears. */
  readonly content: string;
  /** What the user model reads as its own message later on, when that is more than it said. */
  readonly memory: string | null;
}

export interface UserStrategy {
  /** Raise the version when prompts, calls or parsing change: rollouts of different versions are not comparable. */
  readonly id: string;
  systemPrompt(task: Pick<Task, "instruction">): string;
  /** The user's next message. `messages` ends with what the agent said. Throws simulator.invalid-format for an answer without its form. */
  speak(messages: readonly RoleMessage[], complete: Complete): Promise<SpokenReply>;
}

/** Replies that `verify` asks for at most; the last is used, whatever the verdict. */
const VERIFY_ATTEMPTS = 3;
/** Replies that `reflection` asks for at most, the first included; when all are rejected, the first is used. */
const REFLECTION_ATTEMPTS = 2;

const llm: UserStrategy = {
  id: "llm/1",
  systemPrompt: simulatorPrompt,
  speak: async (messages, complete) => said(await complete(messages)),
};

const react: UserStrategy = {
  id: "react/1",
  systemPrompt: reactPrompt,
  async speak(messages, complete) {
    const text = await complete(messages);
    return { content: parseReact(text), memory: text };
  },
};

const verify: UserStrategy = {
  id: "verify/1",
  systemPrompt: simulatorPrompt,
  async speak(messages, complete) {
    let response = "";
    for (let attempt = 0; attempt < VERIFY_ATTEMPTS; attempt += 1) {
      response = await complete(messages);
      if (await isSatisfactory(messages, response, complete)) break;
    }
    return said(response);
  },
};

const reflection: UserStrategy = {
  id: "reflection/1",
  systemPrompt: simulatorPrompt,
  async speak(messages, complete) {
    const first = await complete(messages);
    if (await isSatisfactory(messages, first, complete)) return said(first);
    const extended = [...messages];
    for (let attempt = 1; attempt < REFLECTION_ATTEMPTS; attempt += 1) {
      const proposal = parseReflection(await complete([{ role: "user", content: reflectPrompt(extended, first) }]));
      extended.push({ role: "user", content: proposal });
      const next = await complete(extended);
      if (await isSatisfactory(extended, next, complete)) return said(next);
    }
    return said(first);
  },
};

export const USER_STRATEGIES = { llm, react, verify, reflection } as const;
export type StrategyName = keyof typeof USER_STRATEGIES;

const said = (content: string): SpokenReply => ({ content, memory: null });

async function isSatisfactory(messages: readonly RoleMessage[], response: string, complete: Complete): Promise<boolean> {
  const verdict = await complete([{ role: "user", content: verifyPrompt(messages, response) }]);
  return verdict.toLowerCase().includes("true");
}

/** The message in a react answer; the bare stop token when that occurs anywhere, as in the benchmark. Throws simulator.invalid-format. */
export function parseReact(text: string): string {
  if (text.includes(STOP_TOKEN)) return STOP_TOKEN;
  const [, response, ...more] = text.split(RESPONSE_MARK);
  if (response === undefined) throw invalidFormat(`no "${RESPONSE_MARK}"`, text);
  if (more.length > 0 || response.includes(THOUGHT_MARK)) throw invalidFormat("more than one thought or message", text);
  if (response.trim() === "") throw invalidFormat("an empty message", text);
  return response.trim();
}

/** The rewritten message in a reflection. Throws simulator.invalid-format. */
export function parseReflection(text: string): string {
  const [, response, ...more] = text.split(REWRITE_MARK);
  if (response === undefined || response.trim() === "") throw invalidFormat(`nothing after "${REWRITE_MARK}"`, text);
  if (more.length > 0) throw invalidFormat(`"${REWRITE_MARK}" more than once`, text);
  return response.trim();
}

function invalidFormat(what: string, text: string): CampaignError {
  return new CampaignError("simulator.invalid-format", `the user model's answer has ${what}: ${JSON.stringify(startOf(text, 120))}`);
}
