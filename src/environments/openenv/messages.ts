// What is said to a server of the OpenEnv protocol and what it answers (openenv 0.10, core/env_server/types.py): one JSON text each way.
import { z } from "zod";
import { CampaignError } from "#core/errors.ts";
import { describeProblems } from "#core/problems.ts";
import { plainText, shortenMiddle } from "#core/text.ts";

/** Of `reset` and of `step`. */
const Observation = z.looseObject({
  observation: z.record(z.string(), z.json()),
  reward: z.union([z.number(), z.boolean()]).nullish(),
  done: z.boolean().default(false),
});
export type ServerObservation = z.infer<typeof Observation>;

const ServerError = z.looseObject({
  message: z.string().default(""),
  code: z.string().default(""),
  /** Of an action that does not fit its schema. */
  errors: z.array(z.looseObject({ loc: z.array(z.union([z.string(), z.number()])).default([]), msg: z.string() })).optional(),
  active_sessions: z.number().optional(),
  max_sessions: z.number().optional(),
});
export type ServerError = z.infer<typeof ServerError>;

const Answer = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("observation"), data: Observation }),
  z.looseObject({ type: z.literal("error"), data: ServerError }),
]);
export type Answer = z.infer<typeof Answer>;

/** Throws environment.failed for what is no answer of the protocol. */
export function readAnswer(text: string): Answer {
  const parsed = Answer.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw failed(`the server's answer is none of the OpenEnv protocol: ${shortenMiddle(plainText(text), 200)}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

export const resetMessage = (parameters: Readonly<Record<string, unknown>>): string => JSON.stringify({ type: "reset", data: parameters });

export const LIST_TOOLS = JSON.stringify({ type: "step", data: { type: "list_tools" } });

/** `argumentsJson`: an object as the model wrote it; its numbers stay as they are. */
export const callMessage = (toolName: string, argumentsJson: string): string =>
  `{"type":"step","data":{"type":"call_tool","tool_name":${JSON.stringify(toolName)},"arguments":${argumentsJson}}}`;

/** An action of the server's own schema. */
export const actionMessage = (argumentsJson: string): string => `{"type":"step","data":${argumentsJson}}`;

/** The server's words, in one line. */
export function wordsOf({ message, errors = [] }: ServerError): string {
  const details = errors.map(({ loc, msg }) => (loc.length === 0 ? msg : `${loc.join(".")}: ${msg}`));
  return shortenMiddle(plainText([message, ...details].filter((part) => part !== "").join("; ")), 1000);
}

/** The observation of an answer that must be one. Throws environment.failed with the server's words. */
export function observationOf(answer: Answer, what: string): ServerObservation {
  if (answer.type === "observation") return answer.data;
  throw failed(`the server answered ${what} with ${answer.data.code || "an error"}: ${wordsOf(answer.data)}`);
}

/** Throws environment.failed for an answer of another shape. `what`: that was asked. */
export function shaped<Value>(schema: z.ZodType<Value>, value: unknown, what: string): Value {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw failed(`the server's answer to ${what} is none of the OpenEnv protocol: ${describeProblems(parsed.error, value)}`);
}

export const failed = (what: string, next = "see the server's log, and mend the environment there"): CampaignError =>
  new CampaignError("environment.failed", what, { next });
