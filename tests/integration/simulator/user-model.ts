// A server that speaks OpenAI's chat completions and does what a test tells it, call by call.
import type { ServerResponse } from "node:http";
import { type FailingServer, sendJson, startFailingServer } from "../inference/failing-server.ts";

export type Answer = (response: ServerResponse) => void;
/** One answer: a text, or whatever a test does with the response. */
export type Step = string | Answer;

export const USAGE = { prompt_tokens: 10, completion_tokens: 2 };

/** An answer of the model as OpenAI writes it. */
export const says =
  (content: string | null, message: object = {}): Answer =>
  (response) =>
    sendJson(response, 200, { choices: [{ message: { role: "assistant", content, ...message }, finish_reason: "stop" }], usage: USAGE });
export const fails =
  (status: number, headers: Record<string, string> = {}, message = "no"): Answer =>
  (response) =>
    sendJson(response, status, { error: { message } }, headers);
export const hangs: Step = () => {};

/** Answers call n with step n; the last step serves all further calls. */
export async function startUserModel(...steps: readonly [Step, ...Step[]]): Promise<UserModelServer> {
  const server = await startFailingServer((response) => {
    const step = steps[Math.min(server.requests.length, steps.length) - 1] as Step;
    (typeof step === "string" ? says(step) : step)(response);
  });
  return { ...server, bodies: () => server.requests.map(({ body }) => body as ChatBody) };
}

export interface ChatBody {
  readonly model: string;
  readonly temperature: number;
  readonly max_tokens?: number;
  readonly seed?: number;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}
export type UserModelServer = FailingServer & { bodies(): ChatBody[] };
