import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { PolicyConfig, ProposerConfig, SimulatorConfig } from "#contracts/campaign-config.ts";

const endpoint = { baseUrl: "http://127.0.0.1:1/v1", model: "m" };
const PARTIES: Readonly<Record<string, (requestFields: unknown) => z.ZodSafeParseResult<unknown>>> = {
  policy: (requestFields) => PolicyConfig.safeParse({ type: "vllm", ...endpoint, checkpoint: "c", requestFields }),
  user: (requestFields) => SimulatorConfig.safeParse({ type: "llm", ...endpoint, requestFields }),
  proposer: (requestFields) => ProposerConfig.safeParse({ ...endpoint, requestFields }),
};
const messageOf = (party: string, fields: unknown): string | undefined => PARTIES[party]?.(fields).error?.issues[0]?.message;

describe.each(Object.keys(PARTIES))("the request fields of the %s", (party) => {
  test("are kept as they are, and none are the default", () => {
    const fields = { chat_template_kwargs: { enable_thinking: false }, reasoning_effort: "low", thinking_token_budget: 512 };
    expect(PARTIES[party]?.(fields).data).toMatchObject({ requestFields: fields });
    expect(PARTIES[party]?.(undefined).data).toMatchObject({ requestFields: {}, tokenLimitField: "max_tokens" });
  });

  test.each(["model", "messages", "temperature", "seed", "max_tokens", "max_completion_tokens", "n", "stream"])(
    "may not hold %s, which Turnwise sets",
    (name) => {
      expect(messageOf(party, { [name]: 1 })).toBe(`${name} is set by Turnwise and cannot be set here`);
    },
  );

  test.each([
    [{ api_key: "x" }],
    [{ headers: { Authorization: "x" } }],
    [{ extra: ["sk-abc"] }],
    [{ extra: { deep: [{ token: "hf_abcdef" }] } }],
    [{ note: "Bearer abc" }],
    [{ note: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }],
  ])("may not hold what looks like a secret: %j", (fields) => {
    expect(messageOf(party, fields)).toMatch(/looks like a secret.*apiKeyEnv/);
  });

  test("a refusal never repeats the secret", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9]{20,40}$/), (random) => {
        const { error } = PARTIES[party]?.({ note: `sk-${random}` }) ?? {};
        return error !== undefined && !JSON.stringify(error.issues.map(({ message, path }) => [message, path])).includes(random);
      }),
    );
  });
});

test("a policy is sampled from its whole distribution: what would change it is refused", () => {
  for (const name of ["top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "logit_bias", "response_format", "tools"])
    expect(messageOf("policy", { [name]: 1 })).toContain(name);
  expect(messageOf("user", { top_p: 0.9 })).toBeUndefined();
});
