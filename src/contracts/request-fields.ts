// Fields of a request beyond those that Turnwise sets: a model's own switches, such as chat_template_kwargs or reasoning_effort.
import { z } from "zod";

/** In every request. What is asked for, and in how many pieces it comes, is not for the campaign file to say twice. */
const OURS = ["model", "messages", "temperature", "seed", "max_tokens", "max_completion_tokens", "n", "stream", "stream_options"];
/** The policy's tokens are trained on: they must be sampled from its whole distribution, which the trainer computes again. */
const POLICYS = [
  ...["tools", "prompt", "logprobs", "top_logprobs", "return_token_ids", "stop", "stop_token_ids", "best_of", "use_beam_search"],
  ...["top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "logit_bias", "min_tokens", "bad_words"],
  ...["response_format", "structured_outputs"],
];

const SECRET_NAME = /(^|[-_])(api[-_]?key|authorization|password|passwd|secret|credentials?|access[-_]?token)$/i;
const SECRET_VALUE = /^(Bearer |Basic |sk-|hf_|gh[pousr]_|xox[abp]-|AKIA|eyJ[\w-]+\.)|-----BEGIN /;
/** Long and of one piece, with letters and digits mixed: no switch of a model looks like that. */
const RANDOM_VALUE = /^(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/_-]{32,}={0,2}$/;

export const RequestFields = z.record(z.string().min(1), z.json());
export type RequestFields = z.infer<typeof RequestFields>;

/** Merged into the body of every request to a policy. */
export const PolicyRequestFields = fieldsBeyond([...OURS, ...POLICYS]);
/** Merged into the body of every request to a user model. */
export const UserRequestFields = fieldsBeyond(OURS);
/** Merged into the body of every request to a model that proposes reward tables. */
export const ProposerRequestFields = fieldsBeyond([...OURS, "response_format"]);

/** `max_tokens` is what every server knows; OpenAI's reasoning models take the other name only. */
export const TokenLimitField = z
  .enum(["max_tokens", "max_completion_tokens"])
  .default("max_tokens")
  .describe("what the endpoint calls the limit of an answer; reasoning models of OpenAI take max_completion_tokens only");
export type TokenLimitField = z.infer<typeof TokenLimitField>;

function fieldsBeyond(reserved: readonly string[]) {
  return RequestFields.superRefine((fields, context) => {
    for (const name of Object.keys(fields).filter((name) => reserved.includes(name)))
      context.addIssue({ code: "custom", path: [name], message: `${name} is set by Turnwise and cannot be set here` });
    for (const path of secretsIn(fields))
      context.addIssue({ code: "custom", path, message: "this looks like a secret; name its environment variable with apiKeyEnv instead" });
  })
    .default({})
    .describe("fields added to every request, e.g. { chat_template_kwargs: { enable_thinking: false } }");
}

/** Where a value, or the name it stands under, looks like a secret. */
function secretsIn(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value === "string") return looksSecret(value, path.at(-1) ?? "") ? [[...path]] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => secretsIn(inner, [...path, name]));
}

function looksSecret(value: string, name: string): boolean {
  return value !== "" && (SECRET_NAME.test(name) || SECRET_VALUE.test(value) || RANDOM_VALUE.test(value));
}
