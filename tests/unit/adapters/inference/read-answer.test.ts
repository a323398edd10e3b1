import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnswerUsage, ErrorInside, MessageContent, readAnswer } from "#adapters/inference/read-answer.ts";
import { refusedField } from "#adapters/inference/refused-field.ts";
import { cleanWords, readServerError } from "#adapters/inference/server-words.ts";

describe("usage", () => {
  const tokens = fc.nat(1_000_000);

  test("is what is there: whole, half, in floats, in strings, under other names, or by the sum", () => {
    fc.assert(
      fc.property(tokens, tokens, fc.constantFrom("both", "float", "text", "renamed", "sum"), (prompt, completion, form) => {
        const written = {
          both: { prompt_tokens: prompt, completion_tokens: completion },
          float: { prompt_tokens: prompt + 0.25, completion_tokens: completion + 0.25 },
          text: { prompt_tokens: String(prompt), completion_tokens: `${completion}.0` },
          renamed: { input_tokens: prompt, output_tokens: completion },
          sum: { prompt_tokens: prompt, completion_tokens: null, total_tokens: prompt + completion },
        }[form];
        expect(AnswerUsage.parse(written)).toEqual({ promptTokens: prompt, completionTokens: completion, reasoningTokens: null });
      }),
    );
  });

  test("never fails, and is a count or unknown", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.record({ prompt_tokens: fc.jsonValue(), completion_tokens: fc.jsonValue() })), (usage) => {
        for (const count of Object.values(AnswerUsage.parse(usage)))
          expect(count === null || (Number.isSafeInteger(count) && count >= 0)).toBe(true);
      }),
    );
  });

  test("of an answer without any is unknown", () => {
    expect(AnswerUsage.parse(undefined)).toEqual({ promptTokens: null, completionTokens: null, reasoningTokens: null });
  });
});

describe("content", () => {
  const words = fc.string({ minLength: 1 });
  const said = fc.oneof(
    words.map((text) => ({ text, part: { type: "text", text } as unknown })),
    words.map((text) => ({ text, part: { type: "output_text", text, annotations: [] } as unknown })),
    words.map((text) => ({ text, part: { type: "text", text: { value: text } } as unknown })),
    words.map((text) => ({ text, part: text as unknown })),
  );
  const unsaid = fc.constantFrom(
    { type: "thinking", thinking: [{ type: "text", text: "SECRET" }] },
    { type: "thinking", thinking: "SECRET", signature: "x" },
    { type: "reasoning", text: "SECRET" },
    { type: "reference", reference_ids: [1] },
    { type: "image_url", image_url: { url: "SECRET" } },
  );

  test("in parts is its text in their order, and none of its thoughts", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            said,
            unsaid.map((part) => ({ text: null, part: part as unknown })),
          ),
        ),
        (parts) => {
          const expected = parts.flatMap(({ text }) => text ?? []);
          const { text } = MessageContent.parse(parts.map(({ part }) => part));
          expect(text).toBe(expected.length === 0 ? null : expected.join(""));
        },
      ),
    );
  });

  test.each([
    ["hello", { text: "hello", thoughts: null, refusal: null }],
    [null, { text: null, thoughts: null, refusal: null }],
    [undefined, { text: null, thoughts: null, refusal: null }],
    [[], { text: null, thoughts: null, refusal: null }],
    [
      { type: "text", text: "one part" },
      { text: "one part", thoughts: null, refusal: null },
    ],
    [[{ type: "refusal", refusal: "no" }], { text: null, thoughts: null, refusal: "no" }],
    [
      [
        { type: "thinking", thinking: "hm" },
        { type: "text", text: "a" },
      ],
      { text: "a", thoughts: "hm", refusal: null },
    ],
  ])("%j", (content, read) => {
    expect(MessageContent.parse(content)).toEqual(read);
  });

  test.each([7, true])("%j is none", (content) => {
    expect(MessageContent.safeParse(content).success).toBe(false);
  });
});

describe("a server's own words", () => {
  const sentence = "The model is away";

  test.each([
    [{ error: { message: sentence } }],
    [{ error: sentence }],
    [{ message: sentence }],
    [{ detail: sentence }],
    [{ detail: [{ loc: [], msg: sentence }] }],
    [{ msg: sentence, code: 1113 }],
    [{ object: "error", message: sentence, code: 40303 }],
    [{ object: "error", message: { detail: [{ msg: sentence }] } }],
    [{ errors: [{ message: sentence }], success: false }],
    [{ base_resp: { status_code: 1004, status_msg: sentence } }],
    [[{ error: { message: sentence, status: "UNAVAILABLE" } }]],
    [{ error: { error: { message: sentence } } }],
    [{ type: "error", error: { type: "overloaded_error", message: sentence } }],
    [sentence],
  ])("are found in %j", (body) => {
    expect(readServerError(body)?.message).toBe(sentence);
  });

  test("are the provider's behind a router, too", () => {
    const raw = JSON.stringify({ error: { message: "context too long" } });
    const body = { error: { message: "Provider returned error", code: 400, metadata: { raw, provider_name: "P" } } };
    expect(readServerError(body)).toMatchObject({ message: "Provider returned error: context too long", status: 400 });
  });

  test("say where in the request", () => {
    const body = { detail: [{ type: "extra_forbidden", loc: ["body", "seed"], msg: "Extra inputs are not permitted" }] };
    expect(readServerError(body)?.message).toBe("body.seed: Extra inputs are not permitted");
  });

  test("of an HTML page are its title", () => {
    expect(readServerError("<!DOCTYPE html><html><head><title>Bad\n gateway</title></head></html>")?.message).toBe(
      'an HTML page, "Bad gateway"',
    );
  });

  test("of an HTML page without one are what it shows", () => {
    expect(readServerError("<html><body><h1>503</h1>\n<p>No server is available</p></body></html>")?.message).toBe(
      'an HTML page, "503 No server is available"',
    );
  });

  test("are one short line without controls, whatever comes", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary", maxLength: 2000 }), fc.string({ unit: "grapheme", minLength: 500, maxLength: 900 })),
        (text) => {
          const line = cleanWords(text);
          expect(line.length).toBeLessThanOrEqual(400);
          expect(line.isWellFormed()).toBe(true);
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        },
      ),
    );
    expect(cleanWords("\u001b[31mred\u001b[0m\r\nand \u202ereversed")).toBe("red and reversed");
    expect(cleanWords("😀".repeat(100_000)).isWellFormed()).toBe(true);
  });

  test("are read from any JSON without a failure", () => {
    fc.assert(fc.property(fc.jsonValue(), (body) => void readServerError(body)));
  });
});

describe("an answer", () => {
  const answer = (body: unknown, headers: Record<string, string> = {}) =>
    readAnswer(new Response(typeof body === "string" ? body : JSON.stringify(body), { headers }));
  const failure = (body: unknown, headers: Record<string, string> = {}) =>
    answer(body, headers).then(
      () => null,
      (error: unknown) => error,
    );

  test.each([
    [{ error: { message: "m", code: 502 } }, 502],
    [{ error: { message: "m", code: "502" } }, 502],
    [{ error: { message: "m", status: 429 } }, 429],
    [{ error: { message: "Rate limit reached" } }, 429],
    [{ error: { message: "m", code: "rate_limit_exceeded" } }, 429],
    [{ error: { message: "m", type: "overloaded_error" } }, 503],
    [{ error: "model is loading" }, 503],
    [{ error: { message: "Incorrect API key provided" } }, 401],
    [{ error: { message: "m", type: "authentication_error" } }, 401],
    [{ base_resp: { status_code: 1004, status_msg: "login fail" } }, 401],
    [{ error: { message: "something odd" } }, undefined],
    [{ choices: [], error: { message: "m", code: 500 } }, 500],
    [{ choices: null, error: { message: "m", code: 500 } }, 500],
    [{ choices: [{ error: { message: "m", code: 502 }, message: { content: "cut" }, finish_reason: "error" }] }, 502],
    [{ choices: [{ message: { content: "cut" } }], error: { message: "m", code: 502 } }, 502],
    ['data: {"error":{"message":"m","code":429}}\n\n', 429],
  ])("%j is an error of status %s", async (body, status) => {
    const error = await failure(body);
    expect(error).toBeInstanceOf(ErrorInside);
    expect((error as ErrorInside).status).toBe(status);
  });

  test.each([
    [{ choices: [{ message: { content: "hi" } }], error: null }],
    [{ choices: [{ message: { content: "hi" }, error: null }] }],
    [{ choices: [{ message: { content: "hi" } }], message: "cached" }],
    [{ choices: [] }],
    [{}],
  ])("%j is none", async (body) => {
    expect(await answer(body)).toEqual(body);
  });

  test("is JSON whatever it is sent as", async () => {
    expect(await answer({ choices: [1] }, { "content-type": "text/plain" })).toEqual({ choices: [1] });
    expect(await answer(`\uFEFF\n\n${JSON.stringify({ choices: [1] })}`)).toEqual({ choices: [1] });
  });

  test.each([
    ["", {}, "empty"],
    ['data: {"choices":[{"delta":{"content":"hi"}}]}\n\ndata: [DONE]\n', { "content-type": "text/event-stream" }, "a stream of events"],
    [": keep-alive\n\n", {}, "a stream of events"],
    ["<html><title>Sign in</title></html>", { "content-type": "text/html" }, 'an HTML page, "Sign in"'],
    ["upstream said no", { "content-type": "text/plain" }, 'text/plain, "upstream said no"'],
    ['{"choices": [{', {}, "not JSON"],
  ])("%j says what it is", async (body, headers, words) => {
    expect(await failure(body, headers)).toMatchObject({ code: "provider.invalid-response", message: expect.stringContaining(words) });
  });
});

describe("a refused field", () => {
  const ALL = ["max_tokens", "max_completion_tokens", "seed", "temperature"] as const;
  const refusal = (message: string, more: { param?: string; code?: string } = {}) => ({
    message,
    param: more.param ?? null,
    code: more.code ?? null,
  });

  test("is found in the words of any server", () => {
    const wordings = [
      (field: string) => `Unsupported parameter: '${field}' is not supported with this model.`,
      (field: string) => `Unrecognized request argument supplied: ${field}`,
      (field: string) => `Unrecognized request arguments supplied: ${field}, other`,
      (field: string) => `body.${field}: Extra inputs are not permitted`,
      (field: string) => `property '${field}' is unsupported`,
      (field: string) => `Unknown name "${field}": Cannot find field.`,
      (field: string) => `litellm.UnsupportedParamsError: azure does not support parameters: ['${field}'], for model=m`,
      (field: string) => `\`${field}\` is deprecated for this model.`,
      (field: string) => `Parameter ${field} isn't allowed`,
      (field: string) => `unexpected keyword argument '${field}'`,
      (field: string) => `json: unknown field "${field}"`,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...ALL), fc.constantFrom(...wordings), fc.boolean(), (field, wording, isUpper) => {
        const message = isUpper ? wording(field).toUpperCase() : wording(field);
        expect(refusedField(refusal(message), ALL)).toBe(field);
        expect(
          refusedField(
            refusal(message),
            ALL.filter((other) => other !== field),
          ),
        ).toBeNull();
      }),
    );
  });

  test("is the one that was sent, not the one that is advised", () => {
    const message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    expect(refusedField(refusal(message), ["max_tokens", "seed"])).toBe("max_tokens");
    expect(refusedField(refusal(message), ["max_completion_tokens", "seed"])).toBeNull();
    expect(refusedField(refusal("no good", { param: "seed", code: "unsupported_parameter" }), ALL)).toBe("seed");
  });

  test.each([
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens",
    "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 4096 tokens",
    "max_tokens must be at least 1, got 0.",
    "temperature must be between 0 and 1",
    "temperature: Input should be less than or equal to 1",
    "This model does not exist",
    "max_tokens_to_sample is not supported",
    "seeds are not supported",
    "seed",
  ])("is none in %j", (message) => {
    expect(refusedField(refusal(message), ALL)).toBeNull();
  });

  test("may be refused for its value where only the default is taken", () => {
    const message = "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) value is supported.";
    expect(refusedField(refusal(message), ALL)).toBe("temperature");
  });
});
